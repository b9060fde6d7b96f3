/** Plays one scenario in virtual time against a machine, and checks what happened against the promises. */
import * as product from '../../src/domain/once/next.js';
import type { ApprovalFacts } from '../../src/domain/contract.js';
import type { Closing } from '../../src/domain/gates/gates.js';
import { Dice } from '../chaos/dice.js';
import { REQUESTER } from './approving-run.js';
import { disrupt } from './disruptions.js';
import { GroundTruth, type Counts, type HolderRecord } from './ground-truth.js';
import { Cloud } from './cloud.js';
import { drawScenario } from './draw-scenario.js';
import { Execution } from './execution.js';
import { inheritedClearAtMs } from './inherited.js';
import type { Past } from './recorded.js';
import { brokenPromises, type Broken } from './invariants.js';
import { drawnPolls } from './polls.js';
import { Mishaps } from './mishaps.js';
import type { Disruption, PlannedRun, Scenario } from './scenario.js';
import { Server } from './server.js';
import { planLeft, resumedPlan } from './resumed-plan.js';
import { SteeredRun } from './steered-run.js';
import type { Transcript } from './transcript.js';
import { BEGIN_MS, VirtualTime } from './virtual-time.js';
import type { Machine, World } from './world.js';

/** Longer than any interleaving that ends. Chosen: three runs of three steps, each undone, each settled at its limit. */
const LONGEST_MS = 6 * 3_600_000;
const MOST_EVENTS = 40_000;
/** Who signs, where a vote has to be signed. */
const ISSUER = 'https://id.example.com';

/** Makes the scenario of a seed. */
export type Draw = (seed: number) => Scenario;

/** The result of an interleaving. */
export interface Played {
  readonly broken: readonly Broken[];
  readonly counts: Counts;
  readonly events: number;
}

/** Plays the interleaving of a seed. @param machine a broken one, in tests of the model itself @param draw makes its scenario */
export function playOne(
  seed: number,
  machine: Machine = product,
  draw: Draw = drawScenario,
): Played & { readonly scenario: Scenario } {
  const scenario = draw(seed);
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
  /** A run is planned or waits for an approval, and has no execution yet. */
  #isWaiting = false;
  /** Planned with the run before it, which resumes the same one. */
  #twin: { readonly of: string; readonly atMs: number; readonly plan: PlannedRun } | null = null;

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
    const { scenario, time } = this.world;
    const planned = scenario.runs[this.#nextRun];
    if (planned === undefined || this.holder?.isOpen === true || this.#isWaiting) return;
    this.#nextRun++;
    const { resumes } = planned;
    if (resumes === undefined) return this.#approve(planned);
    const plan = this.#resumed(planned);
    if (plan === null) return this.#closed();
    this.#isWaiting = true;
    time.after(resumes.plannedMs, () => {
      this.#isWaiting = false;
      this.#approve(plan);
    });
  }

  /** Plans what is left of the run that has closed. @returns `null` if it is refused */
  #resumed(planned: PlannedRun): PlannedRun | null {
    const { truth, log, scenario, time } = this.world;
    if (planned.resumes?.isTwin === true) {
      const twin = this.#twin;
      this.#twin = null;
      if (twin !== null) truth.resumes.push({ of: twin.of, planHash: this.#hash(), atMs: twin.atMs, refused: null });
      return twin?.plan ?? null;
    }
    const last = this.holder;
    if (last === null) return null;
    const left = resumedPlan(last, this.world);
    const of = last.run.facts.planHash;
    const atMs = time.nowMs;
    const refused = 'found' in left ? left.code : null;
    truth.count(refused === null ? 'resumed' : `resume refused: ${refused}`);
    log('resume', () => ('found' in left ? `${left.code}: ${left.found}` : left.steps.map(({ id }) => id).join(', ')));
    truth.resumes.push({ of, planHash: refused === null ? this.#hash() : null, atMs, refused });
    if ('found' in left) return null;
    const next = scenario.runs[this.#nextRun];
    if (next?.resumes?.isTwin === true) this.#twin = { of, atMs, plan: planLeft(last.run.plan, next, left) };
    return planLeft(last.run.plan, planned, left);
  }

  #hash(): string {
    return `plan-${this.#nextRun}`;
  }

  /** A run waits until it is approved, and while it is paused, before it takes the lease. */
  #approve(plan: PlannedRun): void {
    const { time } = this.world;
    const { nowMs } = time;
    const facts = {
      requestedBy: REQUESTER,
      planHash: this.#hash(),
      issuer: plan.isSigned === true ? ISSUER : null,
    };
    this.#steering = plan.commands === undefined ? null : new SteeredRun(this.world, plan, facts, () => this.holder);
    const open = () => {
      this.#isWaiting = false;
      this.#begin(plan, facts, time.nowMs - nowMs);
    };
    const { approval } = plan;
    if (approval === undefined || this.#steering === null) return open();
    const steering = this.#steering;
    this.#isWaiting = true;
    const end = () => {
      this.#isWaiting = false;
      this.#closed();
    };
    steering.approvals.ask(approval, (approved) =>
      approved ? steering.whenFree((isFree) => (isFree ? open() : end())) : end(),
    );
  }

  /** @param heldMs how long people were waited for */
  #begin(plan: PlannedRun, facts: ApprovalFacts, heldMs: number): void {
    const { scenario, time, mishaps } = this.world;
    const { nowMs } = time;
    const run = {
      plan,
      limits: scenario.limits,
      usualDurationMs: scenario.cloud.usualDurationMs,
      deadlineAtMs: nowMs - heldMs + plan.deadlineMs + heldMs,
      closing: closingOf(plan, nowMs),
      facts,
      clearAtMs: inheritedClearAtMs(this.holder, nowMs),
    };
    mishaps.passed('runBegins');
    this.#open(run, `R${this.executions.length + 1}`, { recorded: [], scheduledAtMs: null, pending: null });
  }

  #open(run: Execution['run'], chainId: string, past: Past): void {
    const { time, truth } = this.world;
    const holder: HolderRecord = {
      runId: `R${this.executions.length + 1}`,
      chainId,
      plan: run.plan,
      planHash: run.facts.planHash,
      deadlineAtMs: run.deadlineAtMs,
      startedAtMs: time.nowMs,
      closedAtMs: null,
      status: 'RUNNING',
      cancelRequestedAtMs: null,
      readInRunId: null,
      decisions: [],
      waits: [],
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
