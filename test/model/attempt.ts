/**
 * One attempt in a worker's process: the interpreter in virtual time. It carries out what the machine commands, and it can be killed, frozen
 * or cut off from Temporal; what wakes up goes on where it was.
 */
import type { AttemptFacts, Command, Event, Step } from '../../src/domain/once/events.js';
import type { Ending, Interruption, OnceState } from '../../src/domain/once/state.js';
import type { AttemptRecord, Post } from './chronicle.js';
import { OUR_USER } from './cloud.js';
import { Heart } from './heart.js';
import type { Mischief } from './scenario.js';
import type { StandingAnswer, Token } from './server.js';
import { tellEvent, tellStep } from './transcript.js';
import type { World } from './world.js';

type Failed = Extract<Event, { kind: 'failed' }>;

/** How long the server may take to hear again of an attempt that has ended, while nothing passes. */
const REPORT_AGAIN_MS = 1_500;
/** From then on the next attempt cannot tell whether another one was between. Chosen: far below half of the heartbeat time-out. */
const LATE_REPORT_MS = 5_000;

export class Attempt {
  readonly name: string;
  readonly record: AttemptRecord;
  readonly #heart: Heart;
  readonly #skewMs: number;
  #state: OnceState;
  /** Raised by each command: answers to those before it are not waited for any more. */
  #turn = 0;
  #command: Command['kind'] | null = null;
  #frozenUntilMs = 0;
  #cutOffUntilMs = 0;
  #isDead = false;
  /** Its own worker gave it up: what it ends with is not reported. */
  #isDiscarded = false;
  #aborted: Interruption | null = null;
  #readAtMs = 0;

  constructor(
    private readonly world: World,
    readonly token: Token,
    readonly facts: AttemptFacts,
    previous: OnceState | null,
  ) {
    const { time, dice, scenario, chronicle, machine, mishaps } = world;
    const { request } = token.activity;
    const { rules, goal, holder, decision } = request;
    const skew = scenario.temporal.clockSkewMs;
    this.#skewMs = skew === 0 ? 0 : dice.whole(-skew, skew);
    this.name = `${holder.runId}/${request.name}#${facts.attempt}`;
    this.record = { name: this.name, number: facts.attempt, bornAtMs: time.nowMs, posts: 0, ending: null, isTaken: false };
    decision?.attempts.push(this.record);
    chronicle.count('attempts');
    this.#heart = new Heart(world, this, rules.limits);
    mishaps.passed('attemptBegins');
    if (goal !== 'act') mishaps.passed('settleBegins');
    const first =
      goal === 'act'
        ? machine.beginActing(rules, facts, previous, this.nowMs)
        : machine.beginSettling(rules, goal.left, goal.prior, this.nowMs);
    this.#state = first.state;
    world.tell(this.name, () => `begins${previous === null ? '' : ` after ${previous.phase.name}, sent ${previous.sent}`} ${tellStep(first)}`);
    this.#obey(first);
    this.#heart.begin();
  }

  get state(): OnceState {
    return this.#state;
  }

  get isAlive(): boolean {
    return !this.#isDead && (this.#state.phase.name !== 'ended' || !this.record.isTaken);
  }

  get isCutOff(): boolean {
    return this.world.time.nowMs < this.#cutOffUntilMs;
  }

  get hasEnded(): boolean {
    return this.#isDead || this.#state.phase.name === 'ended';
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
    const { time, dice } = this.world;
    time.after(delayMs, () => {
      if (this.#isDead) return;
      if (time.nowMs < this.#frozenUntilMs) this.later(this.#frozenUntilMs - time.nowMs + dice.whole(0, 3), run);
      else run();
    });
  }

  /** What reaches this process at this moment. */
  now(run: () => void): void {
    if (this.world.time.nowMs < this.#frozenUntilMs) this.later(0, run);
    else if (!this.#isDead) run();
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

  /** By its own clock. */
  get nowMs(): number {
    return this.world.time.nowMs + this.#skewMs;
  }

  #take(event: Event): void {
    const { rules } = this.token.activity.request;
    const step = this.world.machine.next(this.#state, event, rules, this.nowMs);
    this.#state = step.state;
    if (step.command === null && event.kind !== 'interrupted' && event.kind !== 'heartbeat') this.#breach(`no command after ${event.kind}`);
    if (step.command?.kind === 'send' && event.kind !== 'standing') this.#breach(`sends after ${event.kind}`);
    if (event.kind !== 'heartbeat') this.world.tell(this.name, () => `${tellEvent(event)} ${tellStep(step)}`);
    this.#obey(step);
  }

  #obey({ command, record }: Step): void {
    if (record === true && this.#state.phase.name !== 'ended') this.#heart.record();
    if (command === null) return;
    if (this.#command === 'send' && command.kind !== 'end' && this.#state.phase.name === 'sending')
      this.#breach(`${command.kind} while a POST is open`);
    this.#command = command.kind;
    this.#turn++;
    this.#perform(command);
  }

  #breach(what: string): void {
    this.world.chronicle.breaches.push(`${this.name}: ${what}`);
  }

  #perform(command: Command): void {
    switch (command.kind) {
      case 'askServer':
        return this.#askServer(command.giveUpAtMs);
      case 'reserve':
        return this.#reserve(command.giveUpAtMs);
      case 'read':
        return this.#wait(command.inMs, () => this.#read(command.giveUpAtMs));
      case 'inspect':
        return this.#inspect(command.cloudJobId, command.giveUpAtMs);
      case 'poll':
        return this.#wait(command.inMs, () => this.#poll(command.cloudJobId, command.giveUpAtMs));
      case 'connect':
        return this.#connect();
      case 'lease':
        return this.#lease(command.giveUpAtMs);
      case 'send':
        return this.#send();
      case 'end':
        return this.#end();
    }
  }

  /** Not where the command was given up meanwhile. */
  #wait(inMs: number, ask: () => void): void {
    if (inMs <= 0) return ask();
    const turn = this.#turn;
    this.later(inMs, () => {
      if (this.#turn === turn) ask();
    });
  }

  /** What comes of a request after `answeredAfterMs`, or that its time is up before. */
  #answer(answeredAfterMs: number, giveUpAtMs: number, event: () => Event): void {
    const turn = this.#turn;
    const leftMs = Math.max(0, giveUpAtMs - this.nowMs);
    const isInTime = answeredAfterMs < leftMs;
    this.later(Math.min(answeredAfterMs, leftMs), () => {
      if (this.#turn !== turn) return;
      // A process that was frozen finds both: the answer and that its time is up.
      const isLate = this.nowMs > giveUpAtMs + 5 && this.world.dice.chance(0.5);
      this.#take(isInTime && !isLate ? event() : { kind: 'timeUp' });
    });
  }

  #latencyMs(): number {
    const { dice } = this.world;
    return dice.chance(0.9) ? dice.whole(10, 120) : dice.whole(100, 1_500);
  }

  #read(giveUpAtMs: number): void {
    const { mishaps, cloud, time } = this.world;
    const struck = mishaps.at('read');
    const askedAtMs = time.nowMs;
    this.#request(struck, giveUpAtMs, (tookMs) => {
      // The instance is looked at while the request is under way, not when the answer is read.
      const seenAtMs = Math.min(time.nowMs, askedAtMs + tookMs / 2);
      this.#readAtMs = seenAtMs;
      mishaps.passed('reading');
      return { kind: 'reading', reading: cloud.reading(seenAtMs) };
    });
  }

  #inspect(cloudJobId: string, giveUpAtMs: number): void {
    const { mishaps, cloud, scenario, time } = this.world;
    this.#request(mishaps.at('inspect'), giveUpAtMs, () => {
      const ownUserId = scenario.cloud.ownUserKnown ? OUR_USER : null;
      return { kind: 'inspected', job: cloud.job(cloudJobId, time.nowMs), ownUserId };
    });
  }

  #poll(cloudJobId: string, giveUpAtMs: number): void {
    const { mishaps, cloud, time } = this.world;
    this.#request(mishaps.at('poll'), giveUpAtMs, () => {
      const job = cloud.job(cloudJobId, time.nowMs);
      return job === null ? failed('TargetNotFound') : { kind: 'polled', job };
    });
  }

  /** A GET, which has a time of its own. */
  #request(struck: Mischief | null, giveUpAtMs: number, answer: (tookMs: number) => Event): void {
    const { readTimeoutMs } = this.token.activity.request.rules.limits;
    const tookMs = struck?.kind === 'slow' ? Math.min(struck.ms, readTimeoutMs) : this.#latencyMs();
    if (struck !== null && struck.kind !== 'slow') this.world.chronicle.failedReadings.push(this.world.time.nowMs);
    if (struck?.kind === 'hangs') return this.#answer(readTimeoutMs, giveUpAtMs, () => failed('Unreachable'));
    this.#answer(tookMs, giveUpAtMs, () => (struck?.kind === 'fails' ? failedBy(struck) : answer(tookMs)));
  }

  #reserve(giveUpAtMs: number): void {
    const struck = this.world.mishaps.at('reserve');
    const { budgetWaitMs } = this.token.activity.request.rules.limits;
    if (struck?.kind === 'hangs') return this.#answer(budgetWaitMs, giveUpAtMs, () => failed('Throttled'));
    const tookMs = struck?.kind === 'slow' ? Math.min(struck.ms, budgetWaitMs) : 0;
    this.#answer(tookMs, giveUpAtMs, () => (struck?.kind === 'fails' ? failedBy(struck) : { kind: 'reserved' }));
  }

  #askServer(giveUpAtMs: number): void {
    this.#answerStanding(giveUpAtMs, (timeoutMs, heard) => this.#heart.standing(timeoutMs, heard));
  }

  #lease(giveUpAtMs: number): void {
    this.#answerStanding(giveUpAtMs, (timeoutMs, heard) => this.#heart.lease(timeoutMs, heard));
  }

  #answerStanding(giveUpAtMs: number, ask: (timeoutMs: number, heard: (answer: StandingAnswer) => void) => void): void {
    const turn = this.#turn;
    const timeoutMs = Math.max(0, giveUpAtMs - this.nowMs);
    ask(timeoutMs, (answer) => this.#answerNow(turn, { kind: 'standing', ...answer }));
    this.later(timeoutMs, () => this.#answerNow(turn, { kind: 'timeUp' }));
  }

  #answerNow(turn: number, event: Event): void {
    if (this.#turn === turn) this.#take(event);
  }

  #connect(): void {
    const { mishaps } = this.world;
    const struck = mishaps.at('connect');
    mishaps.passed('connecting');
    const longestMs = this.token.activity.request.rules.limits.postTimeoutMs / 2;
    const tookMs = struck?.kind === 'slow' ? Math.min(struck.ms, longestMs) : struck?.kind === 'hangs' ? longestMs : this.#latencyMs();
    const turn = this.#turn;
    const fails = struck?.kind === 'fails' || struck?.kind === 'hangs';
    this.later(Math.min(tookMs, longestMs), () => this.#answerNow(turn, fails ? failed('Unreachable') : { kind: 'connected' }));
  }

  #send(): void {
    const { world, record, token } = this;
    const { request } = token.activity;
    const { decision, holder } = request;
    if (decision === null) return this.#breach('sends without a decision');
    if (++record.posts > 1) this.#breach('sends twice in one attempt');
    const post: Post = { decision, attempt: record, holder, sentAtMs: world.time.nowMs, readAtMs: this.#readAtMs, job: null };
    decision.posts.push(post);
    world.chronicle.posts.push(post);
    if (decision.posts.length > 1) world.chronicle.count('resends');
    const struck = world.mishaps.at('post');
    world.mishaps.passed('sending');
    this.#post(post, struck, request.rules.limits.postTimeoutMs);
  }

  /** The first byte is out: what becomes of it is up to the cloud, whatever becomes of the process. */
  #post(post: Post, struck: Mischief | null, timeoutMs: number): void {
    const { world } = this;
    const { time, cloud, dice } = world;
    const turn = this.#turn;
    const answer = (afterMs: number, event: () => Event) => {
      this.later(Math.min(afterMs, timeoutMs), () => {
        world.mishaps.passed('answered');
        this.#answerNow(turn, event());
      });
    };
    if (struck?.kind === 'fails') return answer(this.#latencyMs(), () => failedBy(struck));
    if (struck?.kind === 'refused') return answer(this.#latencyMs(), () => failed(struck.failure, 'refused'));
    const isLost = struck?.kind === 'lost';
    const arrivesAfterMs = isLost ? struck.acceptedAfterMs : struck?.kind === 'slow' ? struck.ms : dice.whole(5, 150);
    let taken: Event | null = null;
    if (!isLost || struck.arrives)
      time.after(Math.min(arrivesAfterMs, timeoutMs), () => {
        const answered = cloud.take(post.decision.action, post);
        taken = 'job' in answered ? { kind: 'accepted', cloudJobId: answered.job.id } : failed(answered.refused, 'refused');
        world.tell('cloud', () => ('job' in answered ? `accepts ${answered.job.id}` : `refuses: ${answered.refused}`));
      });
    if (isLost) {
      post.decision.doubts.add('an answer was lost');
      return answer(struck.answeredAfterMs, () => failed('Unanswered', 'unknown'));
    }
    const answeredAfterMs = arrivesAfterMs + this.#latencyMs();
    if (answeredAfterMs >= timeoutMs) post.decision.doubts.add('an answer was lost');
    // A process that was frozen over it finds the answer, or that its time was up.
    answer(answeredAfterMs, () => (answeredAfterMs >= timeoutMs ? null : taken) ?? failed('Unanswered', 'unknown'));
  }

  #end(): void {
    const { phase } = this.#state;
    if (phase.name !== 'ended') return this.#breach('ends in another phase');
    this.record.ending = phase.ending;
    this.#heart.stop();
    this.world.mishaps.passed('attemptEnds');
    if (phase.ending.kind === 'superseded' || this.#isDiscarded) return;
    const struck = this.world.mishaps.at('report');
    this.#report(struck?.kind === 'slow' ? struck.ms : 0);
  }

  /** Tried again until the server has heard it. */
  #report(delayMs: number): void {
    const { dice } = this.world;
    this.later(delayMs + dice.whole(2, 20), () => {
      if (this.isCutOff) return this.#report(REPORT_AGAIN_MS);
      const { phase } = this.#state;
      if (phase.name !== 'ended') return;
      this.record.isTaken = this.#speak(phase.ending);
      const lateMs = this.nowMs - this.#state.atMs;
      if (lateMs > LATE_REPORT_MS) this.token.activity.request.decision?.doubts.add('an attempt was heard of late');
      this.world.tell(this.name, () => `ended; the server ${this.record.isTaken ? 'takes it' : 'does not know it'}`);
      this.#isDead = true;
    });
  }

  /** As `src/activities/perform-action.ts` has it: a settle completes however it ended, unless it is tried again or was cancelled. */
  #speak(ending: Ending): boolean {
    const { server } = this.world;
    const { goal } = this.token.activity.request;
    if (ending.kind === 'succeeded' || ending.kind === 'skipped') return server.complete(this.token, this.#state);
    if (ending.kind === 'failed' && ending.retryInMs !== null) return server.fail(this.token, this.#state, ending.retryInMs);
    const isSettled = goal !== 'act' && (ending.kind !== 'cancelled' || goal.prior?.kind === 'cancelled');
    if (isSettled) return server.complete(this.token, this.#state);
    if (ending.kind !== 'cancelled' || this.#aborted === null) return server.fail(this.token, this.#state, null);
    // The server takes a cancellation only from a worker that was told of the cancel; one that stops says that it stops.
    return this.#aborted === 'cancel' ? server.cancelled(this.token, this.#state) : server.fail(this.token, this.#state, 1_000);
  }
}

function failed(failure: Failed['failure'], request: Failed['request'] = 'no'): Failed {
  return { kind: 'failed', failure, message: failure, request };
}

function failedBy({ failure, retryAfterMs, tokenExpired }: Extract<Mischief, { kind: 'fails' }>): Failed {
  return {
    ...failed(failure),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(tokenExpired === undefined ? {} : { tokenExpired }),
  };
}
