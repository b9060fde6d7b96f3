/** `npm run chaos`: seeded storms against the real product, checked from outside. `-- --help` lists the options. */
import { appendFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { checkMutations } from './check-mutations.js';
import { exhaustive } from './exhaustive-standalone.js';
import { describeFailure, playSeeds, type PlayedSeed } from './play-seeds.js';
import { isPlotName, PLOT_NAMES, type PlotName } from './plots.js';
import { soak, type SoakOptions } from './soak.js';
import { add, NOTHING } from './totals.js';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const SOAK_MINUTES = 20;
const say = (line: string) => process.stderr.write(`${line}\n`);

interface Options {
  readonly seed?: number;
  readonly from: number;
  readonly seeds: number;
  readonly minutes?: number;
  readonly plots?: PlotName[];
  readonly totals?: string;
  readonly mutations?: true | string[];
  readonly exhaustive?: true;
  readonly write?: true;
  readonly soak?: true;
  readonly everything?: boolean;
  readonly runs?: number;
}

const program = new Command('chaos')
  .description(
    'Plays seeded schedules of crashes, lost answers, cuts and foreign actions, and checks the four promises from outside.',
  )
  .option('--seed <n>', 'play only this seed', whole)
  .option('--from <n>', 'first seed', whole, 1)
  .option('--seeds <n>', 'number of seeds', whole, 10)
  .option('--minutes <n>', `stop after this time; with --soak its duration, default ${SOAK_MINUTES}`, whole)
  .option('--plots <names...>', `only storms of these plots: ${PLOT_NAMES.join(', ')}`, plotNames)
  .option('--totals <file>', 'append the figures to this file, one JSON line')
  .option('--mutations [names...]', 'break the product on purpose, and show that each mutation is found')
  .option('--exhaustive', 'each fault at each request, once, without randomness; prints differences from the table')
  .option('--write', 'with --exhaustive: write the table')
  .option('--soak', 'parallel runs while workers are killed')
  .option(
    '--everything',
    'with --soak: metrics, traces, encryption, secrets from files, versions; keys change meanwhile',
  )
  .option('--runs <n>', 'with --soak: runs at once, default 200', whole)
  .action(async (options: Options) => {
    process.exitCode = await chosen(options);
  });

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number.');
  return value;
}

function plotNames(name: string, earlier: readonly PlotName[] = []): PlotName[] {
  if (!isPlotName(name)) throw new InvalidArgumentError(`Plots are ${PLOT_NAMES.join(', ')}.`);
  return [...earlier, name];
}

/** @returns the exit code: 0 if every promise held (with `--mutations`: if every mutation was found), else 1 */
async function chosen(options: Options): Promise<number> {
  if (options.mutations !== undefined)
    return (await checkMutations(options.mutations === true ? null : options.mutations, say)) ? 0 : 1;
  if (options.exhaustive === true) return (await exhaustive(options.write === true, say)) ? 0 : 1;
  if (options.soak === true) return (await soak(soakOptions(options))) ? 0 : 1;
  return playAll(options);
}

function soakOptions({ minutes = SOAK_MINUTES, runs, everything = false }: Options): SoakOptions {
  return { dist: DIST, minutes, sideBySide: runs, everything, say };
}

async function playAll({ seed, from, seeds, minutes, plots = [], totals: totalsFile }: Options): Promise<number> {
  const endsAtMs = Date.now() + (minutes ?? Infinity) * 60_000;
  const chosenSeeds = seed === undefined ? Array.from({ length: seeds }, (_item, index) => from + index) : [seed];
  let totals = NOTHING;
  let ended = true;
  try {
    for await (const played of playSeeds({ seeds: chosenSeeds, aim: plots, dist: DIST, say })) {
      totals = add(totals, played.totals);
      say(played.violations.length === 0 ? describeSeed(played) : describeFailure(played));
      if (Date.now() > endsAtMs) break;
    }
  } catch (error) {
    ended = false;
    const at = chosenSeeds[totals.seeds];
    say(`seed ${at} could not be played: ${String(error)}\n  again: npm run chaos -- --seed ${at}`);
  }
  const line = JSON.stringify(totals);
  process.stdout.write(`${line}\n`);
  if (totalsFile !== undefined) await appendFile(totalsFile, `${line}\n`);
  return ended && totals.violations === 0 ? 0 : 1;
}

function describeSeed({ seed, totals, durationMs }: PlayedSeed): string {
  const { runs, acceptedPosts, adoptions, indeterminates } = totals;
  return `seed ${seed}: held (${runs} runs, ${acceptedPosts} accepted POSTs, ${adoptions} adopted, ${indeterminates} indeterminate, ${Math.round(durationMs / 1_000)} s)`;
}

await program.parseAsync();
// Links to a stopped server and killed workers may leave handles that nothing waits for.
process.exit();
