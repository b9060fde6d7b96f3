/**
 * The model without one rule: a copy of the sources and of the model, in which the texts of a mutation are replaced. The working tree is only
 * read.
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { filesOf, mutated } from '../chaos/build-mutant.js';
import type { Aim, Mutation } from '../chaos/mutation.js';
import type { PlotName } from './draw-plots.js';
import { drawScenario, plotOf } from './draw-scenario.js';
import type * as Exhaustive from './exhaustive.js';
import type { Broken } from './invariants.js';
import type * as Play from './play.js';
import * as product from './play.js';
import { drawAttended } from './attended.js';
import { drawSteered } from './steered.js';
import type { Scenario } from './scenario.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What the copy consists of. */
const COPIED = ['src', 'runbooks', 'test/model', 'test/chaos', 'package.json'];

type Player = Pick<typeof Play, 'playScenario'>;

/** The mutation's edits of the product, and of the model if that has the same rule itself. */
export function inModel(mutation: Mutation): Mutation {
  return { ...mutation, edits: [...mutation.edits, ...(mutation.model.edits ?? [])] };
}

/** @param use gets the mutated model, whose files are deleted afterwards */
export function withMutatedModel<Result>(
  mutation: Mutation,
  use: (player: Player) => Result | Promise<Result>,
): Promise<Result> {
  return withMutated(mutation, 'play.ts', (module) => use(module as Player));
}

/** @param use gets the exhaustive suite over the mutated product, whose files are deleted afterwards */
export function withMutatedSuite<Result>(
  mutation: Mutation,
  use: (suite: typeof Exhaustive) => Result | Promise<Result>,
): Promise<Result> {
  return withMutated(mutation, 'exhaustive.ts', (module) => use(module as typeof Exhaustive));
}

async function withMutated<Result>(
  mutation: Mutation,
  entry: string,
  use: (module: unknown) => Result | Promise<Result>,
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
    const { href } = pathToFileURL(join(folder, 'test/model', entry));
    return await use(await import(/* @vite-ignore */ href));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface Found extends Broken {
  /** The number of interleavings that were played. */
  readonly played: number;
  /** The seed that broke the promise. */
  readonly seed: number;
}

export interface Search {
  /** The number of interleavings to play; those that `aim` skips do not count. */
  readonly most: number;
  readonly aim?: Aim;
  /** Called for an interleaving that breaks a promise without the mutation too, which proves nothing about the mutation. */
  readonly onOwn?: (found: Found) => void;
}

/** Plays seeds 1, 2, … until the mutant breaks a promise that the product keeps. */
export function firstBroken(mutant: Player, { most, aim = {}, onOwn }: Search): Found | null {
  for (let seed = 1, played = 0; played < most; seed++) {
    if (!isAmong(aim, plotOf(seed))) continue;
    const drawn = drawnFor(aim, seed);
    if (!fits(aim, drawn)) continue;
    played++;
    const found = broken(mutant, drawn, aim);
    if (found === null) continue;
    const own = broken(product, drawn, aim);
    if (own === null) return { ...found, seed, played };
    onOwn?.({ ...own, seed, played });
  }
  return null;
}

function drawnFor({ isAttended, isOperated }: Aim, seed: number): Scenario {
  if (isAttended === true) return drawAttended(seed);
  return isOperated === true ? drawSteered(seed) : drawScenario(seed);
}

/** The contract between machine and interpreter does not count: a mutation that only makes the two disagree shows nothing about the promises. */
function broken(player: Player, scenario: Scenario, aim: Aim): Broken | null {
  const played = tried(() =>
    player.playScenario(aim.isBeyondTheWindow === true ? beyondTheWindow(scenario) : scenario),
  );
  const isAsked = ({ promise }: Broken) =>
    aim.isBeyondTheWindow === true ? promise === 'once' : promise !== 'contract';
  return played?.broken.find(isAsked) ?? null;
}

/** A mutant may lead the model into a situation that it does not support. */
function tried(play: () => Play.Played): Play.Played | null {
  try {
    return play();
  } catch {
    return null;
  }
}

function isAmong({ plots }: Aim, plot: PlotName | null): boolean {
  return plots === undefined || (plot !== null && plots.includes(plot));
}

function fits({ sites = [], disruptions = [], runs = 1 }: Aim, scenario: Scenario): boolean {
  return (
    scenario.runs.length >= runs &&
    sites.every((site) => scenario.faults.some((fault) => fault.site === site)) &&
    disruptions.every((kind) => scenario.disruptions.some(({ disruption }) => disruption.kind === kind))
  );
}

/** Chosen: three times as late exceeds any wait for one window, including the wait after a reset. */
const TIMES_LATER = 3;

function beyondTheWindow(scenario: Scenario): Scenario {
  const faults = scenario.faults.map((fault) =>
    fault.what.kind === 'lags' ? { ...fault, what: { ...fault.what, idMs: TIMES_LATER * fault.what.idMs } } : fault,
  );
  return { ...scenario, faults };
}
