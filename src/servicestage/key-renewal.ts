/**
 * When temporary access keys are renewed, and what is done if that fails while the old ones still work. Pure: facts
 * and times in, a decision out; times are epoch milliseconds by our clock.
 *
 * Source: Elastic Cloud Server, "Obtaining Metadata", Security Key: keys are good for an hour; the metadata service
 * has new ones 10 minutes before, and meanwhile both work.
 */

/** A key, as far as its renewal needs it. */
interface KeyTimes {
  /** From when on a newer one is asked for. */
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

/** What is known about the keys of a process. */
export interface RenewalState {
  /** `null`: there is none, or the API refused it. */
  readonly key: KeyTimes | null;
  /** Failed tries since the last one that succeeded. */
  readonly failures: number;
  /** No try before. */
  readonly nextTryAtMs: number;
}

/** Before the first try. */
export const NO_KEY: RenewalState = { key: null, failures: 0, nextTryAtMs: 0 };

/**
 * - `use`: sign with the key;
 * - `renewBeside`: sign with it, and ask for a newer one meanwhile;
 * - `renewFirst`: ask first; if that fails, the key is still used as long as it lives;
 * - `refuse`: there is no key, and the last try was just now.
 */
export type RenewalStep = 'use' | 'renewBeside' | 'renewFirst' | 'refuse';

const MINUTE_MS = 60_000;
/** The first of our processes asks this long before the end. Chosen: the new keys have been there for two minutes. */
const EARLIEST_MS = 8 * MINUTE_MS;
/** Processes spread over this long, so that they do not ask all at once. Chosen. */
const SPREAD_MS = 4 * MINUTE_MS;
/** A request with a key that ends sooner might arrive too late, or where the clock is ahead. Chosen. */
const LAST_MS = 30_000;
/** The metadata service may answer with the key that we have. Chosen. */
const SOONEST_MS = 15_000;
/** Longer than documented: whatever a service claims, it is asked again after a day. */
const LONGEST_LIFE_MS = 24 * 60 * MINUTE_MS;
const FIRST_PAUSE_MS = 1_000;
/** Chosen: while a key works there is time. */
const LONGEST_PAUSE_MS = MINUTE_MS;
/** Chosen: while none works, a run is waiting. */
const LONGEST_PAUSE_WITHOUT_KEY_MS = 5_000;

/** What to do before a request is signed. */
export function renewalStep({ key, nextTryAtMs }: RenewalState, nowMs: number): RenewalStep {
  const mayTry = nowMs >= nextTryAtMs;
  if (key === null || nowMs >= key.expiresAtMs) return mayTry ? 'renewFirst' : 'refuse';
  if (!mayTry || nowMs < key.renewAtMs) return 'use';
  return nowMs < key.expiresAtMs - LAST_MS ? 'renewBeside' : 'renewFirst';
}

/** After the service gave a key. @param chance from 0 to 1, drawn by the caller */
export function afterRenewal(expiresAtMs: number, nowMs: number, chance: number): RenewalState {
  const endMs = Math.min(expiresAtMs, nowMs + LONGEST_LIFE_MS);
  const leadMs = Math.min(EARLIEST_MS - chance * SPREAD_MS, (endMs - nowMs) / 2);
  const key = { expiresAtMs: endMs, renewAtMs: Math.max(endMs - leadMs, nowMs + SOONEST_MS) };
  return { key, failures: 0, nextTryAtMs: nowMs };
}

/** After a try that failed. @param chance from 0 to 1, drawn by the caller */
export function afterFailure(state: RenewalState, nowMs: number, chance: number): RenewalState {
  const failures = state.failures + 1;
  const hasKey = state.key !== null && nowMs < state.key.expiresAtMs;
  const longestMs = hasKey ? LONGEST_PAUSE_MS : LONGEST_PAUSE_WITHOUT_KEY_MS;
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10), longestMs);
  return { ...state, failures, nextTryAtMs: nowMs + pauseMs * (0.5 + chance / 2) };
}

/** After the API refused the key: it counts no longer, and a new one is asked for at once. */
export function afterRefusal(state: RenewalState): RenewalState {
  return { ...state, key: null, nextTryAtMs: 0 };
}
