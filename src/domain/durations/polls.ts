/**
 * Where to poll if the law of a duration is known: at the ages with the least expected lateness plus a price for each poll.
 * They are found backwards from the end (dynamic programming): what follows a poll that saw the job running depends only
 * on the age of that poll.
 */
import { at, cellAt, endedByAge, type Law } from './law.js';

/** The best polls for one law and one price. */
export interface PollPlan {
  readonly law: Law;
  /** What one poll costs, in milliseconds of lateness. */
  readonly priceMs: number;
  /** Per age of the law: index of the age of the best next poll after a poll there saw the job running; -1 at the last. */
  readonly next: Int32Array;
  /** Per age: expected cost after it, times the probability to get there, in milliseconds. */
  readonly costMs: Float64Array;
  /** Per age: probability-weighted mean of the ends up to it, in milliseconds. */
  readonly momentsMs: Float64Array;
}

/** What a plan is expected to need for one job. */
export interface Expected {
  readonly polls: number;
  readonly latenessMs: number;
}

/** How many polls a job needs that outlasts the law, as an estimate for its cost. `afterLawMs` places them. */
const POLLS_AFTER_LAW = 3;

/** The polls that cost least if one poll costs `priceMs`. */
export function planPolls(law: Law, priceMs: number): PollPlan {
  const size = law.agesMs.length;
  const momentsMs = moments(law);
  const costMs = new Float64Array(size);
  const next = new Int32Array(size).fill(-1);
  costMs[size - 1] = (1 - at(law.endedBy, size - 1)) * priceMs * POLLS_AFTER_LAW;
  for (let from = size - 2; from >= 0; from--) {
    const best = bestNext({ law, momentsMs, costMs, priceMs }, at(law.endedBy, from), at(momentsMs, from), from + 1);
    next[from] = best.index;
    costMs[from] = best.costMs;
  }
  return { law, priceMs, next, costMs, momentsMs };
}

/** The age of the next poll after one at `fromMs` saw the job running (0: none was made), or `null` beyond the law. */
export function nextPollMs(plan: PollPlan, fromMs: number): number | null {
  const { law, momentsMs } = plan;
  const cell = cellAt(law, fromMs);
  if (cell >= law.agesMs.length - 1) return null;
  const ended = endedByAge(law, fromMs);
  const cellFromMs = at(law.agesMs, cell);
  const moment = at(momentsMs, cell) + ((ended - at(law.endedBy, cell)) * (cellFromMs + fromMs)) / 2;
  return at(law.agesMs, bestNext(plan, ended, moment, cell + 1).index);
}

/** What the plan costs per job, from its POST on. */
export function expected({ law, next, momentsMs }: PollPlan): Expected {
  let polls = 0;
  let latenessMs = 0;
  for (let from = 0, to = next[0] ?? -1; to >= 0; from = to, to = next[to] ?? -1) {
    polls += 1 - at(law.endedBy, from);
    latenessMs += lateness(law, momentsMs, to, at(law.endedBy, from), at(momentsMs, from));
  }
  return { polls: polls + POLLS_AFTER_LAW * (1 - at(law.endedBy, law.endedBy.length - 1)), latenessMs };
}

/** Polls per job that ends at an age at which ends were seen. Other jobs are few, and what they need is a guess. */
function pollsWithinKnown({ law, next }: PollPlan): number {
  const known = endedByAge(law, law.knownMs);
  let polls = 0;
  for (let from = 0; from >= 0 && at(law.agesMs, from) < law.knownMs; from = next[from] ?? -1)
    polls += (known - at(law.endedBy, from)) / known;
  return polls;
}

/** The plan with the lowest price at which a job is expected to need at most `mostPolls`, and not below `leastPriceMs`. */
export function planWithin(law: Law, mostPolls: number, leastPriceMs: number): PollPlan {
  let low = leastPriceMs;
  let best = planPolls(law, low);
  if (pollsWithinKnown(best) <= mostPolls) return best;
  let high = Math.max(law.knownMs, 2 * low);
  best = planPolls(law, high);
  for (let halving = 0; halving < PRICE_HALVINGS; halving++) {
    const priceMs = Math.sqrt(low * high);
    const plan = planPolls(law, priceMs);
    if (pollsWithinKnown(plan) <= mostPolls) {
      best = plan;
      high = priceMs;
    } else low = priceMs;
  }
  return best;
}

/** Chosen: finds the price within about two per cent. */
const PRICE_HALVINGS = 8;

function moments({ agesMs, endedBy }: Law): Float64Array {
  const momentsMs = new Float64Array(agesMs.length);
  for (let index = 1; index < agesMs.length; index++) {
    const mass = at(endedBy, index) - at(endedBy, index - 1);
    momentsMs[index] = at(momentsMs, index - 1) + (mass * (at(agesMs, index) + at(agesMs, index - 1))) / 2;
  }
  return momentsMs;
}

/** Expected lateness of a poll the age `to` for the ends since the last poll, whose probability and moment up to it are given. */
const lateness = ({ agesMs, endedBy }: Law, momentsMs: Float64Array, to: number, ended: number, moment: number) =>
  at(agesMs, to) * (at(endedBy, to) - ended) - (at(momentsMs, to) - moment);

function bestNext(
  { law, momentsMs, costMs, priceMs }: Pick<PollPlan, 'law' | 'momentsMs' | 'costMs' | 'priceMs'>,
  ended: number,
  moment: number,
  first: number,
): { readonly index: number; readonly costMs: number } {
  let index = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let to = first; to < law.agesMs.length; to++) {
    const late = lateness(law, momentsMs, to, ended, moment);
    if (late >= least) break;
    const cost = late + at(costMs, to);
    if (cost < least) {
      least = cost;
      index = to;
    }
  }
  return { index, costMs: least + (1 - ended) * priceMs };
}
