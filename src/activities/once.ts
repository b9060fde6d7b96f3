/** Carries out the commands of the once machine and feeds back what happened. The only loop of the protocol that does I/O. */
import { Context } from '@temporalio/activity';
import { ServiceStageError } from '../servicestage/errors.js';
import type { PostReservation, ServiceStage } from '../servicestage/service-stage.js';
import { jobKindOf } from '../domain/durations/job-kind.js';
import type { JobKind } from '../domain/durations/durations.js';
import type { Command, Event, OnceRules, Step } from '../domain/once/events.js';
import { next } from '../domain/once/next.js';
import { asHeartbeat, endingOf, isSilent, withTasks, type OnceState } from '../domain/once/state.js';
import type { Action } from '../domain/target/actions.js';
import { tasksSeen, type SeenTasks } from '../domain/target/cloud-job-tasks.js';
import { LONGEST_TIMER_MS, orDeadline, pause } from '../time/pause.js';
import type { CloudJobWatch } from './cloud-job-watch.js';
import { interruptionBy } from './interruption.js';
import { logCloudJob } from './log-endings.js';
import { observeEvent, type ActivityObserver } from './observer.js';
import type { TemporalAccess } from './temporal-access.js';
import { failureNameOf } from './to-failure.js';

/** What the commands are carried out with. */
export interface OnceDependencies {
  readonly serviceStage: ServiceStage;
  readonly temporal: TemporalAccess;
  readonly watch: CloudJobWatch;
  readonly observer?: ActivityObserver;
}

/**
 * One attempt, from its first step to its end.
 *
 * @param begin the machine's first step, given the time
 * @returns the state of an attempt that has ended; `state.phase` shows how
 */
export async function runOnce(
  dependencies: OnceDependencies,
  rules: OnceRules,
  begin: (nowMs: number) => Step,
): Promise<OnceState> {
  return new Attempt(dependencies, rules, begin).run();
}

type Answer = Event | { readonly kind: 'notSent' };

/** One attempt while it runs: the machine's newest step and the place in the request budget. */
class Attempt {
  readonly #context = Context.current();
  readonly #clock = steadyClock();
  /** The machine has received that the attempt is asked to end; the context asks only once. */
  #isInterrupted = false;
  #step: Step;
  /** For people who watch; the machine does not know them. */
  #tasks: SeenTasks | null = null;
  #reservation: PostReservation | undefined;

  constructor(
    private readonly dependencies: OnceDependencies,
    private readonly rules: OnceRules,
    begin: (nowMs: number) => Step,
  ) {
    this.#step = begin(this.#clock());
    this.#record(this.#step);
  }

  async run(): Promise<OnceState> {
    const heartbeats = setInterval(() => this.#heartbeat(), this.rules.limits.heartbeatTimeoutMs / 3);
    try {
      let { command } = this.#step;
      while (command !== null && command.kind !== 'end') command = await this.#carryOut(command);
      const { state } = this.#step;
      this.dependencies.observer?.attemptEnded(state.goal.kind, this.rules.action?.action ?? null, endingOf(state));
      return state;
    } finally {
      clearInterval(heartbeats);
      this.#reservation?.release();
      this.#leaveCloudJob();
    }
  }

  /** Shows the server that the attempt is alive: polls and readings can be far apart. */
  #heartbeat(): void {
    if (isSilent(this.#step.state)) return;
    this.#feed({ kind: 'heartbeat' });
    this.#sendHeartbeat(this.#step.state);
  }

  #record({ state, record }: Step): void {
    if (record === true) this.#sendHeartbeat(state);
  }

  #sendHeartbeat(state: OnceState): void {
    this.#context.heartbeat(withTasks(asHeartbeat(state), this.#tasks));
  }

  #feed(event: Event): Command | null {
    const before = this.#step.state.cloudJob;
    this.#step = next(this.#step.state, event, this.rules, this.#clock());
    this.#record(this.#step);
    logCloudJob(this.#context, this.#step.state);
    const { observer } = this.dependencies;
    const { action } = this.rules;
    if (observer !== undefined && action !== null)
      observeEvent(observer, action.action, event.kind, before, this.#step.state.cloudJob);
    return this.#step.command;
  }

  /** @returns the next command, once this one is answered, given up or overtaken by an interruption */
  async #carryOut(command: Command): Promise<Command | null> {
    const ending = new AbortController();
    const answer = this.#answerTo(command, ending.signal);
    const timer = 'giveUpAtMs' in command ? this.#timerUntil(command.giveUpAtMs) : null;
    const interruption = this.#isInterrupted ? null : interruptionOf(this.#context);
    const answers: Promise<Answer>[] = timer === null ? [answer] : [answer, timer.timeUp];
    let isAnswered = false;
    try {
      let first = await Promise.race(interruption === null ? answers : [...answers, interruption.interrupted]);
      if (first.kind === 'interrupted') {
        this.#isInterrupted = true;
        const instead = this.#feed(first);
        if (instead !== null) return instead;
        first = await Promise.race(answers);
      }
      isAnswered = first.kind !== 'timeUp';
      return this.#after(first);
    } finally {
      timer?.clear();
      interruption?.clear();
      // Only if something is still under way: an abort costs more CPU than the rest of this function.
      if (!isAnswered) ending.abort();
      answer.catch(() => {});
    }
  }

  /** If the POST ended before its first byte, the machine has already decided what follows. */
  #after(event: Answer): Command | null {
    if (event.kind === 'notSent') return this.#step.command;
    if (event.kind === 'polled') this.#tasks = tasksSeen(event.job, event.askedAtMs);
    const command = this.#feed(event);
    const { cloudJob } = this.#step.state;
    if (event.kind === 'polled' && cloudJob !== null) this.dependencies.watch.saw(this.#jobKind(), cloudJob);
    return command;
  }

  #leaveCloudJob(): void {
    const { cloudJob } = this.#step.state;
    if (cloudJob !== null) this.dependencies.watch.leave(this.#jobKind(), cloudJob);
  }

  #jobKind(): JobKind {
    const { action, target } = this.rules;
    if (action === null) throw new TypeError('No action has made this cloud job');
    return jobKindOf(action.action, target.path);
  }

  #timerUntil(atMs: number): { readonly timeUp: Promise<Event>; clear(): void } {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<Event>((resolve) => {
      const check = () => {
        const leftMs = atMs - this.#clock();
        if (leftMs <= 0) resolve({ kind: 'timeUp' });
        else timer = setTimeout(check, Math.min(leftMs, LONGEST_TIMER_MS));
      };
      check();
    });
    return { timeUp, clear: () => clearTimeout(timer) };
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
    const { serviceStage, temporal } = this.dependencies;
    const { info } = this.#context;
    const { target, limits } = this.rules;
    const options = { timeoutMs: limits.readTimeoutMs, signal };
    switch (command.kind) {
      case 'askServer':
        return {
          kind: 'standing',
          ...(await temporal.standing(info, this.#step.state, command.giveUpAtMs - this.#clock())),
        };
      case 'reserve':
        this.#reservation = await serviceStage.reservePost({ ...limits, signal });
        return { kind: 'reserved' };
      case 'read':
        await this.#pause(command.inMs, signal);
        return {
          kind: 'reading',
          askedAtMs: this.#clock(),
          reading: await serviceStage.readInstance(target, options),
        };
      case 'inspect': {
        const ownUserId = await serviceStage.ownUserId(options);
        return { kind: 'inspected', ownUserId, job: await this.#jobOrNull(command.cloudJobId, options) };
      }
      case 'poll': {
        await this.dependencies.watch.untilPoll(this.#jobKind(), command, this.#clock, signal);
        const askedAtMs = this.#clock();
        return { kind: 'polled', askedAtMs, job: await serviceStage.readCloudJob(command.cloudJobId, options) };
      }
      case 'connect':
        return { kind: 'accepted', cloudJobId: await this.#post() };
      case 'lease':
      case 'send':
      case 'end':
        throw new TypeError(`${command.kind} is not a command by itself`);
    }
  }

  /** By the attempt's own clock: a timer of Node may fire some milliseconds early, and a reading asked for too early has to be repeated. */
  async #pause(durationMs: number, signal: AbortSignal): Promise<void> {
    const endAtMs = this.#clock() + durationMs;
    await pause(durationMs, signal);
    const leftMs = endAtMs - this.#clock();
    // A clock that is set back must not prolong it for as long.
    if (leftMs > 0) await pause(Math.min(leftMs, durationMs), signal);
  }

  /** No cancellation signal: cutting the connection would not take back what the server already reads. */
  async #post(): Promise<string> {
    const { target, action, limits } = this.rules;
    const { temporal } = this.dependencies;
    if (this.#reservation === undefined) throw new TypeError('A POST needs a reservation');
    const { cloudJobId } = await this.#reservation.submitAction(target, action as Action, {
      timeoutMs: limits.postTimeoutMs,
      beforeFirstByte: async () => {
        const command = this.#feed({ kind: 'connected' });
        if (command?.kind !== 'lease') throw NOT_SENT;
        const { isYoung, giveUpAtMs } = command;
        const leftMs = giveUpAtMs - this.#clock();
        const asked = temporal.sendLease(this.#context.info, this.#step.state, isYoung, leftMs);
        const standing = await orDeadline(asked, giveUpAtMs);
        const event: Event = standing === null ? { kind: 'timeUp' } : { kind: 'standing', ...standing };
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

/** Ends the POST before its first byte, because the machine did not say `send`. */
const NOT_SENT = new Error('not sent');

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

/**
 * Resolves when the attempt is asked to end. Each command needs one of its own, cleared after it: a race with a promise that stays pending keeps
 * the answer that won in memory, and an attempt makes hundreds of polls.
 */
function interruptionOf(context: Context): { readonly interrupted: Promise<Event>; clear(): void } {
  const { cancellationSignal } = context;
  let onAbort = () => {};
  const interrupted = new Promise<Event>((resolve) => {
    onAbort = () => resolve({ kind: 'interrupted', by: interruptionBy(context) });
    if (cancellationSignal.aborted) onAbort();
    else cancellationSignal.addEventListener('abort', onAbort, { once: true });
  });
  return { interrupted, clear: () => cancellationSignal.removeEventListener('abort', onAbort) };
}

/**
 * Epoch milliseconds, never slower than the wall clock or the monotonic clock: neither a frozen process nor a clock
 * that was set back makes an attempt seem young.
 */
function steadyClock(): () => number {
  const wallMs = Date.now();
  const monotonicMs = performance.now();
  return () => Math.max(Date.now(), Math.ceil(wallMs + performance.now() - monotonicMs));
}
