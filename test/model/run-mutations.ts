/** `npm run model:mutations`: breaks the product on purpose, one rule at a time, and shows that the model finds each. `-- --help` lists what it can do. */
import { Command, InvalidArgumentError } from 'commander';
import type { Mutation } from '../chaos/mutation.js';
import { MUTATIONS } from '../chaos/mutations.js';
import { firstBroken, withMutatedModel } from './mutated-model.js';
import { playOne } from './play.js';

/** A mutation that none of so many finds is a finding of its own. */
const MOST_INTERLEAVINGS = 200_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

const program = new Command('model:mutations')
  .argument('[names...]', 'these mutations alone')
  .option('--most <n>', 'interleavings of each', whole, MOST_INTERLEAVINGS)
  .action(async (names: string[], { most }: { most: number }) => {
    process.exitCode = (await checkMutations(chosen(names), most)) ? 0 : 1;
  });

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number.');
  return value;
}

function chosen(names: readonly string[]): readonly Mutation[] {
  const unknown = names.filter((name) => MUTATIONS.every((mutation) => mutation.name !== name));
  if (unknown.length > 0) program.error(`There is no mutation ${unknown.join(', ')}`);
  const played = MUTATIONS.filter(({ name }) => names.length === 0 || names.includes(name));
  for (const { name, model } of played) if (model.kind === 'blind') say(`${name}: left to the storms: ${model.why}`);
  return played.filter(({ model }) => model.kind !== 'blind');
}

/** @returns whether each was found, but for those that are known to break nothing, and the product held in as many interleavings */
async function checkMutations(mutations: readonly Mutation[], most: number): Promise<boolean> {
  let furthest = 0;
  const wrong: string[] = [];
  for (const mutation of mutations) {
    const { name, breaks, model } = mutation;
    const found = await withMutatedModel(mutation, (playMutant) => firstBroken(playMutant, most));
    furthest = Math.max(furthest, found?.seed ?? 0);
    const isExpected = (found === null) === (model.kind === 'harmless');
    if (!isExpected) wrong.push(name);
    say(
      found === null
        ? `${name}: ${isExpected ? 'breaks nothing, as expected,' : 'SURVIVED'} in ${most} interleavings`
        : `${name}: found in interleaving ${found.seed}${isExpected ? '' : ', though it should break nothing'}: ${found.promise}${found.promise === breaks ? '' : ` (instead of ${breaks})`}: ${found.what}`,
    );
  }
  say(`${mutations.length - wrong.length} of ${mutations.length} as expected${wrong.length === 0 ? '' : `; not: ${wrong.join(', ')}`}`);
  const broken = firstBroken(playOne, furthest);
  say(
    `the product itself: ${broken === null ? `holds in ${furthest} interleavings` : `interleaving ${broken.seed} BREAKS ${broken.promise}: ${broken.what}`}`,
  );
  return wrong.length === 0 && broken === null;
}

await program.parseAsync();
