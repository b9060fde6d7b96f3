/** Cloud jobs in virtual time, followed as the worker follows them, and the least lateness that any polls could have. */
import type { Durations, JobKind } from '../../../../src/domain/durations/durations.js';
import { at, type Law } from '../../../../src/domain/durations/law.js';
import { afterLawMs } from '../../../../src/domain/durations/learned.js';
import { expected, nextPollMs, planPolls, type PollPlan } from '../../../../src/domain/durations/polls.js';
import { plainPollMs } from '../../../../src/domain/durations/plain-rule.js';

/** A distribution of durations: the duration that a share of the jobs stays below, in milliseconds. */
export type TrueLaw = (share: number) => number;

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Quantile of the standard normal distribution, by Newton steps on the series of its integral. */
function normal(share: number): number {
  if (share > 0.5) return -normal(1 - share);
  let low = -8;
  let high = 0;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
/** Zelen and Severo, Abramowitz and Stegun 26.2.17: error below 1e-7. */
function normalBelow(x: number): number {
  if (x > 0) return 1 - normalBelow(-x);
  const t = 1 / (1 - 0.231_641_9 * x);
  const series =
    t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  return (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

const constant =
  (ms: number): TrueLaw =>
  () =>
    ms;
export const uniform =
  (ms: number, spread: number): TrueLaw =>
  (share) =>
    ms * (1 - spread + 2 * spread * share);
export const lognormal =
  (medianMs: number, sigma: number): TrueLaw =>
  (share) =>
    medianMs * Math.exp(sigma * normal(Math.min(Math.max(share, 1e-7), 1 - 1e-7)));
/** A share of the jobs fails fast. */
export const bimodal =
  (fastShare: number, fast: TrueLaw, slow: TrueLaw): TrueLaw =>
  (share) =>
    share < fastShare ? fast(share / fastShare) : slow((share - fastShare) / (1 - fastShare));

export interface Followed {
  readonly durationMs: number;
  readonly polls: number;
  readonly latenessMs: number;
}

export interface Setting {
  readonly durations: Durations;
  readonly kind?: JobKind;
  /** From sending a poll to its answer; the job is seen as it is then. */
  readonly callMs?: number;
  /** Whether jobs say who they are, so that they take turns. */
  readonly named?: boolean;
}

interface Follower {
  readonly id: string;
  readonly durationMs: number;
  polls: number;
  lastRunningAtMs: number | null;
  wakeMs: number;
  answerAtMs: number | null;
}

export const KIND: JobKind = { action: 'restart', componentId: 'c1' };
/** Jobs so far of each worker: ids decide whose turn it is, so that they must be the same in each run. */
const jobsOf = new WeakMap<Durations, number>();

/** Follows jobs that all begin at once, as the worker does: sleeps, asks again when it wakes or the version grew, polls. */
export function follow(jobs: readonly number[], setting: Setting): Followed[] {
  const { durations, kind = KIND, callMs = 0, named = true } = setting;
  const first = jobsOf.get(durations) ?? 0;
  jobsOf.set(durations, first + jobs.length);
  const followers = jobs.map((durationMs, index): Follower => {
    return { id: `job-${first + index}`, durationMs, polls: 0, lastRunningAtMs: null, wakeMs: 0, answerAtMs: null };
  });
  const done: Followed[] = [];
  const ask = (follower: Follower, nowMs: number) =>
    durations.nextPollAtMs(kind, {
      polls: follower.polls,
      followedForMs: nowMs,
      ageMs: nowMs,
      lastRunningAtMs: follower.lastRunningAtMs,
      ...(named ? { cloudJobId: follower.id } : {}),
    });
  const left = new Set(followers);
  let version = durations.version(kind);
  while (left.size > 0) {
    let next: Follower | undefined;
    for (const follower of left) if (next === undefined || dueMs(follower) < dueMs(next)) next = follower;
    if (next === undefined) break;
    const nowMs = dueMs(next);
    if (next.answerAtMs === null) {
      const againMs = ask(next, nowMs);
      if (againMs > nowMs) next.wakeMs = againMs;
      else {
        next.polls++;
        next.answerAtMs = nowMs + callMs;
      }
      continue;
    }
    next.answerAtMs = null;
    if (nowMs < next.durationMs) {
      next.lastRunningAtMs = nowMs;
      durations.running(kind, next.id, nowMs);
      next.wakeMs = ask(next, nowMs);
    } else {
      durations.ended(kind, next.id, { runningAtMs: next.lastRunningAtMs ?? 0, endedByMs: nowMs });
      left.delete(next);
      done.push({ durationMs: next.durationMs, polls: next.polls, latenessMs: nowMs - next.durationMs });
    }
    if (durations.version(kind) === version) continue;
    version = durations.version(kind);
    for (const sleeper of left) if (sleeper.answerAtMs === null) sleeper.wakeMs = ask(sleeper, nowMs);
  }
  return done;
}

const dueMs = ({ answerAtMs, wakeMs }: Follower) => answerAtMs ?? wakeMs;

/** Follows one job after the other. */
export function followInTurn(durationsMs: readonly number[], setting: Setting): Followed[] {
  return durationsMs.flatMap((durationMs) => follow([durationMs], setting));
}

export interface Summary {
  readonly polls: number;
  readonly latenessMs: number;
  /** Median of lateness / duration. */
  readonly latenessShareP50: number;
}

export function summary(followed: readonly Followed[]): Summary {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const shares = followed.map(({ latenessMs, durationMs }) => latenessMs / durationMs).toSorted((a, b) => a - b);
  return {
    polls: mean(followed.map(({ polls }) => polls)),
    latenessMs: mean(followed.map(({ latenessMs }) => latenessMs)),
    latenessShareP50: shares[Math.floor(shares.length / 2)] ?? 0,
  };
}

/** The law in fine cells. `shares` cells of equal probability, ends beyond the outermost thousandths included in them. */
export function fineLaw(law: TrueLaw, cells = 400): Law {
  const shares = Array.from({ length: cells + 1 }, (_, cell) => cell / cells);
  const ages = shares.map((share) => law(Math.min(Math.max(share, 0.25 / cells), 1 - 0.25 / cells)));
  return {
    agesMs: Float64Array.from([0, ...ages]),
    endedBy: Float64Array.from([0, ...shares]),
    knownMs: ages.at(-1) ?? 0,
  };
}

/** Prices that are tried for the floor: neighbours differ by a sixth, which moves the bound by less than a hundredth. */
const PRICES = 60;

/**
 * The least expected lateness that any polls with at most `polls` expected polls per job can have, in milliseconds, if the
 * law is known. For each price p the best polls cost C(p) = lateness + p * polls, and nothing costs less. So lateness is at
 * least C(p) - p * polls for every p, and the largest of these bounds is the floor. Lateness is compared at the same number of polls, not
 * the product polls * lateness by itself: that goes to zero with infinitely many polls (n polls make it fall like 1/n
 * at a spread, and faster where polls are aimed), so its least value has no meaning.
 */
export function floorMs(law: Law, polls: number): number {
  const spanMs = at(law.agesMs, law.agesMs.length - 1);
  let best = 0;
  for (let step = 0; step <= PRICES; step++) {
    const priceMs = spanMs * 10 ** (-3.5 + (step / PRICES) * 4);
    const plan = planPolls(law, priceMs);
    const { polls: needed, latenessMs } = expected(plan);
    best = Math.max(best, latenessMs + priceMs * (needed - polls));
  }
  return best;
}

/** The same job under the plain rule. */
export function plain(durationMs: number, callMs = 0): Followed {
  let polls = 0;
  let sentMs = plainPollMs(0);
  for (;;) {
    polls++;
    const answerMs = sentMs + callMs;
    if (answerMs >= durationMs) return { durationMs, polls, latenessMs: answerMs - durationMs };
    sentMs = Math.max(answerMs, plainPollMs(polls));
  }
}

/** One job under fixed knowledge: nothing is learned from it. */
function followUnlearned(durations: Durations, durationMs: number, cloudJobId: string): Followed {
  let lastRunningAtMs: number | null = null;
  let ageMs = 0;
  for (let polls = 0; ; polls++) {
    ageMs = durations.nextPollAtMs(KIND, { polls, followedForMs: ageMs, ageMs, lastRunningAtMs, cloudJobId });
    if (ageMs >= durationMs) {
      durations.dropped(KIND, cloudJobId);
      return { durationMs, polls: polls + 1, latenessMs: ageMs - durationMs };
    }
    lastRunningAtMs = ageMs;
  }
}

/** One job under a plan whose law is the true one. */
export function followPlanned(plan: PollPlan, durationMs: number): Followed {
  let ageMs = 0;
  for (let polls = 0; ; polls++) {
    if (polls > 0 && ageMs >= durationMs) return { durationMs, polls, latenessMs: ageMs - durationMs };
    ageMs = nextPollMs(plan, ageMs) ?? afterLawMs(ageMs);
  }
}

/** Durations spread evenly over a law: less noise than a sample. */
export const evenly = (law: TrueLaw, jobs: number) => Array.from({ length: jobs }, (_, job) => law((job + 0.5) / jobs));

/** Durations drawn from a law. */
export const drawn = (law: TrueLaw, jobs: number, random: () => number) =>
  Array.from({ length: jobs }, () => law(random()));

/** The laws that are simulated, with a median near `ms`. */
export function lawsAround(ms: number): Readonly<Record<string, TrueLaw>> {
  return {
    constant: constant(ms),
    'uniform ±10 %': uniform(ms, 0.1),
    'lognormal 0.1': lognormal(ms, 0.1),
    'lognormal 0.3': lognormal(ms, 0.3),
    '10 % fail fast': bimodal(0.1, lognormal(ms * 0.05, 0.2), lognormal(ms, 0.1)),
    'heavy tail (0.8)': lognormal(ms, 0.8),
  };
}

/** Followed jobs of `seeds` workers that each learned `learned` jobs, one after the other, from nothing. */
export function afterLearning(law: TrueLaw, learned: number, seeds: number, newDurations: () => Durations): Followed[] {
  return Array.from({ length: seeds }, (_, seed) => {
    const durations = newDurations();
    followInTurn(drawn(law, learned, seeded(77 * (seed + 1))), { durations });
    return evenly(law, 80).map((durationMs, job) => followUnlearned(durations, durationMs, `x${(job * 7) % 80}`));
  }).flat();
}
