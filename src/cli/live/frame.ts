/** What the live view draws: as much of a run as fits into the terminal, what needs a person first. Pure. */
import type { Outcome } from '../../domain/report/report.js';
import type { Colors } from '../colors.js';
import type { RunBlocks, TargetBlock } from '../render-progress.js';
import { cut, fits, fitted, type Line } from './lines.js';

/** The size of a terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The run, and below it why nothing happens, and the keys. */
export interface View {
  readonly run: RunBlocks;
  readonly foot: readonly Line[];
}

/** The lines to draw, at most one fewer than the terminal has rows: the cursor is below them. */
export function frame({ run, foot }: View, { columns, rows }: Size, colors: Colors): string[] {
  // Lines are measured where they may be left out, and drawn after that.
  const known = new Map<Line, readonly string[]>();
  const shownLine = (line: Line): readonly string[] => {
    const drawn = known.get(line) ?? fitted(line, columns);
    known.set(line, drawn);
    return drawn;
  };
  const shown = (lines: readonly Line[]) => lines.flatMap(shownLine);
  const head = shown(run.head);
  const bottom = shown(foot).slice(-Math.max(1, rows - 1));
  const below = [...shown(run.gate), ...toComeLine(run.toCome, columns, colors)];
  const tail = below.length === 0 ? [] : ['', ...below];
  const room = rows - 1 - head.length - tail.length - bottom.length;
  const all = [...head, ...targetLines(run.targets, room, { columns, rows, colors, shown }), ...tail];
  const above = rows - 1 - bottom.length;
  // On a terminal that is too low, the lower lines matter more: they are about now, and have the command to type.
  const kept = all.length <= above ? all : [...all.slice(0, 1), ...all.slice(all.length - Math.max(0, above - 1))];
  return [...(above < 1 ? [] : kept), ...bottom];
}

interface Paper extends Size {
  readonly colors: Colors;
  readonly shown: (lines: readonly Line[]) => string[];
}

/**
 * Each step gives up what matters least: the details of targets that have ended, then those targets, then steps. A line takes at least one row,
 * so that lines which cannot all fit are not measured: a run may have thousands, and each takes time.
 */
function targetLines(targets: readonly TargetBlock[], room: number, paper: Paper): string[] {
  const whole = wholeTargets(targets, room, paper);
  if (whole !== null) return whole;
  const open = targets.filter(({ outcome }) => outcome === null);
  const ended = targets.filter(({ outcome }) => outcome !== null);
  const openLines = wholeTargets(open, room, paper);
  const briefs = endedLines(ended, room - (openLines?.length ?? Infinity), paper);
  if (openLines !== null && briefs.length + openLines.length <= room) return [...briefs, ...openLines];
  const share = Math.floor((room - briefs.length) / Math.max(1, open.length));
  return [...briefs, ...foldedTargets(open, share - 1, paper)];
}

/** @returns `null` if they do not fit */
function wholeTargets(targets: readonly TargetBlock[], room: number, { shown }: Paper): string[] | null {
  const lines = targets.map(({ head, steps, asks }) => [head, ...steps.flatMap((step) => step.lines), ...asks]);
  if (lines.reduce((rows, { length }) => rows + 1 + length, 0) > room) return null;
  const drawn = lines.flatMap((each) => ['', ...shown(each)]);
  return drawn.length <= room ? drawn : null;
}

/** From the last one on, as many as could be seen: of what does not fit, `frame` keeps the end. */
function foldedTargets(open: readonly TargetBlock[], room: number, paper: Paper): string[] {
  const drawn: string[][] = [];
  let rows = 0;
  for (const target of [...open].reverse()) {
    if (rows >= paper.rows) break;
    const lines = ['', ...foldedTarget(target, room, paper)];
    rows += lines.length;
    drawn.unshift(lines);
  }
  return drawn.flat();
}

/** One line for each target; those that do not fit are counted, succeeded ones first. */
function endedLines(ended: readonly TargetBlock[], room: number, { columns, colors, shown }: Paper): string[] {
  if (ended.length === 0) return [];
  // One line is the blank one above.
  if (ended.length + 1 <= room) return ['', ...shown(ended.map(({ head }) => head))];
  const byWorth = [
    ...ended.filter(isUnsuccessful).reverse(),
    ...ended.filter((each) => !isUnsuccessful(each)).reverse(),
  ];
  const kept = new Set(byWorth.slice(0, Math.max(0, room - 2)));
  const left = ended.filter((target) => !kept.has(target));
  const counts = countsOf(left.map(({ outcome }) => outcome));
  const more = cut(colors.dim(`… ${left.length} more that ended: ${counts}`), columns);
  return ['', more, ...shown(ended.filter((target) => kept.has(target)).map(({ head }) => head))];
}

function isUnsuccessful({ outcome }: TargetBlock): boolean {
  return outcome !== 'succeeded';
}

function countsOf(outcomes: readonly (Outcome | null)[]): string {
  const names = [...new Set(outcomes)];
  return names.map((name) => `${outcomes.filter((each) => each === name).length} ${name}`).join(', ');
}

/** The target, with as many of its steps as fit: first those that have ended are counted, then those to come. */
function foldedTarget({ head, steps, asks }: TargetBlock, room: number, { columns, colors, shown }: Paper): string[] {
  const fixed = shown([head]).length + shown(asks).length;
  const firstOpen = steps.findIndex(({ stage }) => stage !== 'ended');
  const ended = firstOpen < 0 ? steps.length : firstOpen;
  const lastNow = steps.findLastIndex(({ stage }) => stage !== 'toCome');
  let from = 0;
  let to = steps.length;
  const fold = (rowsOf: (lines: readonly Line[]) => number) => {
    const heights = steps.map(({ lines }, index) => (index < from || index >= to ? 0 : rowsOf(lines)));
    let height = fixed + heights.reduce((total, each) => total + each, 0);
    const rows = () => height + (from > 0 ? 1 : 0) + (to < steps.length ? 1 : 0);
    while (rows() > room && from < ended) height -= heights[from++] ?? 0;
    while (rows() > room && to > lastNow + 1) height -= heights[--to] ?? 0;
  };
  // What does not fit with one row for each line does not fit once it is measured.
  fold((lines) => lines.length);
  fold((lines) => shown(lines).length);
  const counted = (count: number, what: string) =>
    count === 0 ? [] : [`  ${cut(colors.dim(`… ${count} ${what}`), columns - 2)}`];
  return [
    ...shown([head]),
    ...counted(from, from === 1 ? 'step before' : 'steps before'),
    ...shown(steps.slice(from, to).flatMap(({ lines }) => lines)),
    ...counted(steps.length - to, 'more to come'),
    ...shown(asks),
  ];
}

/** `to come: shop/checkout/prod-3, shop/checkout/prod-4, … 12 more` on one line. */
function toComeLine(paths: readonly string[], columns: number, colors: Colors): string[] {
  if (paths.length === 0) return [];
  const textOf = (count: number) => {
    const rest = paths.length - count;
    return `to come: ${[...paths.slice(0, count), ...(rest > 0 ? [`… ${rest} more`] : [])].join(', ')}`;
  };
  const isShort = textOf(paths.length).length <= columns;
  let count = isShort && fits(textOf(paths.length), columns) ? paths.length : 0;
  while (count < paths.length && fits(textOf(count + 1), columns)) count++;
  return [colors.dim(cut(count === 0 ? `${paths.length} targets to come` : textOf(count), columns))];
}
