/** The model with one rule taken out: a copy of the sources and of the model, in which the texts of a mutation are replaced. The tree itself is only read. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { filesOf, mutated } from '../chaos/build-mutant.js';
import type { Aim, Mutation } from '../chaos/mutation.js';
import { drawScenario } from './draw-scenario.js';
import type * as Play from './play.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What the model is made of. */
const COPIED = ['src', 'test/model', 'test/chaos', 'package.json'];

type PlayOne = typeof Play.playOne;

/** The mutation's edits of the product, and where the model has the same rule itself, of the model. */
export function inModel(mutation: Mutation): Mutation {
  const twins = mutation.model.kind === 'blind' ? [] : (mutation.model.edits ?? []);
  return { ...mutation, edits: [...mutation.edits, ...twins] };
}

/** @param use gets `playOne` of the mutated model, whose files are gone after it */
export async function withMutatedModel<Result>(
  mutation: Mutation,
  use: (playOne: PlayOne) => Result | Promise<Result>,
): Promise<Result> {
  const whole = inModel(mutation);
  const folder = await mkdtemp(join(tmpdir(), 'runbooks-mutated-model-'));
  try {
    for (const path of COPIED) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await cp(join(ROOT, path), join(folder, path), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const file of filesOf(whole)) {
      const path = join(folder, file);
      await writeFile(path, mutated(whole, file, await readFile(path, 'utf8')));
    }
    const { href } = pathToFileURL(join(folder, 'test/model/play.ts'));
    const { playOne } = (await import(/* @vite-ignore */ href)) as typeof Play;
    return await use(playOne);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface Found {
  /** How many interleavings it took. */
  readonly played: number;
  /** The one that showed it. */
  readonly seed: number;
  readonly promise: string;
  readonly what: string;
}

/**
 * Plays seeds 1, 2, … until a promise is broken. Rules between machine and interpreter do not count: a mutation that only makes the two disagree
 * says nothing of the promises.
 *
 * @param most interleavings; those that `aim` passes over do not count
 */
export function firstBroken(playOne: PlayOne, most: number, aim: Aim = {}): Found | null {
  for (let seed = 1, played = 0; played < most; seed++) {
    if (!fits(aim, seed)) continue;
    played++;
    const [first] = playOne(seed).broken.filter(({ promise }) => promise !== 'contract');
    if (first !== undefined) return { played, seed, ...first };
  }
  return null;
}

function fits({ sites = [], blows = [], runs = 1 }: Aim, seed: number): boolean {
  if (sites.length + blows.length === 0 && runs === 1) return true;
  const scenario = drawScenario(seed);
  return (
    scenario.runs.length >= runs &&
    sites.every((site) => scenario.faults.some((fault) => fault.site === site)) &&
    blows.every((kind) => scenario.blows.some(({ blow }) => blow.kind === kind))
  );
}
