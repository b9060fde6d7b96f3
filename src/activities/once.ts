/** Carries the commands of the once machine out, and feeds back what came of them. The only loop of the protocol that does I/O. */
import { Context } from '@temporalio/activity';
import { ServiceStageError } from '../servicestage/errors.js';
import type { PostReservation, ServiceStage } from '../servicestage/service-stage.js';
import type { Command, Event, OnceRules, Standing, Step } from '../domain/once/events.js';
import { next } from '../domain/once/next.js';
import type { Interruption, OnceState, PhaseName } from '../domain/once/state.js';
import type { Action } from '../domain/actions.js';
import { orDeadline, pause } from './pause.js';
import type { TemporalAccess } from './temporal-access.js';
import { failureNameOf } from './to-failure.js';

export interface OnceDependencies {
  readonly serviceStage: ServiceStage;
  readonly temporal: TemporalAccess;
}

/**
 * One attempt, from its first step to its end.
 *
 * @param begin the machine's first step, given the time
 * @returns the state of an attempt that has ended; `state.phase` says how
 */
export async function runOnce(
  dependencies: OnceDependencies,
  rules: OnceRules,
  begin: (nowMs: number) => Step,
): Promise<OnceState> {
  return new Attempt(dependencies, rules, begin).run();
}

type Answer = Event | { readonly kind: 'notSent' };

/** What the interpreter holds while an attempt runs: the machine's newest step, and the place in the request budget. */
class Attempt {
  readonly #context = Context.current();
  readonly #clock = steadyClock();
  /** What comes unasked: an interruption, or what the server said to a heartbeat. */
  readonly #inbox = new Inbox<Event>();
  #step: Step;
  #reservation: PostReservation | undefined;
  /** A heartbeat that the server has not acknowledged yet. Only one is under way, so that none overtakes a newer one. */
  #heartbeat: Promise<void> | null = null;

  constructor(
    private readonly dependencies: OnceDependencies,
    private readonly rules: OnceRules,
    begin: (nowMs: number) => Step,
  ) {
    this.#step = begin(this.#clock());
    this.#record(this.#step);
    onInterruption(this.#context, (by) => this.#inbox.put({ kind: 'interrupted', by }));
  }

  async run(): Promise<OnceState> {
    const beats = setInterval(() => this.#beat(), this.rules.limits.heartbeatTimeoutMs / 3);
    try {
      let { command } = this.#step;
      while (command !== null && command.kind !== 'end') command = await this.#carryOut(command);
      return this.#step.state;
    } finally {
      clearInterval(beats);
      this.#reservation?.release();
    }
  }

  /** Says that the attempt is alive: polls and readings are rare, and a 429 stops them. */
  #beat(): void {
    const { state } = this.#step;
    if (SILENT.includes(state.phase.name)) return;
    if (state.cloudJob !== null || state.goal.kind === 'settle') this.#context.heartbeat(state);
    else this.#heartbeat ??= this.#acknowledged(state).finally(() => (this.#heartbeat = null));
  }

  /**
   * Until the cloud job is known, heartbeats are calls of our own: the SDK holds one back that comes soon after another, and the one with the
   * cloud job must not wait.
   */
  async #acknowledged(state: OnceState): Promise<void> {
    const askedAtMs = this.#clock();
    const { limits } = this.rules;
    const standing = await this.dependencies.temporal.standing(this.#context.info, state, limits.leaseMs);
    if (standing === 'current') this.#inbox.put({ kind: 'acknowledged', askedAtMs });
    else if (standing === 'cancelled') this.#inbox.put({ kind: 'interrupted', by: 'cancel' });
    else if (standing === 'superseded') this.#inbox.put({ kind: 'interrupted', by: 'superseded' });
  }

  #record({ state, record }: Step): void {
    if (record !== true) return;
    // One that is under way holds an older state; at the end nothing comes after the failure, which carries this one.
    if (this.#heartbeat === null || state.phase.name === 'ended') this.#context.heartbeat(state);
    else void this.#heartbeat.then(() => this.#context.heartbeat(this.#step.state));
  }

  #feed(event: Event): Command | null {
    this.#step = next(this.#step.state, event, this.rules, this.#clock());
    this.#record(this.#step);
    return this.#step.command;
  }

  /** @returns the next command, once this one is answered, given up or overtaken by what came unasked */
  async #carryOut(command: Command): Promise<Command | null> {
    const ending = new AbortController();
    const answers: Promise<Answer>[] = [this.#answerTo(command, ending.signal)];
    if ('giveUpAtMs' in command) answers.push(this.#timeUp(command.giveUpAtMs, ending.signal));
    try {
      for (;;) {
        const first = await Promise.race([...answers, this.#inbox.arrival]);
        // The fence was not passed: the machine has said already what follows.
        if (first?.kind === 'notSent') return this.#step.command;
        if (first !== undefined) return this.#feed(first);
        for (const event of this.#inbox.take()) {
          const instead = this.#feed(event);
          if (instead !== null) return instead;
        }
      }
    } finally {
      ending.abort();
      answers[0]?.catch(() => {});
    }
  }

  async #timeUp(atMs: number, signal: AbortSignal): Promise<Event> {
    for (let leftMs = atMs - this.#clock(); leftMs > 0; leftMs = atMs - this.#clock()) {
      await pause(Math.min(leftMs, LONGEST_TIMER_MS), signal).catch(() => {});
      if (signal.aborted) break; // Something else came first: nobody waits for this any more.
    }
    return { kind: 'timeUp' };
  }

  async #answerTo(command: Command, signal: AbortSignal): Promise<Answer> {
    try {
      return await this.#ask(command, signal);
    } catch (error) {
      if (error instanceof ServiceStageError) return failed(error);
      if (error === NOT_SENT) return { kind: 'notSent' };
      if (signal.aborted) return { kind: 'timeUp' };
      throw error;
    }
  }

  async #ask(command: Command, signal: AbortSignal): Promise<Event> {
    const { serviceStage } = this.dependencies;
    const { target, limits } = this.rules;
    const options = { timeoutMs: limits.readTimeoutMs, signal };
    switch (command.kind) {
      case 'askServer':
        return { kind: 'standing', standing: await this.#ownStanding(command.giveUpAtMs) };
      case 'reserve':
        this.#reservation = await serviceStage.reservePost({ ...limits, signal });
        return { kind: 'reserved' };
      case 'read':
        await pause(command.inMs, signal);
        return { kind: 'reading', reading: await serviceStage.readInstance(target, options) };
      case 'inspect': {
        const ownUserId = await serviceStage.ownUserId(options);
        return { kind: 'inspected', ownUserId, job: await this.#jobOrNull(command.cloudJobId, options) };
      }
      case 'poll':
        await pause(command.inMs, signal);
        return { kind: 'polled', job: await serviceStage.readCloudJob(command.cloudJobId, options) };
      case 'connect':
        return { kind: 'accepted', cloudJobId: await this.#post() };
      case 'lease':
      case 'send':
      case 'end':
        throw new TypeError(`${command.kind} is no command by itself`);
    }
  }

  #ownStanding(giveUpAtMs: number): Promise<Standing> {
    const { temporal } = this.dependencies;
    return temporal.standing(this.#context.info, this.#step.state, giveUpAtMs - this.#clock());
  }

  /** After a heartbeat that is under way: one that came later would overwrite this one. */
  async #sendLease(giveUpAtMs: number): Promise<Standing> {
    await this.#heartbeat;
    const leftMs = giveUpAtMs - this.#clock();
    if (leftMs <= 0) return 'unclear';
    return this.dependencies.temporal.sendLease(this.#context.info, this.#step.state, leftMs);
  }

  /** No cancellation signal: cutting the connection would not take back what the server already reads. */
  async #post(): Promise<string> {
    const { target, action, limits } = this.rules;
    if (this.#reservation === undefined) throw new TypeError('A POST needs a reservation');
    const { cloudJobId } = await this.#reservation.submitAction(target, action as Action, {
      timeoutMs: limits.postTimeoutMs,
      beforeFirstByte: async () => {
        const command = this.#feed({ kind: 'connected' });
        if (command?.kind !== 'lease') throw NOT_SENT;
        const standing = await orDeadline(this.#sendLease(command.giveUpAtMs), command.giveUpAtMs);
        const event: Event = standing === null ? { kind: 'timeUp' } : { kind: 'standing', standing };
        if (this.#feed(event)?.kind !== 'send') throw NOT_SENT;
      },
    });
    return cloudJobId;
  }

  async #jobOrNull(cloudJobId: string, options: { timeoutMs: number; signal: AbortSignal }) {
    try {
      return await this.dependencies.serviceStage.readCloudJob(cloudJobId, options);
    } catch (error) {
      if (error instanceof ServiceStageError && error.code === 'NotFound') return null;
      throw error;
    }
  }
}

/** The POST ended before its first byte, since the machine said so. */
const NOT_SENT = new Error('not sent');

/** Node's longest timer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function failed(error: ServiceStageError): Event {
  const { message, sent: request, retryAfterMs, code } = error;
  return {
    kind: 'failed',
    failure: failureNameOf(error),
    message,
    request,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(code === 'TokenExpired' ? { tokenExpired: true } : {}),
  };
}

/** From the send lease to the answer of the POST nothing else reaches the server. */
const SILENT: readonly PhaseName[] = ['barrier', 'connecting', 'leasing', 'sending', 'ended'];

/** Tells once by whom the attempt is asked to end. */
function onInterruption(context: Context, tell: (by: Interruption) => void): void {
  const { cancellationSignal } = context;
  const onAbort = () => {
    const { cancelRequested, notFound, timedOut } = context.cancellationDetails ?? {};
    tell(cancelRequested === true ? 'cancel' : notFound === true || timedOut === true ? 'superseded' : 'stop');
  };
  if (cancellationSignal.aborted) onAbort();
  else cancellationSignal.addEventListener('abort', onAbort, { once: true });
}

/** Events that come at any time, taken in their order. */
class Inbox<Item> {
  readonly #items: Item[] = [];
  #arrive = () => {};
  #arrival = this.#newArrival();

  /** Resolves when there is something to take. */
  get arrival(): Promise<undefined> {
    return this.#arrival;
  }

  put(item: Item): void {
    this.#items.push(item);
    this.#arrive();
  }

  *take(): Generator<Item> {
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) yield item;
    this.#arrival = this.#newArrival();
  }

  #newArrival(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#arrive = () => resolve(undefined);
    });
  }
}

/** Epoch milliseconds, never slower than wall or monotonic clock: a frozen process or a clock set back must not look young. */
function steadyClock(): () => number {
  const wallMs = Date.now();
  const monotonicMs = performance.now();
  return () => Math.max(Date.now(), wallMs + performance.now() - monotonicMs);
}
