/** Maintenance windows and change freezes: is the gate open at a given moment, why not, and when could it open? Pure; times are epoch milliseconds. */
import { shortened } from '../text/json-bytes.js';
import { LONGEST_FREEZE_NAME_BYTES, LONGEST_GATE_REASON_BYTES } from '../sizes.js';
import { describeDuration } from '../time/duration.js';
import { describeTime } from '../time/utc-time.js';

/** A change freeze of a calendar. It lasts from `fromMs` to just before `toMs`. */
export interface Freeze {
  readonly calendar: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A maintenance window. New targets are started from `opensAtMs` until `cutoffMs` before the window ends. */
export interface Window {
  readonly opensAtMs: number;
  readonly durationMs: number;
  readonly cutoffMs: number;
  /** Targets are started even if their steps do not fit before its end. Absent: they must fit. */
  readonly fit?: false;
}

/** How long the steps of a target take, as far as that is known. Milliseconds. */
export interface TimeNeeded {
  readonly ms: number;
  /** The smallest and the largest number of cloud jobs that a step's figure comes from; `null`: only waits and verification are known. */
  readonly jobs: { readonly least: number; readonly most: number } | null;
}

/** A window for one target. With `needed`, the target is started only if its steps fit before the end. */
export interface TargetWindow extends Window {
  readonly needed?: TimeNeeded | null;
}

/** What was read of the calendars. A calendar that cannot be read counts as frozen; `unreadable` has one line for each, with the reason. */
export interface ReadFreezes {
  readonly freezes: readonly Freeze[];
  readonly unreadable: readonly string[];
}

/** No target is started now. */
export interface ClosedGate {
  readonly open: false;
  readonly failure: 'OutsideWindow' | 'ChangeFreeze';
  readonly why: string;
  /** The earliest moment at which it could open, as far as is known now; `null` if that is never, or unknown. */
  readonly opensAtMs: number | null;
}

const GATE_FAILURES: readonly string[] = ['OutsideWindow', 'ChangeFreeze'] satisfies ClosedGate['failure'][];

/** Does the failure say that a gate was closed? @param name of a failure record; `undefined` if there is none */
export function isGateFailure(name: string | undefined): name is ClosedGate['failure'] {
  return name !== undefined && GATE_FAILURES.includes(name);
}

/** When an open gate closes, and the failure from then on, as far as was known when the gate was checked. */
export interface Closing extends Pick<ClosedGate, 'failure' | 'why'> {
  readonly atMs: number;
}

/** `closing` is `null` if the gate stays open as far as is known. */
export type Gate = { readonly open: true; readonly closing: Closing | null } | ClosedGate;

/** Why a run waits, when it checks the gate again, and when it gives up. */
export interface WaitingForGate {
  readonly why: string;
  readonly looksAgainAtMs: number;
  readonly givesUpAtMs: number;
}

/** The longest `waitAtMost`: each check adds to the run's history. Chosen. */
export const LONGEST_WAIT_MS = 7 * 86_400_000;
/** What to do where `waitAtMost` is longer. */
export const LONGEST_WAIT_REMEDY = 'Wait at most 7d, or start the run later';
/** A waiting run checks again at least this often, since a freeze may be lifted early. Chosen. */
export const CHECK_AGAIN_MS = 10 * 60_000;
/** How far ahead calendars are read: far enough to say when a freeze ends, even where several follow each other. Chosen. */
export const FREEZES_AHEAD_MS = 31 * 86_400_000;
/** How many freezes of all calendars together are kept, since each check adds them to the run's history. Enough to see the end of the present one. Chosen. */
export const MOST_FREEZES = 20;

/**
 * Is the gate open at `nowMs`? A window that is over or not yet open is named before a freeze.
 *
 * @param window `null`: none, so that only freezes count
 * @param unreadable why calendars cannot be read; the gate is closed where there is one
 */
export function gateAt(
  nowMs: number,
  window: TargetWindow | null,
  freezes: readonly Freeze[],
  unreadable: readonly string[] = [],
): Gate {
  const closesAtMs = window === null ? Infinity : closesAt(window);
  if (window !== null && (nowMs >= closesAtMs || neverFits(window)))
    return outside(window, whyTooLate(window, nowMs), null);
  const fromMs = Math.max(nowMs, window?.opensAtMs ?? nowMs);
  const readable = unreadable.length === 0;
  if (window !== null && nowMs < window.opensAtMs) {
    const thawsAtMs = thawAfter(fromMs, freezes);
    return outside(window, 'it has not opened yet', readable && thawsAtMs < closesAtMs ? thawsAtMs : null);
  }
  if (!readable) return frozen(`a calendar cannot be read, which counts as frozen: ${unreadable.join('; ')}`, null);
  const now = freezes.filter((freeze) => contains(freeze, nowMs));
  if (now.length === 0) return { open: true, closing: closingAfter(nowMs, window, freezes) };
  const thawsAtMs = thawAfter(nowMs, freezes);
  const names = now.map(describeFreeze);
  const ends = ` No target is started before ${describeTime(thawsAtMs)}`;
  const late = thawsAtMs < closesAtMs ? '' : `, and ${lateFor(window, thawsAtMs)} (${describeWindow(window)})`;
  return frozen(`${names.join('; ')}.${ends}${late}`, late === '' ? thawsAtMs : null);
}

/** @returns `null` if neither a cut-off nor one of the freezes is still ahead */
function closingAfter(nowMs: number, window: TargetWindow | null, freezes: readonly Freeze[]): Closing | null {
  const coming = freezes.map(({ fromMs }) => fromMs).filter((fromMs) => fromMs > nowMs);
  const atMs = Math.min(window === null ? Infinity : closesAt(window), ...coming);
  if (atMs === Infinity) return null;
  const then = gateAt(atMs, window, freezes);
  return then.open ? then.closing : { atMs, failure: then.failure, why: then.why };
}

/** The moment from which no new target is started, whatever its steps take. */
export function cutoffAt({ opensAtMs, durationMs, cutoffMs }: Window): number {
  return opensAtMs + durationMs - cutoffMs;
}

/** The moment from which this target is not started: the cut-off, or when its steps no longer fit, whichever is earlier. */
export function closesAt(window: TargetWindow): number {
  return Math.min(cutoffAt(window), endsAt(window) - (window.needed?.ms ?? 0));
}

/** `its steps take up to 12m (nine in ten, from 41 cloud jobs)` */
export function describeNeeded({ ms, jobs }: TimeNeeded): string {
  if (jobs === null) return `its steps take at least ${describeDuration(ms)} (waits and verification alone)`;
  const { least, most } = jobs;
  const counts = least === most ? `${most} cloud jobs` : `${least} to ${most} cloud jobs for each step`;
  return `its steps take up to ${describeDuration(ms)} (nine in ten, from ${counts})`;
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

/** Why a run waits, when it checks again, and when it gives up, on one line. */
export function describeWaiting({ why, looksAgainAtMs, givesUpAtMs }: WaitingForGate): string {
  return `${why}; checks again at ${describeTime(looksAgainAtMs)}, gives up at ${describeTime(givesUpAtMs)}`;
}

/** At most `MOST_FREEZES`, by their beginning. A freeze that lies within an earlier one is left out, since it changes nothing. */
export function relevantFreezes(freezes: readonly Freeze[]): Freeze[] {
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

/** The first moment from `atMs` on that lies in no freeze. Freezes that touch or overlap count as one. */
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

function endsAt({ opensAtMs, durationMs }: Window): number {
  return opensAtMs + durationMs;
}

/** The steps take as long as the whole window, or longer. */
function neverFits({ durationMs, needed }: TargetWindow): boolean {
  return needed !== undefined && needed !== null && needed.ms >= durationMs;
}

/** Why a target is not started in a window that is too short for it, or at a moment after `closesAt`. */
function whyTooLate(window: TargetWindow, nowMs: number): string {
  const { durationMs, cutoffMs, needed } = window;
  if (nowMs >= cutoffAt(window) || !needed) return `its ${cutoffMs === 0 ? 'end' : 'cut-off'} has passed`;
  const what = `the target is not begun, because ${describeNeeded(needed)}`;
  if (neverFits(window)) return `${what} and the whole window is ${describeDuration(durationMs)}`;
  const leftMs = endsAt(window) - nowMs;
  // At `closesAt` itself, which an open gate names as its closing, the time left is the time needed.
  const left = leftMs === needed.ms ? '' : ` and the window ends in ${describeDuration(leftMs)}`;
  return `${what}${left}: they had to begin before ${describeTime(closesAt(window))}`;
}

function lateFor(window: TargetWindow | null, atMs: number): string {
  return window !== null && atMs < cutoffAt(window) && window.needed
    ? `then the target no longer fits into the window: ${describeNeeded(window.needed)}`
    : 'the window ends before that';
}

function frozen(why: string, opensAtMs: number | null): ClosedGate {
  return {
    open: false,
    failure: 'ChangeFreeze',
    why: shortened(`Changes are frozen: ${why}`, LONGEST_GATE_REASON_BYTES),
    opensAtMs,
  };
}
