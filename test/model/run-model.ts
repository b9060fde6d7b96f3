/**
 * `npm run model -- --count 1000000 --seed 1`: plays random interleavings on all cores. The first that breaks a promise is shrunk and printed.
 * With `--people`: with approvals, checks and runs that resume one another.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawAttended } from './attended.js';
import { describeFailure } from './describe-failure.js';
import { addUp, playSeeds, type Tally } from './play-seeds.js';

/** The interval between two checks whether a promise was broken. */
const SEEDS_AT_ONCE = 50_000;

/** Most of what an interleaving makes is dead when it ends. With room for many of them, collecting it takes half as long. Megabytes. */
const YOUNG_HEAP = ['--min-semi-space-size=64', '--max-semi-space-size=64'];

interface Share {
  readonly from: number;
  readonly to: number;
  readonly stride: number;
  readonly people: boolean;
}

// Processes instead of threads, because tsx does not compile for threads.
if (process.send === undefined) process.exitCode = await main();
else process.once('message', (share: Share) => process.send?.(playShare(share)));

/** @returns the exit code */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      people: { type: 'boolean', default: false },
    },
  });
  const { people } = values;
  const [first, count] = [Number(values.seed), Number(values.count)];
  const beganAtMs = performance.now();
  let total = addUp([]);
  for (let from = first; from < first + count && total.broken.length === 0; from += SEEDS_AT_ONCE)
    total = addUp([total, await playOnAllCores(from, Math.min(from + SEEDS_AT_ONCE, first + count), people)]);
  console.log(described(total, performance.now() - beganAtMs));
  const [seed] = total.broken;
  if (seed === undefined) return 0;
  console.log(`\n${people ? describeFailure(seed, undefined, drawAttended, ' --people') : describeFailure(seed)}`);
  return 1;
}

function playShare({ from, to, stride, people }: Share): Tally {
  return playSeeds(from, to, stride, undefined, people ? drawAttended : undefined);
}

async function playOnAllCores(from: number, to: number, people: boolean): Promise<Tally> {
  const stride = Math.min(availableParallelism(), to - from);
  if (stride === 1) return playShare({ from, to, stride, people });
  const shares = Array.from({ length: stride }, (_item, index) => ({ from: from + index, to, stride, people }));
  return addUp(await Promise.all(shares.map(inProcess)));
}

async function inProcess(share: Share): Promise<Tally> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: [...process.execArgv, ...YOUNG_HEAP] });
  child.send(share);
  const [tally] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(failed)])) as [Tally];
  child.disconnect();
  return tally;
}

function failed(): never {
  throw new Error('A process of the model ended without a result');
}

function described({ played, events, counts, broken }: Tally, tookMs: number): string {
  const lines = Object.entries(counts)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([what, count]) => `${String(count).padStart(10)}  ${what}`);
  const rate = `${(tookMs / 1000).toFixed(1)} s, ${Math.round((tookMs * 1000) / Math.max(1, played))} µs each`;
  const verdict = broken.length === 0 ? 'every promise held' : `${broken.length} broke a promise`;
  return [...lines, `${played} interleavings of ${events} events in ${rate}: ${verdict}`].join('\n');
}
