/** Windows, freezes and waiting as text. Pure. */
import { describeDuration } from '../domain/time/duration.js';
import { describeFreeze, describeWindow, type WaitingForGate } from '../domain/gates/gates.js';
import type { Guards } from '../domain/plan/plan.js';
import type { GateReport } from '../domain/report/report.js';
import { describeTime } from '../domain/time/utc-time.js';
import type { Paint } from './paint.js';

/** What a plan says has to be open before a target is begun. */
export function guardLines({ window, freeze, waitAtMostMs, coming, unreadable = [] }: Guards, paint: Paint): string[] {
  const lines = window === null ? [] : [`window ${windowWords(window)}`];
  if (freeze.length > 0) lines.push(`frozen by ${freeze.join(', ')}`);
  for (const each of coming) lines.push(paint.warn(`  ${describeFreeze(each)}`));
  for (const why of unreadable) lines.push(paint.warn(`  cannot be read, which counts as frozen: ${why}`));
  if (freeze.length > 0 && coming.length === 0 && unreadable.length === 0)
    lines.push(paint.dim('  nothing is frozen within the next 7 days'));
  const closed = waitAtMostMs === null ? 'is refused' : `waits at most ${describeDuration(waitAtMostMs)}`;
  // A window that opens with the start has no start outside of it.
  const outside = window !== null && window.opensAtMs !== null ? ['outside the window'] : [];
  const when = [...outside, ...(freeze.length === 0 ? [] : ['within a freeze'])];
  return when.length === 0 ? lines : [...lines, paint.dim(`a start ${when.join(' or ')} ${closed}`)];
}

function windowWords({ opensAtMs, durationMs, cutoffMs }: NonNullable<Guards['window']>): string {
  if (opensAtMs !== null) return describeWindow({ opensAtMs, durationMs, cutoffMs });
  const cutoff = cutoffMs === 0 ? '' : `, nothing new in its last ${describeDuration(cutoffMs)}`;
  return `of ${describeDuration(durationMs)} from the start${cutoff}`;
}

/** When the run looked and why it did not begin, or that it went on. */
export function gateLines(gates: readonly GateReport[], paint: Paint): string[] {
  return gates.map(({ target, firstLookAtMs, lastLookAtMs, looks, failure, why }) => {
    const when =
      looks === 1
        ? describeTime(firstLookAtMs)
        : `${describeTime(firstLookAtMs)} to ${describeTime(lastLookAtMs)}, ${looks} looks`;
    return failure === null
      ? `gate of ${target}: open again ${paint.dim(when)}`
      : `gate of ${target}: ${paint.warn(failure)} ${paint.dim(when)}\n  ${why ?? ''}`;
  });
}

export function waitingLines(waiting: WaitingForGate, nowMs: number, paint: Paint): string[] {
  const { why, looksAgainAtMs, givesUpAtMs } = waiting;
  const inWords = (atMs: number) => describeDuration(Math.max(0, atMs - nowMs));
  return [paint.warn(why), paint.dim(`looks again in ${inWords(looksAgainAtMs)}, gives up in ${inWords(givesUpAtMs)}`)];
}
