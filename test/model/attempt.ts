/**
 * One attempt in a worker's process: the interpreter in virtual time. It carries out the machine's commands, and it can be killed, frozen or
 * cut off from Temporal. After a freeze it continues where it was.
 */
import type { AttemptFacts, Command, Event, Step } from '../../src/domain/once/events.js';
import type { Limits } from '../../src/domain/once/limits.js';
import { leftBeforeFirstStep } from '../../src/domain/once/settling.js';
import type { Ending, Interruption, OnceState } from '../../src/domain/once/state.js';
import type { AttemptRecord } from './ground-truth.js';
import { Heartbeats } from './heartbeats.js';
import { Requests } from './requests.js';
import type { StandingAnswer, Token } from './server.js';
import { describeEvent, describeStep } from './transcript.js';
import type { World } from './world.js';

/** How long an attempt that has ended and is cut off waits before it reports again. */
const REPORT_AGAIN_MS = 1_500;
/** After this delay the next attempt cannot exclude that another one ran in between. Chosen: far below the heartbeat timeout. */
const LATE_REPORT_MS = 5_000;
/** How long the server waits before it retries an attempt whose worker stopped. */
const STOPPED_RETRY_MS = 1_000;

/** Starts when it is constructed. */
export class Attempt {
  readonly name: string;
  readonly record: AttemptRecord;
  /** Its worker serves another project. */
  readonly isElsewhere: boolean;
  readonly #heartbeats: Heartbeats;
  readonly #requests: Requests;
  readonly #skewMs: number;
  #state: OnceState;
  /** Increased by each command; answers to earlier commands are ignored. */
  #turn = 0;
  #frozenUntilMs = 0;
  #cutOffUntilMs = 0;
  #isDead = false;
  /** Its own worker abandoned it, so its result is not reported. */
  #isDiscarded = false;
  #aborted: Interruption | null = null;

  constructor(
    private readonly world: World,
    readonly token: Token,
    readonly facts: AttemptFacts,
    previous: OnceState | null,
  ) {
    const { dice, scenario, truth, machine, mishaps } = world;
    const { rules, goal, holder, decision, name } = token.activity.request;
    const skew = scenario.temporal.clockSkewMs;
    this.#skewMs = skew === 0 ? 0 : dice.whole(-skew, skew);
    this.name = `${holder.runId}/${name}#${facts.attempt}`;
    this.record = { name: this.name, posts: 0, ending: null, isTaken: false };
    decision?.attempts.push(this.record);
    truth.count('attempts');
    this.#heartbeats = new Heartbeats(world, this, rules.limits);
    this.#requests = new Requests(world, this, rules);
    mishaps.passed('attemptBegins');
    if (goal !== 'act') mishaps.passed('settleBegins');
    const { elsewhere = 0 } = scenario.temporal;
    this.isElsewhere = elsewhere > 0 && dice.chance(elsewhere);
    const why = this.isElsewhere ? 'This worker serves another project' : null;
    if (this.isElsewhere) truth.count('attempts in another project');
    const first =
      goal === 'act'
        ? machine.beginActing(rules, facts, previous, this.nowMs, why)
        : machine.beginSettling(rules, this.#leftFrom(goal, rules.limits), goal.prior, this.nowMs, why);
    this.#state = first.state;
    const after = previous === null ? '' : ` after ${previous.phase.name}, sent ${previous.sent}`;
    world.log(this.name, () => `begins${after} ${describeStep(first)}`);
    this.#obey(first);
    this.#heartbeats.begin();
  }

  /** As in `src/activities/perform-action.ts`. */
  #leftFrom({ left, prior }: Exclude<Token['activity']['request']['goal'], 'act'>, limits: Limits): OnceState {
    return prior === null ? leftBeforeFirstStep(left, this.facts, limits, this.nowMs) : left;
  }

  get state(): OnceState {
    return this.#state;
  }

  get isAlive(): boolean {
    return !this.#isDead;
  }

  get isCutOff(): boolean {
    return this.world.time.nowMs < this.#cutOffUntilMs;
  }

  get hasEnded(): boolean {
    return this.#isDead || this.#state.phase.name === 'ended';
  }

  /** The time on its worker's clock. */
  get nowMs(): number {
    return this.world.time.nowMs + this.#skewMs;
  }

  kill(): void {
    this.#isDead = true;
  }

  freeze(forMs: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.world.time.nowMs + forMs);
  }

  cutOff(forMs: number): void {
    this.#cutOffUntilMs = Math.max(this.#cutOffUntilMs, this.world.time.nowMs + forMs);
  }

  /** Runs a timer or an answer of this process. A dead process drops it; a frozen one runs it when it wakes. */
  later(delayMs: number, run: () => void): void {
    this.world.time.after(delayMs, () => this.now(run));
  }

  /** Delivers something to this process now. */
  now(run: () => void): void {
    const { time, dice } = this.world;
    if (this.#isDead) return;
    if (time.nowMs < this.#frozenUntilMs) this.later(this.#frozenUntilMs - time.nowMs + dice.whole(0, 3), run);
    else run();
  }

  /** Runs after this delay, unless another command was given meanwhile. */
  whileUnderWay(afterMs: number, run: () => void): void {
    if (afterMs <= 0) return run();
    const turn = this.#turn;
    this.later(afterMs, () => {
      if (this.#turn === turn) run();
    });
  }

  /** Answers the current command. Answers to earlier commands are ignored. */
  answerTo(turn: number, event: Event): void {
    if (this.#turn === turn) this.#handle(event);
  }

  /** Identifies the current command. */
  get turn(): number {
    return this.#turn;
  }

  /** The SDK interrupts the attempt once, whatever comes after. `discarded`: its own worker has abandoned it. */
  abort(by: Interruption, discarded = false): void {
    if (discarded) this.#isDiscarded = true;
    if (this.#aborted !== null) return;
    this.#aborted = by;
    if (!this.hasEnded) this.#handle({ kind: 'interrupted', by });
  }

  /** A heartbeat was sent. */
  heartbeatSent(): void {
    this.#handle({ kind: 'heartbeat' });
  }

  /** Records a broken rule of the contract between machine and interpreter. */
  breach(what: string): void {
    this.world.truth.breaches.push(`${this.name}: ${what}`);
  }

  #handle(event: Event): void {
    const { rules } = this.token.activity.request;
    const step = this.world.machine.next(this.#state, event, rules, this.nowMs);
    this.#state = step.state;
    const mayContinue = event.kind === 'interrupted' || event.kind === 'heartbeat';
    if (step.command === null && !mayContinue) this.breach(`no command after ${event.kind}`);
    if (step.command?.kind === 'send' && event.kind !== 'standing') this.breach(`sends after ${event.kind}`);
    if (event.kind !== 'heartbeat') this.world.log(this.name, () => `${describeEvent(event)} ${describeStep(step)}`);
    this.#obey(step);
  }

  #obey({ command, record }: Step): void {
    if (record === true && this.#state.phase.name !== 'ended') this.#heartbeats.record();
    if (command === null) return;
    this.#turn++;
    this.#perform(command);
  }

  #perform(command: Command): void {
    switch (command.kind) {
      case 'askServer':
      case 'lease':
        return this.#ask(command);
      case 'end':
        return this.#end();
      case 'reserve':
      case 'read':
      case 'inspect':
      case 'poll':
      case 'connect':
      case 'send':
        return this.#requests.perform(command);
    }
  }

  #ask(command: Extract<Command, { kind: 'askServer' | 'lease' }>): void {
    const turn = this.#turn;
    const timeoutMs = Math.max(0, command.giveUpAtMs - this.nowMs);
    if (command.kind === 'lease')
      this.#heartbeats.lease(command.isYoung, timeoutMs, (answer) => this.#answered(turn, answer));
    else this.#heartbeats.standing(timeoutMs, (answer) => this.#answered(turn, answer));
    this.later(timeoutMs, () => this.answerTo(turn, { kind: 'timeUp' }));
  }

  #answered(turn: number, answer: StandingAnswer): void {
    this.answerTo(turn, { kind: 'standing', ...answer });
  }

  #end(): void {
    const { phase } = this.#state;
    if (phase.name !== 'ended') return this.breach('ends in another phase');
    this.record.ending = phase.ending;
    this.#heartbeats.stop();
    this.world.mishaps.passed('attemptEnds');
    if (phase.ending.kind === 'superseded' || this.#isDiscarded) {
      this.#isDead = true;
      return;
    }
    const effect = this.world.mishaps.at('report');
    this.#report(phase.ending, effect?.kind === 'slow' ? effect.ms : 0);
  }

  /** Retried until the report reaches the server. */
  #report(ending: Ending, delayMs: number): void {
    const { dice, log } = this.world;
    this.later(delayMs + dice.whole(2, 20), () => {
      if (this.isCutOff) return this.#report(ending, REPORT_AGAIN_MS);
      this.record.isTaken = this.#deliver(ending);
      const lateMs = this.nowMs - this.#state.atMs;
      if (lateMs > LATE_REPORT_MS) this.token.activity.request.decision?.doubts.add('an attempt reported late');
      log(this.name, () => `ended; the server ${this.record.isTaken ? 'accepts it' : 'does not know it'}`);
      this.#isDead = true;
    });
  }

  /** As in `src/activities/perform-action.ts`: a settle completes however it ended, unless it is retried or was cancelled. */
  #deliver(ending: Ending): boolean {
    const { server } = this.world;
    const { token } = this;
    const { goal } = token.activity.request;
    const state = this.#state;
    if (ending.kind === 'succeeded' || ending.kind === 'skipped') return server.complete(token, state);
    if (ending.kind === 'failed' && ending.retryInMs !== null) return server.fail(token, state, ending.retryInMs);
    const isSettled = goal !== 'act' && (ending.kind !== 'cancelled' || goal.prior?.kind === 'cancelled');
    if (isSettled) return server.complete(token, state);
    if (ending.kind !== 'cancelled' || this.#aborted === null) return server.fail(token, state, null);
    // The server accepts a cancellation only from a worker that received the cancel request; a worker that stops reports that it stopped.
    return this.#aborted === 'cancel' ? server.cancelled(token, state) : server.fail(token, state, STOPPED_RETRY_MS);
  }
}
