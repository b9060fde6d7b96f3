/** Maintenance windows and change freezes: a moment in, open or closed out, with why and until when. Pure; times are epoch milliseconds. */
import { shortened } from '../text/json-bytes.js';
import { LONGEST_FREEZE_NAME_BYTES, LONGEST_GATE_REASON_BYTES } from '../sizes.js';
import { describeTime } from '../time/utc-time.js';

/** A change freeze of a calendar, `[fromMs, toMs)`. */
export interface Freeze {
  readonly calendar: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** New targets are begun from `opensAtMs` until `cutoffMs` before its end. */
export interface Window {
  readonly opensAtMs: number;
  readonly durationMs: number;
  readonly cutoffMs: number;
}

/** What the calendars said: their freezes, and in one line each why a calendar cannot be read, which counts as frozen. */
export interface ReadFreezes {
  readonly freezes: readonly Freeze[];
  readonly unreadable: readonly string[];
}

export interface ClosedGate {
  readonly open: false;
  readonly failure: 'OutsideWindow' | 'ChangeFreeze';
  readonly why: string;
  /** The earliest moment it could open, as far as is known now; `null` when never, or when nobody can tell. */
  readonly opensAtMs: number | null;
}

const GATE_FAILURES: readonly string[] = ['OutsideWindow', 'ChangeFreeze'] satisfies ClosedGate['failure'][];

export function isGateFailure(name: string | undefined): name is ClosedGate['failure'] {
  return name !== undefined && GATE_FAILURES.includes(name);
}

/** When an open gate closes, and what it says from then on, as far as was known when it was passed. */
export interface Closing extends Pick<ClosedGate, 'failure' | 'why'> {
  readonly atMs: number;
}

export type Gate = { readonly open: true; readonly closing: Closing | null } | ClosedGate;

/** Why nothing is begun yet, when the run looks again, and when it gives up. Epoch milliseconds. */
export interface WaitingForGate {
  readonly why: string;
  readonly looksAgainAtMs: number;
  readonly givesUpAtMs: number;
}

/** A run that waits longer had better be started later; each look stands in its history. */
export const LONGEST_WAIT_MS = 7 * 86_400_000;
export const LONGEST_WAIT_REMEDY = 'Wait at most 7d, or start the run later';
/** A waiting run looks again at least this often: somebody may have lifted a freeze. */
export const LOOK_AGAIN_MS = 10 * 60_000;
/** How far ahead freezes are read: enough to say when a freeze ends, also where several follow each other. */
export const FREEZES_AHEAD_MS = 31 * 86_400_000;
/** Enough to see the end of what is frozen now; a waiting run looks again anyway, and each look stands in its history. */
export const MOST_FREEZES = 20;

export function gateAt(
  nowMs: number,
  window: Window | null,
  freezes: readonly Freeze[],
  unreadable: readonly string[] = [],
): Gate {
  const cutoffAtMs = window === null ? Infinity : cutoffAt(window);
  if (window !== null && nowMs >= cutoffAtMs) return outside(window, `its ${pastWhat(window)} has passed`, null);
  const fromMs = Math.max(nowMs, window?.opensAtMs ?? nowMs);
  const readable = unreadable.length === 0;
  if (window !== null && nowMs < window.opensAtMs) {
    const thawsAtMs = thawAfter(fromMs, freezes);
    return outside(window, 'it has not opened yet', readable && thawsAtMs < cutoffAtMs ? thawsAtMs : null);
  }
  if (!readable) return frozen(`a calendar cannot be read, which counts as frozen: ${unreadable.join('; ')}`, null);
  const now = freezes.filter((freeze) => contains(freeze, nowMs));
  if (now.length === 0) return { open: true, closing: closingAfter(nowMs, window, freezes) };
  const thawsAtMs = thawAfter(nowMs, freezes);
  const names = now.map(describeFreeze);
  const ends = ` Nothing is begun before ${describeTime(thawsAtMs)}`;
  const late = thawsAtMs < cutoffAtMs ? '' : `, and the window ends before that (${describeWindow(window)})`;
  return frozen(`${names.join('; ')}.${ends}${late}`, late === '' ? thawsAtMs : null);
}

/** `null`: neither a cut-off nor a freeze comes, as far as the freezes reach. */
function closingAfter(nowMs: number, window: Window | null, freezes: readonly Freeze[]): Closing | null {
  const coming = freezes.map(({ fromMs }) => fromMs).filter((fromMs) => fromMs > nowMs);
  const atMs = Math.min(window === null ? Infinity : cutoffAt(window), ...coming);
  if (atMs === Infinity) return null;
  const then = gateAt(atMs, window, freezes);
  return then.open ? then.closing : { atMs, failure: then.failure, why: then.why };
}

/** From here on no new target is begun. */
export function cutoffAt({ opensAtMs, durationMs, cutoffMs }: Window): number {
  return opensAtMs + durationMs - cutoffMs;
}

/** `open 2026-12-01T01:00:00Z to 2026-12-01T03:00:00Z, nothing new after 2026-12-01T02:30:00Z` */
export function describeWindow(window: Window | null): string {
  if (window === null) return 'no window';
  const { opensAtMs, durationMs, cutoffMs } = window;
  const cutoff = cutoffMs === 0 ? '' : `, nothing new after ${describeTime(cutoffAt(window))}`;
  return `open ${describeTime(opensAtMs)} to ${describeTime(opensAtMs + durationMs)}${cutoff}`;
}

/** `prod-freeze "Year end" 2026-12-20T00:00:00Z to 2027-01-02T00:00:00Z` */
export function describeFreeze({ calendar, name, fromMs, toMs }: Freeze): string {
  return `${calendar} "${name}" ${describeTime(fromMs)} to ${describeTime(toMs)}`;
}

/** What a run waits for, when it looks again, and until when. */
export function describeWaiting({ why, looksAgainAtMs, givesUpAtMs }: WaitingForGate): string {
  return `${why}; looks again at ${describeTime(looksAgainAtMs)}, gives up at ${describeTime(givesUpAtMs)}`;
}

/** By beginning; what lies wholly within an earlier one tells nothing new. At most `MOST_FREEZES`. */
export function tellingFreezes(freezes: readonly Freeze[]): Freeze[] {
  const sorted = [...freezes].sort((left, right) => left.fromMs - right.fromMs || right.toMs - left.toMs);
  const kept: Freeze[] = [];
  let untilMs = -Infinity;
  for (const freeze of sorted) {
    if (kept.length === MOST_FREEZES) break;
    if (freeze.toMs <= untilMs) continue;
    untilMs = freeze.toMs;
    kept.push({ ...freeze, name: shortened(freeze.name, LONGEST_FREEZE_NAME_BYTES) });
  }
  return kept;
}

function contains({ fromMs, toMs }: Freeze, atMs: number): boolean {
  return fromMs <= atMs && atMs < toMs;
}

/** The first moment from `atMs` on that lies in no freeze: freezes that touch or overlap count as one. */
function thawAfter(atMs: number, freezes: readonly Freeze[]): number {
  const sorted = [...freezes].sort((left, right) => left.fromMs - right.fromMs);
  let thawsAtMs = atMs;
  for (const freeze of sorted) if (contains(freeze, thawsAtMs)) thawsAtMs = freeze.toMs;
  return thawsAtMs;
}

function outside(window: Window, what: string, opensAtMs: number | null): ClosedGate {
  return {
    open: false,
    failure: 'OutsideWindow',
    why: `The maintenance window is ${describeWindow(window)}: ${what}`,
    opensAtMs,
  };
}

function pastWhat({ cutoffMs }: Window): string {
  return cutoffMs === 0 ? 'end' : 'cut-off';
}

function frozen(why: string, opensAtMs: number | null): ClosedGate {
  return {
    open: false,
    failure: 'ChangeFreeze',
    why: shortened(`Changes are frozen: ${why}`, LONGEST_GATE_REASON_BYTES),
    opensAtMs,
  };
}
