/** Executions of the workflow that is the lease. Each holds a generator, its history, and what it waits for; a reset replays the history. */
import type { FirstReading } from '../../src/domain/contract.js';
import { FAILURES } from '../../src/domain/failures.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import type { OnceState } from '../../src/domain/once/state.js';
import type { Observation } from '../../src/domain/target/target.js';
import { AsidesOfExecution, type Wait } from './asides-of-execution.js';
import { newDecision, type DecisionRecord, type HolderRecord, type TargetOfRun } from './ground-truth.js';
import type { Activity, ActivityEnd } from './server.js';
import type { Answer, Ask, Context, RunArguments } from './flow.js';
import type { OperatorMove } from './scenario.js';
import type { SteeredRun } from './steered-run.js';
import { nameOf, requireSameAsk, type Past, type Recorded } from './recorded.js';
import { targetRun } from './target-run.js';
import type { World } from './world.js';

/** How long the instance is read before the run gives up. */
const OBSERVE_FOR_MS = 180_000;

/** Reason for doubt about a decision: no attempt finished its activity before schedule-to-close. */
export const NOT_IN_TIME = 'no attempt finished it in time';

/** Doubt of a decision whose end may be that of an older attempt. */
const TOO_LATE = 'its workflow received the end late';

/** Doubt of a decision that was made before a reset. */
const WAS_RESET = 'the workflow was reset';

const WAITS_FOR_PEOPLE: readonly Ask['kind'][] = ['edge', 'approval', 'proof'];

/** How soon an operator who was refused tries again. */
const TRIES_AGAIN_MS = 2_000;

/** Starts when it is constructed, with what a reset kept of the execution before. */
export class Execution {
  readonly #context: Context;
  readonly #flow: ReturnType<typeof targetRun>;
  readonly #recorded: Recorded[] = [];
  #ask: Ask | null = null;
  #askedAtMs = 0;
  readonly #asides: AsidesOfExecution;
  #turn = 0;
  activity: Activity | null = null;

  constructor(
    private readonly world: World,
    readonly holder: HolderRecord,
    readonly run: RunArguments,
    past: Past,
    private readonly onClose: (execution: Execution) => void,
    private readonly steering: SteeredRun | null,
  ) {
    this.#asides = new AsidesOfExecution(world, holder, steering);
    this.#context = { runId: holder.runId, originalRunId: holder.chainId, nowMs: world.time.nowMs, cancelled: false };
    this.#flow = targetRun(this.#context, run);
    let asked = this.#flow.next();
    for (const [index, recorded] of past.recorded.entries()) {
      const isLast = index === past.recorded.length - 1;
      // The task that handled the last result is repeated, unless what it scheduled is kept.
      this.#context.nowMs = isLast && past.scheduledAtMs === null ? world.time.nowMs : recorded.atMs;
      this.#context.cancelled = recorded.cancelled;
      requireSameAsk(recorded.asked, asked, recorded.cancelled);
      // Another reset finds the task that was repeated at this time.
      asked = this.#resume({ ...recorded, atMs: this.#context.nowMs });
    }
    if (past.pending !== null) requireSameAsk(past.pending, asked, false);
    if (this.#context.cancelled) holder.cancelRequestedAtMs = holder.startedAtMs;
    this.#go(asked, past.scheduledAtMs);
  }

  get isOpen(): boolean {
    return this.holder.closedAtMs === null;
  }

  /** What a reset keeps of this execution's history; the execution itself is then closed. */
  past(keep: number, rescheduled: boolean): Past {
    const keepsAll = keep >= this.#recorded.length;
    const recorded = this.#recorded.slice(0, keep);
    const scheduledAtMs = keepsAll && rescheduled ? (this.activity?.scheduledAtMs ?? null) : null;
    const pending =
      scheduledAtMs === null || this.#ask === null ? null : nameOf({ done: false, value: this.#ask }, false);
    return { recorded, scheduledAtMs, pending };
  }

  /** Cancels whatever the workflow waits for, unless it is shielded. */
  cancel(): void {
    const { time } = this.world;
    if (!this.isOpen || this.#context.cancelled) return;
    this.#context.cancelled = true;
    this.holder.cancelRequestedAtMs = time.nowMs;
    const ask = this.#ask;
    if (ask?.isCancellable !== true) return;
    if (ask.kind !== 'activity') this.#answer({ kind: 'cancelled' });
    else if (this.activity !== null) this.world.server.requestCancel(this.activity);
  }

  /** Closes the workflow from outside, with whatever it waits for. */
  close(): void {
    this.#turn++;
    if (this.activity !== null) this.world.server.abandon(this.activity);
    this.#closed('TERMINATED');
  }

  #closed(status: HolderRecord['status']): void {
    this.holder.closedAtMs = this.world.time.nowMs;
    this.holder.status = status;
    this.holder.leftAs = this.world.cloud.state;
    this.onClose(this);
  }

  #answer(answer: Answer): void {
    const { nowMs } = this.world.time;
    this.#turn++;
    this.activity = null;
    this.#context.nowMs = nowMs;
    const ask = this.#ask as Ask;
    const asked = nameOf({ done: false, value: ask }, this.#context.cancelled);
    if (WAITS_FOR_PEOPLE.includes(ask.kind)) this.holder.waits.push({ fromMs: this.#askedAtMs, untilMs: nowMs });
    this.#go(this.#resume({ asked, answer, atMs: nowMs, cancelled: this.#context.cancelled }), null);
  }

  #resume(recorded: Recorded): IteratorResult<Ask, TargetOfRun> {
    const { answer } = recorded;
    if (answer.kind === 'observed') this.holder.readInRunId = answer.reading.readInRunId;
    if (answer.kind === 'ended' && answer.end.kind === 'completed' && answer.end.settledInRunId !== null)
      this.holder.readInRunId = answer.end.settledInRunId;
    this.#recorded.push(recorded);
    return this.#flow.next(answer);
  }

  #go(asked: IteratorResult<Ask, TargetOfRun>, scheduledAtMs: number | null): void {
    const { world, holder } = this;
    const isAsking = asked.done !== true && (asked.value.kind === 'approval' || asked.value.kind === 'proof');
    if (!isAsking) this.#asides.answered();
    if (asked.done === true) {
      holder.report = asked.value;
      this.#asides.noteApprovals(asked.value.steps);
      world.log(holder.runId, () => `closes ${asked.value.outcome}`);
      this.#closed('COMPLETED');
      return;
    }
    this.#ask = asked.value;
    this.#askedAtMs = world.time.nowMs;
    const { value } = asked;
    if (value.kind === 'observe') this.#observe(world.time.nowMs);
    else if (value.kind === 'run') this.#after(1, { kind: 'run', runId: holder.runId });
    else if (value.kind === 'edge') this.#edge();
    else if (value.kind === 'operator') this.#operator(value.step);
    else if (value.kind === 'approval') this.#asides.approval(value, this.#wait());
    else if (value.kind === 'proof') this.#asides.proof(value, this.#wait());
    else if (value.kind === 'check') this.#asides.check(value, this.#wait());
    else if (value.kind === 'sleep') this.#after(value.untilMs - world.time.nowMs, { kind: 'slept' });
    else this.#schedule(value, scheduledAtMs);
  }

  /** A run that no one steers has no edges. */
  #edge(): void {
    const turn = this.#turn;
    this.steering?.atEdge(() => {
      if (this.isOpen && this.#turn === turn) this.#answer({ kind: 'slept' });
    });
  }

  /** The next move of the operator; a reset repeats those that it took out of the history. */
  #operator(step: string): void {
    // A wait that begins in a run that was cancelled is over at once.
    if (this.#context.cancelled) return this.#after(1, { kind: 'cancelled' });
    const { operator = [] } = this.run.plan;
    const decided = this.#recorded.filter(({ answer }) => answer.kind === 'decided').length;
    const move = operator[decided] ?? { afterMs: 1_000, command: null };
    this.steering?.blocked(step);
    this.#decideAfter(Math.max(1, move.afterMs), step, move);
  }

  /** While the run is paused, the operator is refused and tries again; the time to decide does not pass. */
  #decideAfter(afterMs: number, step: string, move: OperatorMove): void {
    const turn = this.#turn;
    const { command } = move;
    this.world.time.after(afterMs, () => {
      if (!this.isOpen || this.#turn !== turn) return;
      if (this.steering?.decides(move, step) === false) return this.#decideAfter(TRIES_AGAIN_MS, step, move);
      if (command !== null) this.world.truth.count(`operator ${command}`);
      this.#answer({ kind: 'decided', command });
    });
  }

  /** What the workflow waits for now. */
  #wait(): Wait {
    const turn = this.#turn;
    const isOn = () => this.isOpen && this.#turn === turn;
    const answer = (given: Answer) => {
      if (isOn()) this.#answer(given);
    };
    const consumed = this.#recorded.flatMap(({ answer: given }) => (given.kind === 'ordered' ? [given.order] : []));
    const { cancelled } = this.#context;
    return { isOn, answer, isCancelled: cancelled, consumed, taskDelayMs: () => this.#taskDelayMs() };
  }

  #after(delayMs: number, answer: Answer): void {
    const turn = this.#turn;
    this.world.time.after(Math.max(1, delayMs), () => {
      if (this.isOpen && this.#turn === turn) this.#answer(answer);
    });
  }

  #schedule(ask: Extract<Ask, { kind: 'activity' }>, scheduledAtMs: number | null): void {
    const { world, holder } = this;
    const atMs = scheduledAtMs ?? world.time.nowMs;
    const decision = ask.goal === 'act' ? this.#decide(ask, atMs) : this.#settled(ask);
    const { stepId: name, goal, rules, decidedInRunId, scheduleToCloseMs } = ask;
    world.log(holder.runId, () => `schedules ${name}`);
    const turn = this.#turn;
    this.activity = world.server.schedule(
      { name, goal, rules, decision, holder, decidedInRunId, scheduleToCloseMs },
      atMs,
      (end) => {
        if (decision !== null) decision.closedAtMs = world.time.nowMs;
        world.time.after(this.#taskDelayMs(), () => this.#ended(turn, end));
      },
    );
    if (ask.isCancellable && this.#context.cancelled) world.server.requestCancel(this.activity);
  }

  /** The delay until a workflow worker starts the task. */
  #taskDelayMs(): number {
    const { mishaps, dice } = this.world;
    const effect = mishaps.at('task');
    return dice.whole(1, 20) + (effect?.kind === 'slow' ? effect.ms : 0);
  }

  #ended(turn: number, end: ActivityEnd): void {
    if (!this.isOpen || this.#turn !== turn) return;
    const { request } = this.activity ?? {};
    if (end.kind === 'timedOut') request?.decision?.doubts.add(NOT_IN_TIME);
    if ((end.kind === 'failed' || end.kind === 'cancelled') && this.#isLate(end.state))
      request?.decision?.doubts.add(TOO_LATE);
    if (end.kind === 'cancelled' && end.state === null) request?.decision?.doubts.add('cancelled between attempts');
    this.world.log(this.holder.runId, () => `receives: ${request?.name} ${end.kind}`);
    this.#answer({ kind: 'ended', end });
  }

  /** An end that its workflow receives so late proves nothing. */
  #isLate(state: OnceState | null): boolean {
    return state !== null && this.world.time.nowMs - state.atMs > unseenAttemptMs(this.run.limits);
  }

  #decide(ask: Extract<Ask, { kind: 'activity' }>, scheduledAtMs: number): DecisionRecord | null {
    const { truth } = this.world;
    const { stepId, rules, decidedInRunId } = ask;
    const { action, before, deadlineAtMs } = rules;
    if (action === null) return null;
    const key = `${decidedInRunId}/${stepId}/${before.lastJobId ?? 'none'}`;
    let decision = truth.decisions.get(key);
    if (decision === undefined) {
      decision = newDecision({ key, decidedInRunId, stepId, action, before, scheduledAtMs, deadlineAtMs });
      truth.decisions.set(key, decision);
      truth.count('decisions');
    }
    // A reset gives it a new time.
    decision.deadlineAtMs = Math.max(decision.deadlineAtMs, deadlineAtMs);
    if (decidedInRunId !== this.holder.runId) decision.doubts.add(WAS_RESET);
    if (!this.holder.decisions.includes(decision)) this.holder.decisions.push(decision);
    return decision;
  }

  /** The decision that a settle is about, so that everything that happens to it is recorded. */
  #settled({ stepId, rules, decidedInRunId }: Extract<Ask, { kind: 'activity' }>): DecisionRecord | null {
    const key = `${decidedInRunId}/${stepId.replace('settle-', '')}/${rules.before.lastJobId ?? 'none'}`;
    const decision = this.world.truth.decisions.get(key) ?? null;
    if (decidedInRunId !== this.holder.runId) decision?.doubts.add(WAS_RESET);
    return decision;
  }

  /** A local activity: retries the read until it is answered, for at most three minutes. */
  #observe(beganAtMs: number): void {
    const { time, dice, mishaps, cloud } = this.world;
    const turn = this.#turn;
    const effect = mishaps.at('observe');
    const tookMs = effect?.kind === 'slow' ? effect.ms : dice.whole(10, 120);
    time.after(tookMs, () => {
      if (!this.isOpen || this.#turn !== turn) return;
      if (effect?.kind !== 'fails' && effect?.kind !== 'hangs')
        return this.#answer({ kind: 'observed', reading: this.#firstReading(cloud.reading(time.nowMs - tookMs / 2)) });
      if (effect.kind === 'fails' && !FAILURES[effect.failure].retryable)
        return this.#answer({ kind: 'unreadable', failure: effect.failure });
      if (time.nowMs - beganAtMs > OBSERVE_FOR_MS) return this.#answer({ kind: 'unreadable', failure: 'Unreachable' });
      time.after(dice.whole(500, 10_000), () => {
        if (this.isOpen && this.#turn === turn) this.#observe(beganAtMs);
      });
    });
  }

  /** This execution does not know what was sent before a reset. */
  #firstReading(reading: Observation): FirstReading {
    const { runId: readInRunId, chainId } = this.holder;
    const clearAtMs = readInRunId === chainId ? 0 : this.world.time.nowMs + unseenAttemptMs(this.run.limits);
    return { ...reading, readInRunId, clearAtMs };
  }
}
