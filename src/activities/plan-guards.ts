/**
 * Turns the window, freezes and waiting time of a start and its runbook into the guards of the plan, or into every
 * problem.
 */
import { isUnknownCalendar, type Calendars } from '../calendars/calendars.js';
import type { StartArguments, WindowArguments } from '../domain/contract.js';
import { describeDuration, durationMs } from '../domain/time/duration.js';
import type { Problem } from '../domain/failures.js';
import { relevantFreezes } from '../domain/gates/gates.js';
import type { Guards } from '../domain/plan/plan.js';
import type { Runbook } from '../domain/runbook/runbook.js';
import { unreadableLines } from './read-freezes.js';

/** Freezes that begin later are not relevant to a person who plans now. */
const COMING_MS = 7 * 86_400_000;

/** `undefined` if there is neither a window nor a freeze to wait for. */
export async function planGuards(
  { guards = {} }: Runbook,
  start: StartArguments,
  calendars: Calendars,
  nowMs: number,
  problems: Problem[],
): Promise<Guards | undefined> {
  const freeze = [...new Set([...(guards.freeze ?? []), ...(start.freeze ?? [])])];
  if (start.window === undefined && freeze.length === 0) return undefined;
  const window = start.window === undefined ? null : plannedWindow(start.window, guards.window, problems);
  const read =
    freeze.length === 0
      ? { freezes: [], problems: [] }
      : await calendars.freezesBetween(freeze, nowMs, nowMs + COMING_MS);
  // Zero is the same as not waiting.
  const waitAtMostMs = durationMs(start.waitAtMost ?? guards.waitAtMost ?? '0s') || null;
  // A run that may wait treats them as frozen and continues once they can be read.
  const waitedFor = waitAtMostMs === null ? [] : read.problems.filter((problem) => !isUnknownCalendar(problem));
  problems.push(...read.problems.filter((problem) => !waitedFor.includes(problem)));
  return {
    window,
    freeze,
    waitAtMostMs,
    coming: relevantFreezes(read.freezes),
    ...(waitedFor.length === 0 ? {} : { unreadable: unreadableLines(waitedFor) }),
  };
}

function plannedWindow(
  { duration, cutoff, opensAt, fit }: WindowArguments,
  byDefault: NonNullable<Runbook['guards']>['window'],
  problems: Problem[],
): Guards['window'] {
  const durationOf = (text: string | undefined) => durationMs(text ?? '0s') ?? 0;
  const window = {
    opensAtMs: opensAt === undefined ? null : Date.parse(opensAt),
    durationMs: durationOf(duration),
    cutoffMs: durationOf(cutoff ?? byDefault?.cutoff),
    ...((fit ?? byDefault?.fit) === false ? { fit: false as const } : {}),
  };
  if (window.cutoffMs >= window.durationMs) {
    const whose = cutoff === undefined ? "the runbook's own cut-off" : 'the cut-off';
    problems.push({
      code: 'invalid-arguments',
      place: cutoff === undefined ? 'window.duration' : 'window.cutoff',
      found: `${whose} of ${describeDuration(window.cutoffMs)} leaves nothing of a window of ${describeDuration(window.durationMs)}`,
      remedy: 'Make the window longer than its cut-off',
    });
  }
  return window;
}
