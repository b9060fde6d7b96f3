/** The checker is itself checked: each mutation of the product must be found within its number of seeds. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildMutant } from './build-mutant.js';
import { MUTATIONS, type Mutation } from './mutations.js';
import { playSeeds } from './play-seeds.js';

/** @returns whether every one was found; `names` chooses some */
export async function checkMutations(names: readonly string[] | null, say: (line: string) => void): Promise<boolean> {
  const unknown = names?.filter((name) => MUTATIONS.every((mutation) => mutation.name !== name)) ?? [];
  if (unknown.length > 0) {
    say(`There is no mutation ${unknown.join(', ')}. Known: ${MUTATIONS.map(({ name }) => name).join(', ')}`);
    return false;
  }
  const survived: string[] = [];
  const chosen = MUTATIONS.filter(({ name }) => names === null || names.includes(name));
  for (const mutation of chosen) if (!(await isFound(mutation, say))) survived.push(mutation.name);
  say(
    `${chosen.length - survived.length} of ${chosen.length} mutations found${survived.length === 0 ? '' : `; survived: ${survived.join(', ')}`}`,
  );
  return survived.length === 0;
}

async function isFound(mutation: Mutation, say: (line: string) => void): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'runbooks-mutant-'));
  try {
    const dist = await buildMutant(mutation, folder);
    const seeds = Array.from({ length: mutation.seeds }, (_item, index) => index + 1);
    let played = 0;
    for await (const { seed, violations } of playSeeds({ seeds, dist, say })) {
      played++;
      const [first] = violations;
      if (first === undefined) {
        say(`${mutation.name}: seed ${seed} shows nothing`);
        continue;
      }
      say(
        `${mutation.name}: found by seed ${seed}, the ${played}. of at most ${mutation.seeds}: ${first.promise}: ${first.what}`,
      );
      return true;
    }
    say(`${mutation.name}: SURVIVED ${mutation.seeds} seeds`);
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
