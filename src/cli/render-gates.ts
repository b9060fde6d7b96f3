/** Renders windows, freezes and waiting as text. Pure. */
import { describeDuration } from '../domain/time/duration.js';
import { describeFreeze, describeWindow, type WaitingForGate } from '../domain/gates/gates.js';
import type { Guards } from '../domain/plan/plan.js';
import type { GateReport } from '../domain/report/report.js';
import { describeTime } from '../domain/time/utc-time.js';
import type { Colors } from './colors.js';
import { cutLine, wrapped, type Line } from './live/lines.js';

/** Lines about what must be open before a target starts. */
export function guardLines(
  { window, freeze, waitAtMostMs, coming, unreadable = [] }: Guards,
  colors: Colors,
): string[] {
  const lines = window === null ? [] : [`window ${windowWords(window)}`];
  if (freeze.length > 0) lines.push(`frozen by ${freeze.join(', ')}`);
  for (const each of coming) lines.push(colors.warn(`  ${describeFreeze(each)}`));
  for (const why of unreadable) lines.push(colors.warn(`  cannot be read, which counts as frozen: ${why}`));
  if (freeze.length > 0 && coming.length === 0 && unreadable.length === 0)
    lines.push(colors.dim('  nothing is frozen in the next 7 days'));
  const closed = waitAtMostMs === null ? 'is refused' : `waits at most ${describeDuration(waitAtMostMs)}`;
  // A window that opens with the start has no time outside it.
  const outside = window !== null && window.opensAtMs !== null ? ['outside the window'] : [];
  const when = [...outside, ...(freeze.length === 0 ? [] : ['within a freeze'])];
  return when.length === 0 ? lines : [...lines, colors.dim(`a start ${when.join(' or ')} ${closed}`)];
}

function windowWords({ opensAtMs, durationMs, cutoffMs }: NonNullable<Guards['window']>): string {
  if (opensAtMs !== null) return describeWindow({ opensAtMs, durationMs, cutoffMs });
  const cutoff = cutoffMs === 0 ? '' : `, nothing new in its last ${describeDuration(cutoffMs)}`;
  return `of ${describeDuration(durationMs)} from the start${cutoff}`;
}

/** Lines about each time a gate was checked: why it was closed, or that it opened. */
export function gateLines(gates: readonly GateReport[], colors: Colors): string[] {
  return gates.map(({ target, firstLookAtMs, lastLookAtMs, looks, failure, why }) => {
    const when =
      looks === 1
        ? describeTime(firstLookAtMs)
        : `${describeTime(firstLookAtMs)} to ${describeTime(lastLookAtMs)}, checked ${looks} times`;
    return failure === null
      ? `gate of ${target}: open again ${colors.dim(when)}`
      : `gate of ${target}: ${colors.warn(failure)} ${colors.dim(when)}\n  ${why ?? ''}`;
  });
}

/** Lines about a run that waits for its gate. @param nowMs epoch milliseconds */
export function waitingLines(waiting: WaitingForGate, nowMs: number, colors: Colors): Line[] {
  const { why, looksAgainAtMs, givesUpAtMs } = waiting;
  const inWords = (atMs: number) => describeDuration(Math.max(0, atMs - nowMs));
  return [
    wrapped(0, colors.warn(why)),
    cutLine(0, colors.dim(`checks again in ${inWords(looksAgainAtMs)}, gives up in ${inWords(givesUpAtMs)}`)),
  ];
}
