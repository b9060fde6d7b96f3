/** The model with one rule taken out: a copy of the sources and of the model, in which the texts of a mutation are replaced. The tree itself is only read. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { filesOf, mutated } from '../chaos/build-mutant.js';
import type { Aim, Mutation } from '../chaos/mutation.js';
import type { PlotName } from './draw-plots.js';
import { drawScenario, plotOf } from './draw-scenario.js';
import type { Broken } from './invariants.js';
import type * as Play from './play.js';
import * as product from './play.js';
import type { Scenario } from './scenario.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What the model is made of. */
const COPIED = ['src', 'test/model', 'test/chaos', 'package.json'];

type Player = Pick<typeof Play, 'playScenario'>;

/** The mutation's edits of the product, and where the model has the same rule itself, of the model. */
export function inModel(mutation: Mutation): Mutation {
  return { ...mutation, edits: [...mutation.edits, ...(mutation.model.edits ?? [])] };
}

/** @param use gets the mutated model, whose files are gone after it */
export async function withMutatedModel<Result>(
  mutation: Mutation,
  use: (player: Player) => Result | Promise<Result>,
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
    return await use((await import(/* @vite-ignore */ href)) as typeof Play);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface Found extends Broken {
  /** How many interleavings it took. */
  readonly played: number;
  /** The one that showed it. */
  readonly seed: number;
}

export interface Search {
  /** Interleavings; those that `aim` passes over do not count. */
  readonly most: number;
  readonly aim?: Aim;
  /** Called for an interleaving that breaks a promise without the mutation, too: it shows nothing of the mutation. */
  readonly onOwn?: (found: Found) => void;
}

/** Plays seeds 1, 2, … until the mutant breaks a promise that the product keeps. */
export function firstBroken(mutant: Player, { most, aim = {}, onOwn }: Search): Found | null {
  for (let seed = 1, played = 0; played < most; seed++) {
    if (!isAmong(aim, plotOf(seed))) continue;
    const drawn = drawScenario(seed);
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

/** Rules between machine and interpreter do not count: a mutation that only makes the two disagree says nothing of the promises. */
function broken(player: Player, scenario: Scenario, aim: Aim): Broken | null {
  const played = tried(() =>
    player.playScenario(aim.isBeyondTheWindow === true ? beyondTheWindow(scenario) : scenario),
  );
  const isAsked = ({ promise }: Broken) =>
    aim.isBeyondTheWindow === true ? promise === 'once' : promise !== 'contract';
  return played?.broken.find(isAsked) ?? null;
}

/** A mutant may lead the model into what it does not have. */
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

function fits({ sites = [], blows = [], runs = 1 }: Aim, scenario: Scenario): boolean {
  return (
    scenario.runs.length >= runs &&
    sites.every((site) => scenario.faults.some((fault) => fault.site === site)) &&
    blows.every((kind) => scenario.blows.some(({ blow }) => blow.kind === kind))
  );
}

/** Chosen: three times as late is later than any wait for one window, and than that for a reset. */
const TIMES_LATER = 3;

function beyondTheWindow(scenario: Scenario): Scenario {
  const faults = scenario.faults.map((fault) =>
    fault.what.kind === 'lags' ? { ...fault, what: { ...fault.what, idMs: TIMES_LATER * fault.what.idMs } } : fault,
  );
  return { ...scenario, faults };
}
