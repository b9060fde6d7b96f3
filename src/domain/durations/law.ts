/** A law of durations: a distribution in cells, the questions it answers, and how one is made of overlapping pieces. */

/** A distribution whose probability is spread evenly within each cell between two neighbouring ages. */
export interface Law {
  /** Ascending, from 0, in milliseconds since the POST. */
  readonly agesMs: Float64Array;
  /** Probability of an end up to each age. What is missing to 1 at the last age lies beyond it. */
  readonly endedBy: Float64Array;
  /** Up to this age, in milliseconds, ends were seen; what is later is a guess. */
  readonly knownMs: number;
}

/** Probability that is spread evenly between two ages, in milliseconds. */
export interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
  readonly mass: number;
}

/** Cells that hold equal probability. Chosen: a poll misplaced by a hundredth of the jobs costs nothing that can be measured. */
const CELLS = 96;

/** The element at `index`. Outside of the array it is NaN, so that a mistake spreads and is noticed. */
export const at = (values: Float64Array, index: number): number => values[index] ?? Number.NaN;

/** Index of the last age that is not after `ageMs`. */
export function cellAt({ agesMs }: Law, ageMs: number): number {
  let low = 0;
  let high = agesMs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at(agesMs, middle) <= ageMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Probability of an end up to `ageMs`. */
export function endedByAge(law: Law, ageMs: number): number {
  const cell = cellAt(law, ageMs);
  const before = at(law.endedBy, cell);
  if (cell === law.agesMs.length - 1) return before;
  const fromMs = at(law.agesMs, cell);
  const share = (ageMs - fromMs) / (at(law.agesMs, cell + 1) - fromMs);
  return before + Math.max(0, share) * (at(law.endedBy, cell + 1) - before);
}

/** The age by which `share` of the jobs have ended, in milliseconds; the last age of the law if more are beyond it. */
export function quantileMs(law: Law, share: number): number {
  const last = law.agesMs.length - 1;
  let cell = 1;
  while (cell < last && at(law.endedBy, cell) < share) cell++;
  const before = at(law.endedBy, cell - 1);
  const mass = at(law.endedBy, cell) - before;
  const fromMs = at(law.agesMs, cell - 1);
  if (mass <= 0) return at(law.agesMs, cell);
  return fromMs + Math.min(1, Math.max(0, (share - before) / mass)) * (at(law.agesMs, cell) - fromMs);
}

/** The law that is the sum of the pieces, in cells of equal probability. Their masses need not add up to 1, the law's does. */
export function lawOf(pieces: readonly Piece[]): Law {
  const edges = pieces
    .flatMap(({ fromMs, toMs, mass }) => [
      { ageMs: fromMs, change: mass / (toMs - fromMs) },
      { ageMs: toMs, change: -mass / (toMs - fromMs) },
    ])
    .toSorted((left, right) => left.ageMs - right.ageMs);
  const agesMs = new Float64Array(edges.length);
  const endedBy = new Float64Array(edges.length);
  let density = 0;
  for (const [index, { ageMs, change }] of edges.entries()) {
    agesMs[index] = ageMs;
    if (index > 0) endedBy[index] = at(endedBy, index - 1) + Math.max(0, density) * (ageMs - at(agesMs, index - 1));
    density += change;
  }
  return inEqualCells(agesMs, endedBy);
}

function inEqualCells(agesMs: Float64Array, endedBy: Float64Array): Law {
  const total = at(endedBy, endedBy.length - 1);
  const firstMs = at(agesMs, 0);
  const lead = firstMs > 0 ? 1 : 0;
  const equal = {
    agesMs: new Float64Array(CELLS + 1 + lead),
    endedBy: new Float64Array(CELLS + 1 + lead),
    knownMs: at(agesMs, agesMs.length - 1),
  };
  equal.agesMs[lead] = firstMs;
  let index = 1;
  for (let cell = 1; cell <= CELLS; cell++) {
    const mass = (total * cell) / CELLS;
    while (index < agesMs.length - 1 && at(endedBy, index) < mass) index++;
    const before = at(endedBy, index - 1);
    const within = at(endedBy, index) - before;
    const fromMs = at(agesMs, index - 1);
    const share = within > 0 ? Math.min(1, (mass - before) / within) : 1;
    equal.agesMs[cell + lead] = fromMs + share * (at(agesMs, index) - fromMs);
    equal.endedBy[cell + lead] = cell / CELLS;
  }
  return equal;
}
