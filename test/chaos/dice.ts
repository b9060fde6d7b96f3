/** Seeded randomness: the same seed draws the same numbers. */
import { seededRandom } from '../../src/simulator/clock.js';

export class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    // Neighbouring seeds begin with neighbouring numbers, so the first few are skipped.
    this.#next = seededRandom(seed * 2_654_435_761);
    for (let thrown = 0; thrown < 8; thrown++) this.#next();
  }

  whole(from: number, to: number): number {
    return from + Math.floor(this.#next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  one<Item>(items: readonly Item[]): Item {
    const item = items[this.whole(0, items.length - 1)];
    if (item === undefined) throw new RangeError('There is nothing to choose from');
    return item;
  }

  times<Item>(count: number, make: () => Item): Item[] {
    const made: Item[] = [];
    for (let index = 0; index < count; index++) made.push(make());
    return made;
  }
}
