/** What is odd about schedules that can be applied, in words for people: starts that are far away, frozen, uneven, or hit by a change of the clocks. */
import type { Calendars } from '../calendars/calendars.js';
import { durationMs } from '../domain/time/duration.js';
import type { Freeze } from '../domain/gates/gates.js';
import { printable } from '../domain/text/text.js';
import { clockWarnings } from './daylight-saving.js';
import { windowMs, type DesiredSchedule } from './read-schedules.js';
import { cutoffOf, freezesOf } from './schedule-checks.js';
import { calendarOf } from './spelled-out.js';
import { firstStart, startsBetween } from './starts.js';
import { unevenStep } from './steps.js';
import { localMs } from '../time/time-zone.js';
import { DAY_MS, describeWallTime } from '../time/wall-clock.js';

/** One oddity of one schedule. */
export interface ScheduleWarning {
  readonly id: string;
  readonly kind: 'missing' | 'twice' | 'far' | 'frozen' | 'uneven';
  /** Without the id. */
  readonly text: string;
}

/** The problem of a machine without a folder of calendars, which is reported once for all schedules. */
const CALENDARS_NOT_HERE = 'calendar-not-read';
/** A schedule that starts later than that was most likely meant otherwise. */
const FAR_MS = 366 * DAY_MS;
/** How far ahead freezes are compared with windows: eight weeks. Chosen: calendars are seldom final for longer. */
const FREEZES_AHEAD_MS = 56 * DAY_MS;
/** A schedule of every minute has more, and they are not counted. */
const MOST_COUNTED = 10_000;

/** Warnings of a whole file, without asking a server. `untilMs` bounds the changes of the clocks that are named. */
export async function scheduleWarnings(
  schedules: readonly DesiredSchedule[],
  {
    nowMs,
    untilMs,
    freezesBetween,
  }: { readonly nowMs: number; readonly untilMs: number } & Pick<Calendars, 'freezesBetween'>,
): Promise<ScheduleWarning[]> {
  const frozen = await Promise.all(schedules.map((schedule) => frozenWarning(schedule, nowMs, freezesBetween)));
  return [
    ...clockWarnings(schedules, nowMs, untilMs),
    ...schedules.flatMap(unevenWarnings),
    ...schedules.flatMap((schedule) => farWarning(schedule, nowMs)),
    ...frozen.flat(),
  ];
}

function unevenWarnings({ id, entry }: DesiredSchedule): ScheduleWarning[] {
  const { second, minute, hour } = calendarOf(entry);
  return Object.entries({ second, minute, hour }).flatMap(([field, ranges]) =>
    ranges.flatMap((range) => {
      const text = unevenStep(field as 'second' | 'minute' | 'hour', range);
      return text === null ? [] : [{ id, kind: 'uneven' as const, text }];
    }),
  );
}

function farWarning({ id, entry }: DesiredSchedule, nowMs: number): ScheduleWarning[] {
  const next = firstStart(entry, nowMs);
  if (next === null || next - nowMs <= FAR_MS) return [];
  return [{ id, kind: 'far', text: `its next start is ${on(entry.timezone, next)}, more than a year away` }];
}

/** One for each schedule: a freeze of two weeks holds fourteen runs of a daily one. */
async function frozenWarning(
  { id, entry, runbook }: DesiredSchedule,
  nowMs: number,
  freezesBetween: Calendars['freezesBetween'],
): Promise<ScheduleWarning[]> {
  const names = [...new Set([...(entry.freeze ?? []), ...freezesOf(runbook)])];
  if (names.length === 0) return [];
  const untilMs = nowMs + FREEZES_AHEAD_MS;
  const found = await freezesBetween(names, nowMs, untilMs + windowMs(entry));
  const freezes = [...found.freezes].sort((left, right) => left.fromMs - right.fromMs);
  const unreadable = found.problems
    .filter(({ code }) => code !== CALENDARS_NOT_HERE)
    .map(({ place, found: what }) => ({
      id,
      kind: 'frozen' as const,
      text: `a calendar has a problem, and counts as frozen: ${printable(`${place}: ${what}`)}`,
    }));
  if (freezes.length === 0) return unreadable;
  const blocks = blocksOf(freezes, windowMs(entry) - cutoffMs(entry, runbook));
  const first = blocks
    .map((block) => firstIn(startsBetween(entry, Math.max(nowMs, block.fromMs), Math.min(untilMs, block.lastMs + 1))))
    .find((atMs) => atMs !== null);
  if (first === undefined || first === null) return unreadable;
  const text = `the whole window of ${howMany(entry, blocks, { nowMs, untilMs })} in the next eight weeks lies in a freeze (${namesOf(entry, blocks, { nowMs, untilMs }).join('; ')}), the first on ${on(entry.timezone, first)}: such a run does nothing`;
  return [{ id, kind: 'frozen', text }, ...unreadable];
}

/** Freezes without a gap between them. A start from `fromMs` to `lastMs`, both included, can begin no target. */
interface Block {
  readonly fromMs: number;
  readonly lastMs: number;
  readonly freezes: readonly Freeze[];
}

interface Between {
  readonly nowMs: number;
  readonly untilMs: number;
}

/** `freezes` are sorted by their beginning; `openMs` is how long a run may begin targets. */
function blocksOf(freezes: readonly Freeze[], openMs: number): Block[] {
  const joined: { fromMs: number; toMs: number; freezes: Freeze[] }[] = [];
  for (const freeze of freezes) {
    const last = joined.at(-1);
    if (last === undefined || freeze.fromMs > last.toMs) {
      joined.push({ fromMs: freeze.fromMs, toMs: freeze.toMs, freezes: [freeze] });
      continue;
    }
    last.toMs = Math.max(last.toMs, freeze.toMs);
    last.freezes.push(freeze);
  }
  return joined
    .map(({ fromMs, toMs, freezes: parts }) => ({ fromMs, lastMs: toMs - openMs, freezes: parts }))
    .filter(({ fromMs, lastMs }) => fromMs <= lastMs);
}

/** `12 of its 56 starts`; without numbers where they are too many to count. */
function howMany(entry: DesiredSchedule['entry'], blocks: readonly Block[], { nowMs, untilMs }: Between): string {
  let [count, held] = [0, 0];
  for (const atMs of startsBetween(entry, nowMs, untilMs)) {
    if (count === MOST_COUNTED) {
      const isAll = blocks.some(({ fromMs, lastMs }) => fromMs <= nowMs && untilMs <= lastMs + 1);
      return isAll ? 'all its starts' : 'some of its starts';
    }
    count++;
    if (blocks.some(({ fromMs, lastMs }) => fromMs <= atMs && atMs <= lastMs)) held++;
  }
  return held === count ? `all its ${count} starts` : `${held} of its ${count} starts`;
}

/** Names of the freezes that contain a start which can begin nothing, each once. */
function namesOf(entry: DesiredSchedule['entry'], blocks: readonly Block[], { nowMs, untilMs }: Between): string[] {
  const names = blocks.flatMap((block) =>
    block.freezes
      .filter(({ fromMs, toMs }) => {
        const endMs = Math.min(untilMs, toMs, block.lastMs + 1);
        return firstIn(startsBetween(entry, Math.max(nowMs, fromMs), endMs)) !== null;
      })
      .map(nameOf),
  );
  return [...new Set(names)];
}

function firstIn(moments: Iterable<number>): number | null {
  for (const atMs of moments) return atMs;
  return null;
}

function cutoffMs({ cutoff }: DesiredSchedule['entry'], runbook: DesiredSchedule['runbook']): number {
  return durationMs(cutoff ?? cutoffOf(runbook) ?? '0s') ?? 0;
}

function nameOf({ calendar, name }: Freeze): string {
  return `${printable(calendar)}: ${printable(name)}`;
}

function on(zone: string, atMs: number): string {
  return `${describeWallTime(localMs(zone, atMs))} (${zone})`;
}
