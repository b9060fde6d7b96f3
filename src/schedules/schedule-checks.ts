/** What is proved of one entry of a schedule file beyond its shape, before anything is asked of a server. */
import { describeDuration, durationMs } from '../domain/duration.js';
import { didYouMean } from '../domain/nearest.js';
import type { Runbook } from '../domain/runbook.js';
import { readInputs } from '../activities/start-arguments.js';
import type { RunbookLookup } from '../catalogue.js';
import { problemsOfLookup, unknownCalendars } from '../runbook-problems.js';
import type { PathProblem } from '../yaml-document.js';
import { cronProblems } from './cron.js';
import { DAYS_OF_WEEK, MONTHS, type ScheduleEntry } from './schedule-file.js';
import { isTimeZone, timeZoneNames } from './time-zone.js';

/** The server takes no shorter catch-up window. */
const SHORTEST_WINDOW_MS = 10_000;

export interface CheckedAgainst {
  readonly runbook: RunbookLookup;
  /** Names of the calendars that are known; `null` where nobody knows them. */
  readonly calendars: readonly string[] | null;
}

/** Paths are relative to the entry. */
export function checkEntry(entry: ScheduleEntry, { runbook, calendars }: CheckedAgainst): PathProblem[] {
  return [
    ...checkWhen(entry),
    ...checkTargets(entry),
    ...checkRunbook(entry, runbook),
    ...checkWindow(entry, runbook.kind === 'found' ? runbook.runbook : null),
    ...unknownCalendars(['freeze'], entry.freeze ?? [], calendars),
    ...checkWaiting(entry, runbook),
  ];
}

function checkWhen({ cron, calendar, timezone }: ScheduleEntry): PathProblem[] {
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
    problems.push({ code: 'wrong-cron', path: ['cron'], ...problem });
  if (calendar !== undefined) problems.push(...checkRanges(calendar));
  if (!isTimeZone(timezone)) {
    problems.push({
      code: 'unknown-time-zone',
      path: ['timezone'],
      found: `"${timezone.slice(0, 80)}" is no time zone`,
      remedy: `Write an IANA name, such as Europe/Berlin or UTC.${didYouMean(timezone, timeZoneNames())}`,
    });
  }
  return problems;
}

function checkRanges(calendar: NonNullable<ScheduleEntry['calendar']>): PathProblem[] {
  return Object.entries(calendar).flatMap(([field, value]) => {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.filter(isRange).flatMap(({ start, end }): PathProblem[] => {
      if (positionOf(field, start) <= positionOf(field, end)) return [];
      const found = `the range from ${start} to ${end} ends before it starts`;
      return [{ code: 'wrong-range', path: ['calendar', field], found, remedy: 'Write two ranges in a list' }];
    });
  });
}

function isRange(item: unknown): item is { start: number | string; end: number | string } {
  return typeof item === 'object' && item !== null && 'start' in item && 'end' in item;
}

function positionOf(field: string, value: number | string): number {
  const names: readonly string[] = field === 'month' ? MONTHS : DAYS_OF_WEEK;
  return typeof value === 'number' ? value : names.indexOf(value);
}

function checkTargets({ targets }: ScheduleEntry): PathProblem[] {
  return targets.flatMap((target, index) =>
    targets.indexOf(target) === index
      ? []
      : [
          {
            code: 'duplicate-target',
            path: ['targets', index],
            found: `"${target}" stands more than once`,
            remedy: 'Name each target once',
          },
        ],
  );
}

function checkRunbook({ runbook: name, inputs, targets }: ScheduleEntry, lookup: RunbookLookup): PathProblem[] {
  if (lookup.kind !== 'found') return problemsOfLookup(name, lookup);
  const { runbook } = lookup;
  const problems: PathProblem[] = readInputs(runbook, inputs ?? {}).problems.map(({ place, found, remedy }) => ({
    code: 'wrong-input',
    path: place.split('.'),
    found: `${place}: ${found}`,
    remedy,
  }));
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
      found: `${parts.join(' and ')} leave nothing of the window of ${window}`,
      remedy: `Make the window longer than ${describeDuration(taken)}`,
    });
  }
  return problems;
}

function cutoffOf(runbook: Runbook | null): string | null {
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
