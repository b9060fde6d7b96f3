/** Plays one scenario in virtual time against a machine, and checks what happened against the promises. */
import * as product from '../../src/domain/once/next.js';
import type { Closing } from '../../src/domain/gates/gates.js';
import { Dice } from '../chaos/dice.js';
import { disrupt } from './disruptions.js';
import { GroundTruth, type Counts, type HolderRecord } from './ground-truth.js';
import { Cloud } from './cloud.js';
import { drawScenario } from './draw-scenario.js';
import { Execution, inheritedClearAtMs, type Past } from './execution.js';
import { brokenPromises, type Broken } from './invariants.js';
import { drawnPolls } from './polls.js';
import { Mishaps } from './mishaps.js';
import type { Disruption, PlannedRun, Scenario } from './scenario.js';
import { Server } from './server.js';
import { SteeredRun } from './steered-run.js';
import type { Transcript } from './transcript.js';
import { BEGIN_MS, VirtualTime } from './virtual-time.js';
import type { Machine, World } from './world.js';

/** Longer than any interleaving that ends. Chosen: three runs of three steps, each undone, each settled at its limit. */
const LONGEST_MS = 6 * 3_600_000;
const MOST_EVENTS = 40_000;

/** The result of an interleaving. */
export interface Played {
  readonly broken: readonly Broken[];
  readonly counts: Counts;
  readonly events: number;
}

/** Plays the interleaving of a seed. @param machine a broken one, in tests of the model itself */
export function playOne(seed: number, machine: Machine = product): Played & { readonly scenario: Scenario } {
  const scenario = drawScenario(seed);
  return { ...playScenario(scenario, machine), scenario };
}

/** @param transcript collects the lines, if not `null` */
export function playScenario(
  scenario: Scenario,
  machine: Machine = product,
  transcript: Transcript | null = null,
): Played {
  return new Stage(scenario, machine, transcript).play();
}

/** All parts of one interleaving, connected. */
export class Stage {
  readonly world: World;
  readonly executions: Execution[] = [];
  #steering: SteeredRun | null = null;
  /** The run above waits on. */
  #isResetting = false;
  #nextRun = 0;

  /** @param own replaces the dice and the mishaps of the scenario, and the random times of polls */
  constructor(
    scenario: Scenario,
    machine: Machine,
    transcript: Transcript | null,
    own: Partial<Pick<World, 'dice' | 'mishaps' | 'polls'>> = {},
  ) {
    const time = new VirtualTime();
    const world = (): World => this.world;
    const dice = own.dice ?? new Dice(scenario.noise);
    const parts = { scenario, machine, time, dice, truth: new GroundTruth(), polls: own.polls ?? drawnPolls(dice) };
    const log = (who: string, what: () => string) => {
      transcript?.add(time.nowMs, who, what());
    };
    const mishaps =
      own.mishaps ??
      new Mishaps(scenario, (delayMs, disruption) => time.after(delayMs, () => this.#disrupt(disruption)));
    this.world = { ...parts, mishaps, log } as World;
    Object.assign(this.world, { cloud: new Cloud(world), server: new Server(world) });
  }

  play(): Played {
    const { time, truth } = this.world;
    this.#startRun();
    let hasEnded = false;
    try {
      hasEnded = time.runAll(MOST_EVENTS, BEGIN_MS + LONGEST_MS);
    } catch (error) {
      truth.breaches.push(error instanceof Error ? `throws: ${error.message}` : String(error));
    }
    countEnds(truth);
    return { broken: brokenPromises(this.world, hasEnded), counts: truth.counts, events: time.events };
  }

  get holder(): Execution | null {
    return this.executions.at(-1) ?? null;
  }

  /** Opens a new execution of the same run, with a part of the open one's history. */
  reset(keep: number, rescheduled: boolean): void {
    const old = this.holder;
    if (old === null || !old.isOpen) return;
    const past = old.past(keep, rescheduled);
    this.#isResetting = true;
    old.close();
    this.#isResetting = false;
    this.#open(old.run, old.holder.chainId, past);
  }

  #disrupt(disruption: Disruption): void {
    const { truth, mishaps, log } = this.world;
    truth.count(`disruption ${disruption.kind}`);
    log('disruption', () => JSON.stringify(disruption));
    disrupt(this, disruption);
    mishaps.passed('disruption');
  }

  #startRun(): void {
    const { scenario, time, mishaps } = this.world;
    const plan = scenario.runs[this.#nextRun];
    if (plan === undefined || this.holder?.isOpen === true) return;
    this.#nextRun++;
    const { nowMs } = time;
    const run = {
      plan,
      limits: scenario.limits,
      usualDurationMs: scenario.cloud.usualDurationMs,
      deadlineAtMs: nowMs + plan.deadlineMs,
      closing: closingOf(plan, nowMs),
      clearAtMs: inheritedClearAtMs(this.holder, nowMs),
    };
    mishaps.passed('runBegins');
    this.#steering = plan.commands === undefined ? null : new SteeredRun(this.world, plan.commands, () => this.holder);
    this.#open(run, `R${this.executions.length + 1}`, { recorded: [], scheduledAtMs: null, pending: null });
  }

  #open(run: Execution['run'], chainId: string, past: Past): void {
    const { time, truth } = this.world;
    const holder: HolderRecord = {
      runId: `R${this.executions.length + 1}`,
      chainId,
      plan: run.plan,
      startedAtMs: time.nowMs,
      closedAtMs: null,
      status: 'RUNNING',
      cancelRequestedAtMs: null,
      readInRunId: null,
      decisions: [],
      report: null,
      leftAs: null,
    };
    truth.holders.push(holder);
    this.#steering?.begins(chainId);
    const execution = new Execution(this.world, holder, run, past, () => this.#closed(), this.#steering);
    this.executions.push(execution);
  }

  #closed(): void {
    const { scenario, time } = this.world;
    if (!this.#isResetting) this.#steering?.ends();
    const next = scenario.runs[this.#nextRun];
    if (next !== undefined) time.after(next.startsAfterMs, () => this.#startRun());
  }
}

/** Counts how each execution ended. */
function countEnds(truth: GroundTruth): void {
  for (const { report } of truth.holders) {
    if (report === null) continue;
    truth.count(`run ${report.outcome}`);
    for (const { result, trail, evidence } of [...report.steps, ...report.compensations]) {
      truth.count(`step ${result}`);
      if (evidence !== undefined || trail.some(({ decision }) => decision === 'adopted')) truth.count('adopted');
    }
    for (const _undo of report.compensations) truth.count('undos');
  }
}

function closingOf({ closesAfterMs }: PlannedRun, nowMs: number): Closing | null {
  return closesAfterMs === undefined
    ? null
    : { atMs: nowMs + closesAfterMs, failure: 'OutsideWindow', why: 'the window has closed' };
}
