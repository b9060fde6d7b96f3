/** Plays seeds one after another and checks each from outside; seeds share an arena as long as the next one can use it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Arena } from './arena.js';
import type { Violation } from './evidence.js';
import { violations } from './invariants.js';
import { makeSchedule, WORKERS } from './make-schedule.js';
import type { PlotName } from './plots.js';
import { runSchedule } from './run-schedule.js';
import { totalsOf, type Totals } from './totals.js';

/** The databases of server and simulator grow, so after this many seeds both start empty. */
const SEEDS_PER_ARENA = 20;

export interface PlayOptions {
  readonly seeds: Iterable<number>;
  /** Only storms of these plots; default: drawn from all. */
  readonly aim?: readonly PlotName[];
  /** The compiled product: ours, or a mutant's. */
  readonly dist: string;
  readonly say: (line: string) => void;
}

export interface PlayedSeed {
  readonly seed: number;
  readonly aim: readonly PlotName[];
  readonly violations: readonly Violation[];
  readonly totals: Totals;
  readonly durationMs: number;
  /** A folder for the evidence as JSON; written only if a promise did not hold. */
  readonly evidenceFile: string | null;
}

export async function* playSeeds({ seeds, aim = [], dist, say }: PlayOptions): AsyncGenerator<PlayedSeed, void> {
  let arena: Arena | undefined;
  let played = 0;
  try {
    for (const seed of seeds) {
      const schedule = makeSchedule(seed, aim);
      const { withCodec } = schedule;
      if (arena !== undefined && (arena.withCodec !== withCodec || played % SEEDS_PER_ARENA === 0)) {
        await arena.close();
        arena = undefined;
      }
      arena ??= await Arena.open({ workers: WORKERS, withCodec, dist, say });
      played++;
      const startedAtMs = Date.now();
      const evidence = await runSchedule(arena, schedule);
      const found = violations(evidence);
      yield {
        seed,
        aim,
        violations: found,
        totals: totalsOf(evidence, found.length),
        durationMs: Date.now() - startedAtMs,
        evidenceFile: found.length === 0 ? null : await keep(seed, evidence),
      };
    }
  } finally {
    await arena?.close();
  }
}

async function keep(seed: number, evidence: unknown): Promise<string> {
  const folder = join(tmpdir(), 'runbooks-chaos-evidence');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `seed-${seed}-${process.pid}.json`);
  await writeFile(file, JSON.stringify(evidence, null, 1));
  return file;
}

/** The output of a failure: each broken promise, the path of the evidence, and the command that plays the seed again. */
export function describeFailure({ seed, aim, violations: found, evidenceFile }: PlayedSeed): string {
  const plots = aim.length === 0 ? '' : ` --plots ${aim.join(' ')}`;
  return [
    `seed ${seed}: ${found.length} violations`,
    ...found.map(({ promise, scene, what }) => `  ${promise} (${scene}): ${what}`),
    `  evidence: ${evidenceFile ?? 'none'}`,
    `  again: npm run chaos -- --seed ${seed}${plots}`,
  ].join('\n');
}
