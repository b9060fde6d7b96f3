/** Plays one scenario in virtual time against a machine, and holds what happened against the promises. */
import * as product from '../../src/domain/once/next.js';
import type { Closing } from '../../src/domain/gates/gates.js';
import { Dice } from '../chaos/dice.js';
import { strike } from './blows.js';
import { Chronicle, type Counts, type HolderRecord } from './chronicle.js';
import { Cloud } from './cloud.js';
import { drawScenario } from './draw-scenario.js';
import { Execution, handedOn, type Past } from './execution.js';
import { brokenPromises, type Broken } from './invariants.js';
import { Mishaps } from './mishaps.js';
import type { Blow, PlannedRun, Scenario } from './scenario.js';
import { Server } from './server.js';
import type { Transcript } from './transcript.js';
import { BEGIN_MS, VirtualTime } from './virtual-time.js';
import type { Machine, World } from './world.js';

/** Longer than any interleaving takes that comes to an end. Chosen: three runs of three steps, each undone, each settled at its limit. */
const LONGEST_MS = 6 * 3_600_000;
const MOST_EVENTS = 40_000;

/** What an interleaving came to. */
export interface Played {
  readonly broken: readonly Broken[];
  readonly counts: Counts;
  readonly events: number;
}

/** One interleaving from its seed. `machine`: another one than the product's, to be found out. */
export function playOne(seed: number, machine: Machine = product): Played & { readonly scenario: Scenario } {
  const scenario = drawScenario(seed);
  return { ...playScenario(scenario, machine), scenario };
}

/** @param transcript where one is wanted */
export function playScenario(
  scenario: Scenario,
  machine: Machine = product,
  transcript: Transcript | null = null,
): Played {
  return new Stage(scenario, machine, transcript).play();
}

/** Everything of one interleaving, wired. */
export class Stage {
  readonly world: World;
  readonly executions: Execution[] = [];
  #nextRun = 0;

  /** @param own instead of what the scenario draws and counts */
  constructor(
    scenario: Scenario,
    machine: Machine,
    transcript: Transcript | null,
    own: Partial<Pick<World, 'dice' | 'mishaps'>> = {},
  ) {
    const time = new VirtualTime();
    const world = (): World => this.world;
    const parts = { scenario, machine, time, dice: own.dice ?? new Dice(scenario.noise), chronicle: new Chronicle() };
    const tell = (who: string, what: () => string) => {
      transcript?.add(time.nowMs, who, what());
    };
    const mishaps =
      own.mishaps ?? new Mishaps(scenario, (delayMs, blow) => time.after(delayMs, () => this.#strike(blow)));
    this.world = { ...parts, mishaps, tell } as World;
    Object.assign(this.world, { cloud: new Cloud(world), server: new Server(world) });
  }

  play(): Played {
    const { time, chronicle } = this.world;
    this.#startRun();
    let hasEnded = false;
    try {
      hasEnded = time.runAll(MOST_EVENTS, BEGIN_MS + LONGEST_MS);
    } catch (error) {
      chronicle.breaches.push(error instanceof Error ? `throws: ${error.message}` : String(error));
    }
    countEnds(chronicle);
    return { broken: brokenPromises(this.world, hasEnded), counts: chronicle.counts, events: time.events };
  }

  get holder(): Execution | null {
    return this.executions.at(-1) ?? null;
  }

  /** A new execution of the same run, with a part of the history of the one that is open. */
  reset(keep: number, rescheduled: boolean): void {
    const old = this.holder;
    if (old === null || !old.isOpen) return;
    const past = old.past(keep, rescheduled);
    old.close();
    this.#open(old.run, old.holder.chainId, past);
  }

  #strike(blow: Blow): void {
    const { chronicle, mishaps, tell } = this.world;
    chronicle.count(`blow ${blow.kind}`);
    tell('blow', () => JSON.stringify(blow));
    strike(this, blow);
    mishaps.passed('blow');
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
      clearAtMs: handedOn(this.holder, nowMs),
    };
    mishaps.passed('runBegins');
    this.#open(run, `R${this.executions.length + 1}`, { recorded: [], scheduledAtMs: null });
  }

  #open(run: Execution['run'], chainId: string, past: Past): void {
    const { time, chronicle } = this.world;
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
    chronicle.holders.push(holder);
    const execution = new Execution(this.world, holder, run, past, () => this.#closed());
    this.executions.push(execution);
  }

  #closed(): void {
    const { scenario, time } = this.world;
    const next = scenario.runs[this.#nextRun];
    if (next !== undefined) time.after(next.startsAfterMs, () => this.#startRun());
  }
}

/** How it ended, beside what happened on the way. */
function countEnds(chronicle: Chronicle): void {
  for (const { report } of chronicle.holders) {
    if (report === null) continue;
    chronicle.count(`run ${report.outcome}`);
    for (const { result, trail, evidence } of [...report.steps, ...report.compensations]) {
      chronicle.count(`step ${result}`);
      if (evidence !== undefined || trail.some(({ decision }) => decision === 'adopted')) chronicle.count('adopted');
    }
    for (const _undo of report.compensations) chronicle.count('undos');
  }
}

function closingOf({ closesAfterMs }: PlannedRun, nowMs: number): Closing | null {
  return closesAfterMs === undefined
    ? null
    : { atMs: nowMs + closesAfterMs, failure: 'OutsideWindow', why: 'the window has closed' };
}
