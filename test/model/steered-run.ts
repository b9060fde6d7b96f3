/**
 * The run above the lease with an operator, as in `src/workflows/run-steering.ts` and `target-steering.ts`: the product's own rules decide what
 * is accepted and what follows, and messages between run and target take their time.
 */
import type { ApprovalFacts } from '../../src/domain/contract.js';
import type { RunCommandName, TargetCommandName } from '../../src/domain/steering/command-names.js';
import type { CommandArguments } from '../../src/domain/steering/commands.js';
import {
  afterRunCommand,
  afterRunEvent,
  checkRunCommand,
  isHeld,
  NOT_STEERED,
  type RunSteering,
} from '../../src/domain/steering/run-steering.js';
import {
  afterTargetCommand,
  afterTargetEvent,
  checkTargetCommand,
  NOT_BLOCKED,
  type TargetSteering,
} from '../../src/domain/steering/target-steering.js';
import { ApprovingRun } from './approving-run.js';
import type { Execution } from './execution.js';
import type { Pause } from './ground-truth.js';
import type { OperatorMove, PlannedRun, RunCommand } from './scenario.js';
import { TARGET } from './step-flow.js';
import type { World } from './world.js';

/** How long the answer of a target takes to its run. */
const ANSWER_MS = 200;

/** One run, whatever executions of its target a reset makes. */
export class SteeredRun {
  readonly approvals: ApprovingRun;
  #run: RunSteering = NOT_STEERED;
  #target: TargetSteering = NOT_BLOCKED;
  /** The newest order that the target has received. */
  #order = 0;
  /** Continues the step that waits while the run is paused. */
  #wake: (() => void) | null = null;
  #pause: Pause | null = null;
  #chainId = '';
  #decisions = 0;
  /** Keys of accepted commands. */
  readonly #accepted = new Set<string>();
  /** While its newest order holds it. */
  #hold: Pause | null = null;
  /** Repeats a decision when a step is blocked again. */
  #againAtNextBlock: (() => void) | null = null;
  /** The target has been asked to stop. */
  #isAborted = false;
  /** A step waits for an approval. */
  #isAsking = false;
  /** Commands that come once people are asked. */
  readonly #planned: (() => void)[] = [];
  /** Begins the target, once the run is not paused. */
  #begin: ((isFree: boolean) => void) | null = null;

  constructor(
    private readonly world: World,
    { commands = [], votes = [] }: Pick<PlannedRun, 'commands' | 'votes'>,
    facts: ApprovalFacts,
    private readonly execution: () => Execution | null,
  ) {
    this.approvals = new ApprovingRun(world, facts, votes, {
      log: () => this.#run.log,
      setLog: (log) => void (this.#run = { ...this.#run, log }),
      isStopping: () => this.#run.stage === 'ending',
    });
    for (const [index, planned] of commands.entries())
      if (planned.since === undefined) this.#plan(planned, index);
      else this.#planned.push(() => this.#plan(planned, index));
    this.approvals.onAsk = () => this.#planned.splice(0).forEach((plan) => plan());
  }

  #plan({ command, afterMs, againAfterMs, passedOnMs }: RunCommand, index: number): void {
    const given = { actor: 'ann', reason: 'r', key: `k${index}` };
    const give = () => this.#command(command, given, passedOnMs);
    this.world.time.after(afterMs, give);
    if (againAfterMs !== null) this.world.time.after(afterMs + againAfterMs, give);
  }

  /** The target is about to begin. @param proceed called at once, or when the run is no longer paused; with false if it was aborted */
  whenFree(proceed: (isFree: boolean) => void): void {
    if (isHeld(this.#run)) this.#begin = proceed;
    else proceed(this.#run.stage !== 'ending');
  }

  /** An execution of the target opens. A reset delivers orders and an abort of before again. */
  begins(chainId: string): void {
    this.#wake = null;
    this.#isAsking = false;
    this.#target = { ...NOT_BLOCKED, paused: this.#target.paused };
    if (this.#isAborted) this.world.time.after(1, () => this.execution()?.cancel());
    if (this.#chainId !== chainId) this.#follow(afterRunEvent(this.#run, { kind: 'targetBegins' }));
    this.#chainId = chainId;
  }

  /** The target has ended, and with it the run. */
  ends(): void {
    this.#wake = null;
    this.approvals.targetEnds();
    this.#follow(afterRunEvent(this.#run, { kind: 'cancelled' }));
  }

  /** A step is about to begin. @param proceed called at once, or when the run is no longer paused */
  atEdge(proceed: () => void): void {
    this.#target = afterTargetEvent(this.#target, { kind: 'unblocked' });
    if (!this.#target.paused) return proceed();
    this.#wake = proceed;
    this.#rests();
  }

  /** A step waits for a decision, so nothing is in flight. */
  blocked(step: string): void {
    this.#target = afterTargetEvent(this.#target, { kind: 'unblocked' });
    this.#target = afterTargetEvent(this.#target, { kind: 'blocked', step });
    this.#wake = () => {};
    this.world.truth.blocks.push({ step, atMs: this.world.time.nowMs });
    this.#againAtNextBlock?.();
    if (this.#target.paused) this.#rests();
  }

  /** A step waits for an approval, so nothing is in flight. */
  asks(): void {
    this.#isAsking = true;
    this.#wake = () => {};
    if (this.#target.paused) this.#rests();
  }

  /** It waits no longer. */
  answered(): void {
    this.#isAsking = false;
    this.#wake = null;
  }

  /** @param move its command `null`: no one decides in time @returns false if it is refused, or the time does not pass */
  decides({ command, beside, againAfterMs }: OperatorMove, step: string): boolean {
    if (command === null) return this.#givesUp();
    const given = { actor: 'bob', reason: 'r', key: `d${this.#decisions}` };
    if (checkTargetCommand(this.#target, command, given, TARGET.path) !== null) return false;
    this.#decisions++;
    this.#wake = null;
    const { state } = afterTargetCommand(this.#target, command, given, this.world.time.nowMs);
    this.#target = state;
    this.#decidesOnce(command, given, step);
    if (beside !== undefined) this.#decidesBeside(beside, step);
    const again = () => this.#decidesAgain(command, given);
    if (againAfterMs === 'atNextBlock') this.#againAtNextBlock = again;
    else if (againAfterMs !== undefined) this.world.time.after(againAfterMs, again);
    return true;
  }

  #givesUp(): boolean {
    if (this.#target.paused) return false;
    // What follows is not a rest: a pause that is ordered now waits for the next edge.
    this.#wake = null;
    this.#target = afterTargetEvent(this.#target, { kind: 'unblocked' });
    return true;
  }

  #decidesBeside(command: TargetCommandName, step: string): void {
    const given = { actor: 'ann', reason: 'r', key: 'beside' };
    const refusal = checkTargetCommand(this.#target, command, given, TARGET.path);
    if (refusal !== null) return this.world.truth.count(`${command} refused`);
    this.world.truth.miscounted.push(`${command} of ${step} is accepted beside another decision`);
    this.#target = afterTargetCommand(this.#target, command, given, this.world.time.nowMs).state;
  }

  #decidesAgain(command: TargetCommandName, given: CommandArguments): void {
    const { truth, time } = this.world;
    const before = this.#target;
    this.#againAtNextBlock = null;
    truth.count(`${command} repeated`);
    if (checkTargetCommand(before, command, given, TARGET.path) !== null)
      return void truth.miscounted.push(`${command} with the key of before is refused`);
    const { state, answer } = afterTargetCommand(before, command, given, time.nowMs);
    if (!answer.repeated || state.decision !== before.decision || state.stage !== before.stage)
      truth.miscounted.push(`${command} with the key of before decides again`);
    this.#target = state;
  }

  /** A decision that comes twice, and one beside another, must change nothing. */
  #decidesOnce(command: TargetCommandName, given: CommandArguments, step: string): void {
    const { miscounted } = this.world.truth;
    const before = this.#target;
    const other = command === 'retryStep' ? 'skipStep' : 'retryStep';
    if (checkTargetCommand(before, other, { ...given, key: 'other' }, TARGET.path) === null)
      miscounted.push(`${other} of ${step} is accepted beside ${command}`);
    const { state, answer } = afterTargetCommand(before, command, given, this.world.time.nowMs);
    if (checkTargetCommand(before, command, given, TARGET.path) !== null || !answer.repeated)
      miscounted.push(`${command} with the key of before is not answered as the first`);
    if (state.decision !== before.decision || state.stage !== before.stage)
      miscounted.push(`${command} of ${step} counts twice`);
    this.#target = state;
  }

  #command(command: RunCommandName, given: CommandArguments, passedOnMs: number): void {
    const { time, truth, log } = this.world;
    const before = this.#run;
    const refusal = checkRunCommand(before, command, given);
    log('operator', () => `${command}: ${refusal?.why ?? 'accepted'}`);
    if (refusal !== null) return truth.count(`${command} refused`);
    const { state, answer } = afterRunCommand(before, command, given, time.nowMs);
    const isRepeat = this.#accepted.has(given.key ?? '');
    if (answer.repeated !== isRepeat)
      truth.miscounted.push(`${command} with the key of before is not answered as the first`);
    this.#accepted.add(given.key ?? '');
    if (answer.repeated) {
      truth.count(`${command} repeated`);
      if (state.stage !== before.stage || state.order !== before.order || state.target !== before.target)
        truth.miscounted.push(`${command} with the key of before changes the run`);
      this.#run = state;
      return;
    }
    truth.count(`${command} accepted`);
    this.#follow(state);
    if (command === 'abort') this.approvals.stops();
    const begin = this.#begin;
    if (begin !== null && !isHeld(state)) {
      this.#begin = null;
      return begin(command !== 'abort');
    }
    if (command === 'abort') return time.after(passedOnMs, () => this.#abort());
    // There is no target yet that it could be passed on to.
    if (state.target === 'none') return;
    const { order } = state;
    const paused = isHeld(state);
    time.after(passedOnMs, () => this.#receive(order, paused));
  }

  #abort(): void {
    this.#isAborted = true;
    this.execution()?.cancel();
  }

  #receive(order: number, paused: boolean): void {
    if (order < this.#order) return;
    this.#order = order;
    this.#holds(paused);
    this.#target = afterTargetEvent(this.#target, { kind: paused ? 'paused' : 'resumed' });
    const wake = this.#wake;
    if (wake === null) return;
    if (paused) return this.#rests();
    if (this.#target.stage !== 'blocked' && !this.#isAsking) this.#wake = null;
    wake();
  }

  #holds(paused: boolean): void {
    const { truth, time } = this.world;
    if (this.#hold !== null) this.#hold.untilMs = Math.min(this.#hold.untilMs, time.nowMs);
    if (!paused) return;
    this.#hold = { chainId: this.#chainId, fromMs: time.nowMs, untilMs: Infinity };
    truth.holds.push(this.#hold);
  }

  #rests(): void {
    const order = this.#order;
    this.world.time.after(this.world.dice.whole(1, ANSWER_MS), () =>
      this.#follow(afterRunEvent(this.#run, { kind: 'targetRests', order })),
    );
  }

  #follow(state: RunSteering): void {
    const { truth, time } = this.world;
    const wasPaused = this.#run.stage === 'paused';
    this.#run = state;
    if (wasPaused && state.stage !== 'paused' && this.#pause !== null) this.#pause.untilMs = time.nowMs;
    if (wasPaused || state.stage !== 'paused') return;
    truth.count('paused');
    this.#pause = { chainId: this.#chainId, fromMs: time.nowMs, untilMs: Infinity };
    truth.pauses.push(this.#pause);
  }
}
