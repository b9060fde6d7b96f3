/**
 * `npm run model:mutations`: breaks the product on purpose, one rule at a time, and shows that the model finds each mutation. `-- --help`
 * lists the options.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { Mutation } from '../chaos/mutation.js';
import { MUTATIONS } from '../chaos/mutations.js';
import { firstBroken, withMutatedModel, type Found } from './mutated-model.js';

/** What was found when, a line for each mutation. */
const RECORD = new URL('mutations-found.txt', import.meta.url);

/** If a mutation survives this many interleavings, that is a finding too. */
const MOST_INTERLEAVINGS = 200_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

const program = new Command('model:mutations')
  .argument('[names...]', 'only these mutations')
  .option('--most <n>', 'interleavings for each', whole, MOST_INTERLEAVINGS)
  .option('--write', 'record the results in test/model/mutations-found.txt')
  .action(async (names: string[], { most, write = false }: { most: number; write?: boolean }) => {
    const lines = new Map<string, string>();
    process.exitCode = (await checkMutations(chosen(names), most, lines)) ? 0 : 1;
    if (write) await record(lines);
  });

/** Replaces the lines of these mutations; the others stay. */
async function record(lines: ReadonlyMap<string, string>): Promise<void> {
  const before = (await readFile(RECORD, 'utf8').catch(() => '')).split('\n');
  const all = new Map(before.map((line) => [line.split(':')[0] ?? '', line]));
  const text = MUTATIONS.map(({ name }) => lines.get(name) ?? all.get(name) ?? `${name}: not played yet`);
  await writeFile(RECORD, `${text.join('\n')}\n`);
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number.');
  return value;
}

function chosen(names: readonly string[]): readonly Mutation[] {
  const unknown = names.filter((name) => MUTATIONS.every((mutation) => mutation.name !== name));
  if (unknown.length > 0) program.error(`There is no mutation ${unknown.join(', ')}`);
  return MUTATIONS.filter(({ name }) => names.length === 0 || names.includes(name));
}

/**
 * @param lines receives the result of each
 * @returns true if each mutation was found, except those known to break nothing, and the product kept its promises in the interleaving that
 * shows it
 */
async function checkMutations(
  mutations: readonly Mutation[],
  most: number,
  lines: Map<string, string>,
): Promise<boolean> {
  const wrong: string[] = [];
  const ownSeeds = new Set<number>();
  const onOwn = ({ seed, promise, what }: Found) => {
    if (!ownSeeds.has(seed)) say(`  the product itself breaks ${promise} by seed ${seed}: ${what}`);
    ownSeeds.add(seed);
  };
  for (const mutation of mutations) {
    const { name, model } = mutation;
    const { aim = {} } = model;
    const found = await withMutatedModel(mutation, (mutant) => firstBroken(mutant, { most, aim, onOwn }));
    if ((found === null) !== (model.kind === 'harmless')) wrong.push(name);
    const line = `${name}: ${described(found, mutation, most)}`;
    lines.set(name, line);
    say(line);
  }
  say(
    `${mutations.length - wrong.length} of ${mutations.length} as expected${wrong.length === 0 ? '' : `; not: ${wrong.join(', ')}`}`,
  );
  say(`the product itself broke a promise in ${ownSeeds.size} of their interleavings`);
  return wrong.length === 0 && ownSeeds.size === 0;
}

const NOT_FOUND: Readonly<Record<Mutation['model']['kind'], string>> = {
  found: 'SURVIVED',
  harmless: 'breaks nothing, as expected, in',
};

function described(found: Found | null, { breaks, model }: Mutation, most: number): string {
  if (found === null) return `${NOT_FOUND[model.kind]} ${most} interleavings`;
  const { played, seed, promise, what } = found;
  const count = played === seed ? `interleaving ${seed}` : `interleaving ${played} of its kind (seed ${seed})`;
  const unexpected = model.kind === 'harmless' ? ', though it should break nothing' : '';
  return `found by ${count}${unexpected}: ${promise}${promise === breaks ? '' : ` (instead of ${breaks})`}: ${what}`;
}

await program.parseAsync();
