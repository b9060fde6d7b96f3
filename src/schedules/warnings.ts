/** What is odd about schedules that can be applied, in words for people: starts that are far away, frozen, uneven, or hit by a change of the clocks. */
import type { Calendars } from '../calendars/calendars.js';
import type { Freeze } from '../domain/gates.js';
import { printable } from '../domain/text.js';
import { clockWarnings, localText } from './daylight-saving.js';
import { windowMs, type WishedSchedule } from './read-schedules.js';
import { freezesOf } from './schedule-checks.js';
import { calendarOf } from './spelled-out.js';
import { firstStart, startsBetween } from './starts.js';
import { unevenStep } from './steps.js';
import { localMs } from './time-zone.js';

/** One oddity of one schedule. */
export interface ScheduleWarning {
  readonly id: string;
  readonly kind: 'missing' | 'twice' | 'far' | 'frozen' | 'uneven';
  /** Without the id. */
  readonly text: string;
}

/** Of a machine without a folder of calendars, which says so once for all schedules. */
const CALENDARS_NOT_HERE = 'calendar-not-read';
const DAY_MS = 86_400_000;
/** A schedule that starts later than that was most likely meant otherwise. */
const FAR_MS = 366 * DAY_MS;
/** How far ahead freezes are compared with windows: eight weeks. Chosen: calendars are seldom final for longer. */
const FREEZES_AHEAD_MS = 56 * DAY_MS;
/** A schedule of every minute has more; they are judged by its first ones. */
const MOST_STARTS = 10_000;

/** Warnings of a whole file, without asking a server. `untilMs` bounds the changes of the clocks that are named. */
export async function scheduleWarnings(
  schedules: readonly WishedSchedule[],
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

function unevenWarnings({ id, entry }: WishedSchedule): ScheduleWarning[] {
  const { second, minute, hour } = calendarOf(entry);
  return Object.entries({ second, minute, hour }).flatMap(([field, ranges]) =>
    ranges.flatMap((range) => {
      const text = unevenStep(field as 'second' | 'minute' | 'hour', range);
      return text === null ? [] : [{ id, kind: 'uneven' as const, text }];
    }),
  );
}

function farWarning({ id, entry }: WishedSchedule, nowMs: number): ScheduleWarning[] {
  const next = firstStart(entry, nowMs);
  if (next === null || next - nowMs <= FAR_MS) return [];
  return [{ id, kind: 'far', text: `its next start is ${on(entry.timezone, next)}, more than a year away` }];
}

/** One for each schedule: a freeze of two weeks holds fourteen runs of a daily one. */
async function frozenWarning(
  { id, entry, runbook }: WishedSchedule,
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
  const held: number[] = [];
  let count = 0;
  for (const atMs of startsBetween(entry, nowMs, untilMs)) {
    if (count === MOST_STARTS) break;
    count++;
    if (isCovered(freezes, atMs, atMs + windowMs(entry))) held.push(atMs);
  }
  const [first] = held;
  if (first === undefined) return unreadable;
  const by = [
    ...new Set(freezes.filter(({ fromMs, toMs }) => held.some((atMs) => fromMs <= atMs && atMs < toMs)).map(nameOf)),
  ];
  const starts = `its ${count === MOST_STARTS ? 'first ' : ''}${count} starts`;
  const which = held.length === count ? `all ${starts}` : `${held.length} of ${starts}`;
  const text = `the whole window of ${which} in the next eight weeks lies in a freeze (${by.join('; ')}), the first on ${on(entry.timezone, first)}: such a run does nothing`;
  return [{ id, kind: 'frozen', text }, ...unreadable];
}

function nameOf({ calendar, name }: Freeze): string {
  return `${printable(calendar)}: ${printable(name)}`;
}

/** Whether freezes, sorted by their beginning, leave nothing of a stretch of time. */
function isCovered(freezes: readonly Freeze[], fromMs: number, toMs: number): boolean {
  let coveredToMs = fromMs;
  for (const freeze of freezes) if (freeze.fromMs <= coveredToMs) coveredToMs = Math.max(coveredToMs, freeze.toMs);
  return coveredToMs >= toMs;
}

function on(zone: string, atMs: number): string {
  return `${localText(localMs(zone, atMs))} (${zone})`;
}
