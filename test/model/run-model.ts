/** `npm run model -- --count 1000000 --seed 1`: plays random interleavings on all cores. The first that breaks a promise is shrunk and printed. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
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
}

// Processes instead of threads, because tsx does not compile for threads.
if (process.send === undefined) process.exitCode = await main();
else process.once('message', ({ from, to, stride }: Share) => process.send?.(playSeeds(from, to, stride)));

/** @returns the exit code */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { count: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
  });
  const [first, count] = [Number(values.seed), Number(values.count)];
  const beganAtMs = performance.now();
  let total = addUp([]);
  for (let from = first; from < first + count && total.broken.length === 0; from += SEEDS_AT_ONCE)
    total = addUp([total, await playOnAllCores(from, Math.min(from + SEEDS_AT_ONCE, first + count))]);
  console.log(described(total, performance.now() - beganAtMs));
  const [seed] = total.broken;
  if (seed === undefined) return 0;
  console.log(`\n${describeFailure(seed)}`);
  return 1;
}

async function playOnAllCores(from: number, to: number): Promise<Tally> {
  const stride = Math.min(availableParallelism(), to - from);
  if (stride === 1) return playSeeds(from, to, 1);
  const shares = Array.from({ length: stride }, (_item, index) => ({ from: from + index, to, stride }));
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
