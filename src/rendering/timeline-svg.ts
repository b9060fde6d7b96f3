/** Draws a timeline to scale as SVG for the page of `report-html.ts`, whose style sheet has the colours. Pure. */
import { describeDuration } from '../domain/time/duration.js';
import { describeTime } from '../domain/time/utc-time.js';
import { htmlText } from './html-text.js';
import type { Bar, Mark, Row, Timeline } from './timeline.js';

/** In the units of the drawing, which are pixels on a page of 960. */
const WIDTH = 960;
const LABELS = 230;
const MARGIN = 46;
const ROW = 34;
const AXIS = 26;
/** A bar of no length must still be seen. */
const LEAST_WIDTH = 2;
/** Characters of 13 px that fit beside the bars. */
const LONGEST_LABEL = 32;
const MOST_TICKS = 6;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** Round distances between the times on the axis. */
const TICKS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((count) => count * HOUR_MS),
];

/** An `<svg>` element. @param name for people who cannot see it */
export function timelineSvg({ fromMs, toMs, rows }: Timeline, name: string): string {
  const x = (atMs: number) => LABELS + ((atMs - fromMs) / (toMs - fromMs)) * (WIDTH - LABELS - MARGIN);
  const height = AXIS + rows.length * ROW + 4;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${htmlText(name)}">`,
    ...ticks(fromMs, toMs).map((atMs) => tick(x(atMs), timeWords(atMs, toMs - fromMs), height)),
    ...rows.flatMap((row, index) => rowLines(row, AXIS + index * ROW, x)),
    '</svg>',
  ].join('\n');
}

/** Round times within the axis, a few of them. @returns epoch milliseconds */
function ticks(fromMs: number, toMs: number): number[] {
  const least = (toMs - fromMs) / MOST_TICKS;
  const every = TICKS_MS.find((distance) => distance >= least) ?? Math.ceil(least / (24 * HOUR_MS)) * 24 * HOUR_MS;
  const first = Math.ceil(fromMs / every) * every;
  return Array.from(
    { length: Math.max(0, Math.floor((toMs - first) / every) + 1) },
    (_, index) => first + index * every,
  );
}

/** `02:10:00`; on an axis of more than a day `11-30 02:10`. */
function timeWords(atMs: number, axisMs: number): string {
  const time = describeTime(atMs);
  return axisMs > 24 * HOUR_MS ? `${time.slice(5, 10)} ${time.slice(11, 16)}` : time.slice(11, 19);
}

function tick(x: number, time: string, height: number): string {
  return `<line class="tick" x1="${at(x)}" x2="${at(x)}" y1="${AXIS - 6}" y2="${height}"/><text class="time" x="${at(x)}" y="14" text-anchor="middle">${htmlText(time)}</text>`;
}

function rowLines({ label, bars, marks }: Row, top: number, x: (atMs: number) => number): string[] {
  const short = label.length > LONGEST_LABEL ? `…${label.slice(1 - LONGEST_LABEL)}` : label;
  const [first] = bars;
  const length = first === undefined ? [] : [lengthText(first, Math.max(...bars.map(({ toMs }) => toMs)), top, x)];
  return [
    `<text class="label" x="${LABELS - 12}" y="${top + 19}" text-anchor="end">${htmlText(short)}<title>${htmlText(label)}</title></text>`,
    ...bars.map((bar) => barRect(bar, top, x)),
    ...length,
    ...marks.map((mark) => markShape(mark, top, x)),
  ];
}

/** How long the first bar lasts, right of the last one where there is room. */
function lengthText({ fromMs, toMs }: Bar, lastMs: number, top: number, x: (atMs: number) => number): string {
  const right = x(lastMs) + 6;
  const isOutside = right + 60 > WIDTH;
  return `<text class="length" x="${at(isOutside ? x(fromMs) - 6 : right)}" y="${top + 19}"${isOutside ? ' text-anchor="end"' : ''}>${describeDuration(toMs - fromMs)}</text>`;
}

function barRect({ kind, state, fromMs, toMs, title }: Bar, top: number, x: (atMs: number) => number): string {
  const isThin = kind === 'cloudJob';
  const width = Math.max(LEAST_WIDTH, x(toMs) - x(fromMs));
  const [y, height] = isThin ? [top + 23, 5] : [top + 6, 16];
  return `<rect class="${kind}${state === null ? '' : ` ${htmlText(state)}`}" x="${at(x(fromMs))}" y="${y}" width="${at(width)}" height="${height}" rx="2"><title>${htmlText(title)}</title></rect>`;
}

function markShape({ kind, atMs, title }: Mark, top: number, x: (atMs: number) => number): string {
  const words = `<title>${htmlText(title)}</title>`;
  return kind === 'reading'
    ? `<circle class="reading" cx="${at(x(atMs))}" cy="${top + 14}" r="4">${words}</circle>`
    : `<line class="attempt" x1="${at(x(atMs))}" x2="${at(x(atMs))}" y1="${top + 3}" y2="${top + 10}">${words}</line>`;
}

/** A tenth of a pixel is enough, and keeps the file short. */
function at(x: number): string {
  return x.toFixed(1).replace(/\.0$/, '');
}
