/** Checks the checker: it must find each mutation of the product within its number of seeds, and must find nothing in the product itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildMutant } from './build-mutant.js';
import type { Mutation, StormMutation } from './mutation.js';
import { MUTATIONS } from './mutations.js';
import { STEERING_MUTATIONS } from './mutations-of-steering.js';
import { playSeeds } from './play-seeds.js';
import type { PlotName } from './plots.js';

const PRODUCT = fileURLToPath(new URL('../../dist', import.meta.url));

/**
 * @param names chooses some mutations
 *
 * @returns true if every one was found and the product kept its promises on the same seeds
 */
export async function checkMutations(names: readonly string[] | null, say: (line: string) => void): Promise<boolean> {
  const all: readonly StormMutation[] = [...MUTATIONS.filter(isForStorms), ...STEERING_MUTATIONS];
  const known = all.map(({ name }) => name);
  const unknown = names?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) {
    say(`Storms play no mutation ${unknown.join(', ')}. Known: ${known.join(', ')}`);
    return false;
  }
  const chosen = all.filter(({ name }) => names === null || names.includes(name));
  const survived: string[] = [];
  const played = new Map<string, Played>();
  for (const mutation of chosen) {
    const seed = await foundBy(mutation, say);
    if (seed === null) survived.push(mutation.name);
    const { aim = [], seeds } = mutation.storms;
    const lastSeed = Math.max(played.get(aim.join())?.lastSeed ?? 0, seed ?? seeds);
    played.set(aim.join(), { aim, lastSeed });
  }
  say(
    `${chosen.length - survived.length} of ${chosen.length} mutations found${survived.length === 0 ? '' : `; survived: ${survived.join(', ')}`}`,
  );
  for (const storms of played.values()) if (!(await holds(storms, say))) return false;
  return survived.length === 0;
}

/** The others are left to the model: `npm run model:mutations`. */
function isForStorms(mutation: Mutation): mutation is Mutation & StormMutation {
  return mutation.storms !== undefined;
}

interface Played {
  readonly aim: readonly PlotName[];
  readonly lastSeed: number;
}

/** Seeds that reveal a mutant must reveal nothing in the product itself. */
async function holds({ aim, lastSeed }: Played, say: (line: string) => void): Promise<boolean> {
  for await (const { seed, violations } of playSeeds({ seeds: seedsUpTo(lastSeed), aim, dist: PRODUCT, say })) {
    const [first] = violations;
    say(
      `the product itself: ${['seed', seed, ...aim].join(' ')} ${first === undefined ? 'holds' : `BREAKS ${first.promise}: ${first.what}`}`,
    );
    if (first !== undefined) return false;
  }
  return true;
}

/** @returns the first seed that breaks the promise which the mutation breaks; `null` if none does */
async function foundBy(mutation: StormMutation, say: (line: string) => void): Promise<number | null> {
  const folder = await mkdtemp(join(tmpdir(), 'runbooks-mutant-'));
  try {
    const dist = await buildMutant(mutation, folder);
    const { aim = [], seeds: most } = mutation.storms;
    for await (const { seed, violations } of playSeeds({ seeds: seedsUpTo(most), aim, dist, say })) {
      const violation = violations.find(({ promise }) => promise === mutation.breaks);
      if (violation !== undefined) {
        say(`${mutation.name}: found by seed ${seed} of at most ${most}: ${violation.promise}: ${violation.what}`);
        return seed;
      }
      const other =
        violations[0] === undefined ? 'nothing' : `another promise: ${violations[0].promise}: ${violations[0].what}`;
      say(`${mutation.name}: seed ${seed} shows ${other}`);
    }
    say(`${mutation.name}: SURVIVED ${mutation.storms.seeds} seeds`);
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function seedsUpTo(last: number): number[] {
  return Array.from({ length: last }, (_item, index) => index + 1);
}
