/** What is proved of one entry of a schedule file beyond its shape, before anything is asked of a server. */
import { describeDuration, durationMs } from '../domain/time/duration.js';
import { didYouMean } from '../domain/text/suggest.js';
import type { Runbook } from '../domain/runbook/runbook.js';
import { readInputs } from '../domain/plan/start-arguments.js';
import type { RunbookLookup } from '../runbooks/lookups.js';
import { emergencyProblems, problemsOfLookup, unknownCalendars } from '../runbooks/lookups.js';
import type { PathProblem } from '../yaml/yaml-document.js';
import { cronProblems } from './cron.js';
import { DAYS_OF_WEEK, MONTHS, type ScheduleEntry } from './schedule-file.js';
import { neverStarts } from './starts.js';
import { stepProblem, type SteppedField } from './steps.js';
import { isTimeZone, timeZoneNames } from '../time/zone-names.js';

/** The server takes no shorter catch-up window. */
const SHORTEST_WINDOW_MS = 10_000;

/** What a schedule is checked against. */
export interface CheckedAgainst {
  readonly runbook: RunbookLookup;
  /** Names of the calendars that are known; `null` if they are not known here. */
  readonly calendars: readonly string[] | null;
  /** A schedule that starts nothing from then on is a problem. Epoch milliseconds. */
  readonly nowMs: number;
}

/** Paths are relative to the entry. */
export function checkEntry(entry: ScheduleEntry, { runbook, calendars, nowMs }: CheckedAgainst): PathProblem[] {
  return [
    ...checkWhen(entry, nowMs),
    ...checkTargets(entry),
    ...checkRunbook(entry, runbook),
    ...checkWindow(entry, runbook.kind === 'found' ? runbook.runbook : null),
    ...unknownCalendars(['freeze'], entry.freeze ?? [], calendars),
    ...checkWaiting(entry, runbook),
  ];
}

function checkWhen(entry: ScheduleEntry, nowMs: number): PathProblem[] {
  const { cron, calendar, timezone } = entry;
  const problems: PathProblem[] = [];
  if ((cron === undefined) === (calendar === undefined)) {
    problems.push({
      code: 'cron-or-calendar',
      path: cron === undefined ? [] : ['calendar'],
      found: cron === undefined ? 'neither cron nor calendar is given' : 'both cron and calendar are given',
      remedy: 'Say when with one of them: cron: "30 2 * * 1-5", or calendar: { hour: 2, minute: 30 }',
      ...(cron === undefined ? {} : { onKey: true }),
    });
  }
  for (const problem of cron === undefined ? [] : cronProblems(cron))
    problems.push({ code: 'invalid-cron', path: ['cron'], ...problem });
  if (calendar !== undefined) problems.push(...checkRanges(calendar));
  if (!isTimeZone(timezone)) {
    problems.push({
      code: 'unknown-time-zone',
      path: ['timezone'],
      found: `"${timezone.slice(0, 80)}" is not a time zone`,
      remedy: `Write an IANA name, such as Europe/Berlin or UTC.${didYouMean(timezone, timeZoneNames())}`,
    });
  }
  // Only of one that can be read: the problems of its fields explain more.
  const never = problems.length > 0 ? null : neverStarts(entry, nowMs);
  if (never !== null)
    problems.push({ code: 'never-starts', path: [cron === undefined ? 'calendar' : 'cron'], ...never });
  return problems;
}

function checkRanges(calendar: NonNullable<ScheduleEntry['calendar']>): PathProblem[] {
  return Object.entries(calendar).flatMap(([field, value]) => {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.filter(isRange).flatMap(({ start, end, step = 1 }): PathProblem[] => {
      const range = { start: positionOf(field, start), end: positionOf(field, end), step };
      const path = ['calendar', field];
      if (range.start > range.end) {
        const found = `the range from ${start} to ${end} ends before it starts`;
        return [{ code: 'invalid-range', path, found, remedy: 'Write two ranges in a list' }];
      }
      const problem = stepProblem(field as SteppedField, range, String(start));
      return problem === null ? [] : [{ code: 'unreachable-step', path, ...problem }];
    });
  });
}

function isRange(item: unknown): item is { start: number | string; end: number | string; step?: number } {
  return typeof item === 'object' && item !== null && 'start' in item && 'end' in item;
}

/** Months count from 1, days of the week from 0. */
function positionOf(field: string, value: number | string): number {
  if (typeof value === 'number') return value;
  return field === 'month'
    ? MONTHS.findIndex((name) => name === value) + 1
    : DAYS_OF_WEEK.findIndex((name) => name === value);
}

function checkTargets({ targets }: ScheduleEntry): PathProblem[] {
  return targets.flatMap((target, index) =>
    targets.indexOf(target) === index
      ? []
      : [
          {
            code: 'duplicate-target',
            path: ['targets', index],
            found: `"${target}" appears more than once`,
            remedy: 'Name each target once',
          },
        ],
  );
}

function checkRunbook({ runbook: name, inputs, targets }: ScheduleEntry, lookup: RunbookLookup): PathProblem[] {
  if (lookup.kind !== 'found') return problemsOfLookup(name, lookup);
  const { runbook } = lookup;
  const problems: PathProblem[] = readInputs(runbook, inputs ?? {}).problems.map(({ place, found, remedy }) => ({
    code: 'invalid-input',
    path: place.split('.'),
    found,
    remedy,
  }));
  problems.push(...emergencyProblems(runbook, 'Schedule another runbook'));
  if (targets.length > runbook.targets.max) {
    problems.push({
      code: 'too-many-targets',
      path: ['targets'],
      found: `${targets.length} targets are named, and ${runbook.name} takes at most ${runbook.targets.max}`,
      remedy: 'Make one schedule for each, or raise targets.max of the runbook',
    });
  }
  return problems;
}

function checkWindow({ window, jitter, cutoff }: ScheduleEntry, runbook: Runbook | null): PathProblem[] {
  const windowMs = durationMs(window) ?? 0;
  const problems: PathProblem[] = [];
  if (windowMs < SHORTEST_WINDOW_MS) {
    problems.push({
      code: 'window-too-short',
      path: ['window'],
      found: `a window of ${window} is shorter than Temporal can keep`,
      remedy: 'Make it at least 10s',
    });
  }
  const cutoffText = cutoff ?? cutoffOf(runbook);
  const taken = (durationMs(jitter ?? '0s') ?? 0) + (durationMs(cutoffText ?? '0s') ?? 0);
  if (taken >= windowMs && taken > 0) {
    const parts = [
      ...(jitter === undefined ? [] : [`the jitter of ${jitter}`]),
      ...(cutoffText === null
        ? []
        : [`the cut-off of ${cutoffText}${cutoff === undefined ? ' (from the runbook)' : ''}`]),
    ];
    problems.push({
      code: 'no-time-left',
      path: ['window'],
      found: `${parts.join(' and ')} ${parts.length === 1 ? 'leaves' : 'leave'} nothing of the window of ${window}`,
      remedy: `Make the window longer than ${describeDuration(taken)}`,
    });
  }
  return problems;
}

/** How long before the end of a window nothing more is begun, where the schedule does not say; a duration. */
export function cutoffOf(runbook: Runbook | null): string | null {
  return runbook?.guards?.window?.cutoff ?? null;
}

/** The calendars of a runbook's own guards; they hold back beside those of a schedule. */
export function freezesOf(runbook: Runbook | null): readonly string[] {
  return runbook?.guards?.freeze ?? [];
}

/** A schedule's window is open when its run begins, and nothing is waited for once it has closed: only a freeze is. */
function checkWaiting({ freeze = [], waitAtMost }: ScheduleEntry, runbook: RunbookLookup): PathProblem[] {
  if (waitAtMost === undefined || runbook.kind !== 'found') return [];
  if (freeze.length > 0 || freezesOf(runbook.runbook).length > 0) return [];
  return [
    {
      code: 'nothing-to-wait-for',
      path: ['waitAtMost'],
      found: `neither the schedule nor the runbook ${runbook.runbook.name} names a calendar, so there is nothing to wait for`,
      remedy: 'Name calendars behind freeze:, or take waitAtMost out',
      onKey: true,
    },
  ];
}
