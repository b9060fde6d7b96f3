/**
 * One attempt in a worker's process: the interpreter in virtual time. It carries out what the machine commands, and it can be killed, frozen
 * or cut off from Temporal; what wakes up goes on where it was.
 */
import type { AttemptFacts, Command, Event, Step } from '../../src/domain/once/events.js';
import type { Ending, Interruption, OnceState } from '../../src/domain/once/state.js';
import type { AttemptRecord } from './chronicle.js';
import { Heart } from './heart.js';
import { Requests } from './requests.js';
import type { StandingAnswer, Token } from './server.js';
import { tellEvent, tellStep } from './transcript.js';
import type { World } from './world.js';

/** How long it takes until an attempt that has ended tries again to be heard, while nothing passes. */
const REPORT_AGAIN_MS = 1_500;
/** From then on the next attempt cannot tell whether another one was between. Chosen: far below the heartbeat time-out. */
const LATE_REPORT_MS = 5_000;
/** What the server waits before it tries an attempt again whose worker stopped. */
const STOPPED_RETRY_MS = 1_000;

/** It begins as soon as it is made. */
export class Attempt {
  readonly name: string;
  readonly record: AttemptRecord;
  readonly #heart: Heart;
  readonly #requests: Requests;
  readonly #skewMs: number;
  #state: OnceState;
  /** Raised by each command: answers to those before it are not waited for any more. */
  #turn = 0;
  #frozenUntilMs = 0;
  #cutOffUntilMs = 0;
  #isDead = false;
  /** Its own worker gave it up: what it ends with is not reported. */
  #isDiscarded = false;
  #aborted: Interruption | null = null;

  constructor(
    private readonly world: World,
    readonly token: Token,
    readonly facts: AttemptFacts,
    previous: OnceState | null,
  ) {
    const { dice, scenario, chronicle, machine, mishaps } = world;
    const { rules, goal, holder, decision, name } = token.activity.request;
    const skew = scenario.temporal.clockSkewMs;
    this.#skewMs = skew === 0 ? 0 : dice.whole(-skew, skew);
    this.name = `${holder.runId}/${name}#${facts.attempt}`;
    this.record = { name: this.name, posts: 0, ending: null, isTaken: false };
    decision?.attempts.push(this.record);
    chronicle.count('attempts');
    this.#heart = new Heart(world, this, rules.limits);
    this.#requests = new Requests(world, this, rules);
    mishaps.passed('attemptBegins');
    if (goal !== 'act') mishaps.passed('settleBegins');
    const first =
      goal === 'act'
        ? machine.beginActing(rules, facts, previous, this.nowMs)
        : machine.beginSettling(rules, goal.left, goal.prior, this.nowMs);
    this.#state = first.state;
    const after = previous === null ? '' : ` after ${previous.phase.name}, sent ${previous.sent}`;
    world.tell(this.name, () => `begins${after} ${tellStep(first)}`);
    this.#obey(first);
    this.#heart.begin();
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

  /** By its own clock. */
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

  /** A timer, or an answer, of this process: a dead one has none, and a frozen one finds it when it wakes. */
  later(delayMs: number, run: () => void): void {
    this.world.time.after(delayMs, () => this.now(run));
  }

  /** What reaches this process at this moment. */
  now(run: () => void): void {
    const { time, dice } = this.world;
    if (this.#isDead) return;
    if (time.nowMs < this.#frozenUntilMs) this.later(this.#frozenUntilMs - time.nowMs + dice.whole(0, 3), run);
    else run();
  }

  /** After that long, unless another command has come meanwhile. */
  whileUnderWay(afterMs: number, run: () => void): void {
    if (afterMs <= 0) return run();
    const turn = this.#turn;
    this.later(afterMs, () => {
      if (this.#turn === turn) run();
    });
  }

  /** The answer to the command under way. One to an older command is not waited for any more. */
  answerTo(turn: number, event: Event): void {
    if (this.#turn === turn) this.#take(event);
  }

  /** Identifies the command under way. */
  get turn(): number {
    return this.#turn;
  }

  /** Told by the SDK, once, whatever comes after. `discarded`: by its own worker, which has given it up. */
  abort(by: Interruption, discarded = false): void {
    if (discarded) this.#isDiscarded = true;
    if (this.#aborted !== null) return;
    this.#aborted = by;
    if (!this.hasEnded) this.#take({ kind: 'interrupted', by });
  }

  /** A heartbeat goes out. */
  beats(): void {
    this.#take({ kind: 'heartbeat' });
  }

  /** Something between machine and interpreter is not as agreed. */
  breach(what: string): void {
    this.world.chronicle.breaches.push(`${this.name}: ${what}`);
  }

  #take(event: Event): void {
    const { rules } = this.token.activity.request;
    const step = this.world.machine.next(this.#state, event, rules, this.nowMs);
    this.#state = step.state;
    const mayGoOn = event.kind === 'interrupted' || event.kind === 'heartbeat';
    if (step.command === null && !mayGoOn) this.breach(`no command after ${event.kind}`);
    if (step.command?.kind === 'send' && event.kind !== 'standing') this.breach(`sends after ${event.kind}`);
    if (event.kind !== 'heartbeat') this.world.tell(this.name, () => `${tellEvent(event)} ${tellStep(step)}`);
    this.#obey(step);
  }

  #obey({ command, record }: Step): void {
    if (record === true && this.#state.phase.name !== 'ended') this.#heart.record();
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
    const heard = (answer: StandingAnswer) => this.answerTo(turn, { kind: 'standing', ...answer });
    if (command.kind === 'lease') this.#heart.lease(command.isYoung, timeoutMs, heard);
    else this.#heart.standing(timeoutMs, heard);
    this.later(timeoutMs, () => this.answerTo(turn, { kind: 'timeUp' }));
  }

  #end(): void {
    const { phase } = this.#state;
    if (phase.name !== 'ended') return this.breach('ends in another phase');
    this.record.ending = phase.ending;
    this.#heart.stop();
    this.world.mishaps.passed('attemptEnds');
    if (phase.ending.kind === 'superseded' || this.#isDiscarded) {
      this.#isDead = true;
      return;
    }
    const struck = this.world.mishaps.at('report');
    this.#report(phase.ending, struck?.kind === 'slow' ? struck.ms : 0);
  }

  /** Tried again until the server has heard it. */
  #report(ending: Ending, delayMs: number): void {
    const { dice, tell } = this.world;
    this.later(delayMs + dice.whole(2, 20), () => {
      if (this.isCutOff) return this.#report(ending, REPORT_AGAIN_MS);
      this.record.isTaken = this.#speak(ending);
      const lateMs = this.nowMs - this.#state.atMs;
      if (lateMs > LATE_REPORT_MS) this.token.activity.request.decision?.doubts.add('an attempt was heard of late');
      tell(this.name, () => `ended; the server ${this.record.isTaken ? 'takes it' : 'does not know it'}`);
      this.#isDead = true;
    });
  }

  /** As `src/activities/perform-action.ts` has it: a settle completes however it ended, unless it is tried again or was cancelled. */
  #speak(ending: Ending): boolean {
    const { server } = this.world;
    const { token } = this;
    const { goal } = token.activity.request;
    const state = this.#state;
    if (ending.kind === 'succeeded' || ending.kind === 'skipped') return server.complete(token, state);
    if (ending.kind === 'failed' && ending.retryInMs !== null) return server.fail(token, state, ending.retryInMs);
    const isSettled = goal !== 'act' && (ending.kind !== 'cancelled' || goal.prior?.kind === 'cancelled');
    if (isSettled) return server.complete(token, state);
    if (ending.kind !== 'cancelled' || this.#aborted === null) return server.fail(token, state, null);
    // The server takes a cancellation only from a worker that was told of the cancel; one that stops says that it stops.
    return this.#aborted === 'cancel' ? server.cancelled(token, state) : server.fail(token, state, STOPPED_RETRY_MS);
  }
}
