/**
 * The abstract Temporal server: activities with attempts, heartbeats, time-outs, retries, resets, pauses and cancels, as `temporalio/temporal`
 * has them (`service/history/workflow/activity.go`). Attempts are known by their number alone, which a reset repeats.
 */
import type { AttemptFacts, Event, OnceRules } from '../../src/domain/once/events.js';
import type { Ending, OnceState } from '../../src/domain/once/state.js';
import { Attempt } from './attempt.js';
import type { DecisionRecord, HolderRecord } from './chronicle.js';
import type { World } from './world.js';

/** What the workflow asks for. */
export interface ActivityRequest {
  readonly name: string;
  readonly goal: 'act' | { readonly left: OnceState; readonly prior: Ending | null };
  readonly rules: OnceRules;
  readonly decision: DecisionRecord | null;
  readonly holder: HolderRecord;
  readonly decidedInRunId: string;
  readonly scheduleToCloseMs: number;
}

/** How an activity ended, as its workflow hears of it. */
export type ActivityEnd =
  | { readonly kind: 'completed'; readonly state: OnceState }
  | { readonly kind: 'failed'; readonly state: OnceState }
  | { readonly kind: 'timedOut'; readonly details: OnceState | null }
  /** Without a state where no attempt was running. */
  | { readonly kind: 'cancelled'; readonly state: OnceState | null };

/** By which an attempt speaks to the server. */
export interface Token {
  readonly activity: Activity;
  readonly attempt: number;
  /** Which start it is of: what the server itself does not look at. */
  readonly turn: number;
}

/** What the server says of an attempt that asks. */
export type StandingAnswer = Omit<Extract<Event, { kind: 'standing' }>, 'kind'>;

/** What a heartbeat is answered. */
export type Pulse = 'fine' | 'cancelled' | 'told to end' | 'not found';

/** A pending activity, as the server knows it. */
export interface Activity {
  readonly request: ActivityRequest;
  readonly scheduledAtMs: number;
  readonly closesAtMs: number;
  readonly onEnd: (end: ActivityEnd) => void;
  attempt: number;
  attemptScheduledAtMs: number;
  startedAtMs: number | null;
  heardAtMs: number;
  details: OnceState | null;
  cancelRequested: boolean;
  paused: boolean;
  wasReset: boolean;
  forgets: boolean;
  /** The newest failure of an attempt was that nobody heard of it. */
  isAfterTimeout: boolean;
  open: boolean;
  /** Raised by whatever makes a pending start or time-out void. */
  turn: number;
}

/** One namespace with one worker deployment: an attempt is taken up as soon as it is dispatched. */
export class Server {
  /** Newest last; those that ended too. */
  readonly attempts: Attempt[] = [];

  constructor(private readonly world: () => World) {}

  /** @param scheduledAtMs in the past where a reset brings back what its history already holds */
  schedule(request: ActivityRequest, scheduledAtMs: number, onEnd: (end: ActivityEnd) => void): Activity {
    const { time } = this.world();
    const activity: Activity = {
      request,
      scheduledAtMs,
      closesAtMs: time.nowMs + request.scheduleToCloseMs,
      onEnd,
      attempt: 1,
      attemptScheduledAtMs: scheduledAtMs,
      startedAtMs: null,
      heardAtMs: 0,
      details: null,
      cancelRequested: false,
      paused: false,
      wasReset: false,
      forgets: false,
      isAfterTimeout: false,
      open: true,
      turn: 0,
    };
    time.at(activity.closesAtMs, () => {
      if (activity.open) this.#close(activity, { kind: 'timedOut', details: activity.details });
    });
    this.#dispatch(activity);
    return activity;
  }

  /** Its workflow was closed over it. */
  abandon(activity: Activity): void {
    activity.open = false;
    activity.turn++;
  }

  requestCancel(activity: Activity): void {
    if (!activity.open) return;
    activity.cancelRequested = true;
    // Between attempts there is nobody to ask.
    if (activity.startedAtMs === null) this.#close(activity, { kind: 'cancelled', state: null });
  }

  reset(activity: Activity, forgetting: boolean): void {
    if (!activity.open) return;
    activity.attempt = 1;
    activity.wasReset = true;
    if (forgetting) activity.forgets = true;
    if (activity.startedAtMs !== null) return;
    if (forgetting) activity.details = null;
    activity.paused = false;
    this.#again(activity);
  }

  pause(activity: Activity): void {
    if (!activity.open) return;
    activity.paused = true;
    if (activity.startedAtMs === null) activity.turn++;
  }

  unpause(activity: Activity, resetting: boolean): void {
    if (!activity.open || !activity.paused) return;
    activity.paused = false;
    if (resetting) activity.attempt = 1;
    if (activity.startedAtMs === null) this.#again(activity);
  }

  /** Started attempts only, and by number: an old attempt's word counts where the number is the same. */
  #knows({ activity, attempt }: Token): boolean {
    return activity.open && activity.startedAtMs !== null && activity.attempt === attempt;
  }

  heartbeat(token: Token, state: OnceState): Pulse {
    if (!this.#knows(token)) return 'not found';
    const { activity } = token;
    activity.details = state;
    activity.heardAtMs = this.world().time.nowMs;
    this.world().mishaps.passed('heartbeatTaken');
    if (activity.cancelRequested) return 'cancelled';
    return activity.paused || activity.wasReset ? 'told to end' : 'fine';
  }

  /** The description of the pending activity, held against what the attempt knows of itself. */
  describe({ activity, attempt }: Token, { attemptScheduledAtMs }: AttemptFacts): StandingAnswer {
    const isThisOne =
      activity.open &&
      activity.startedAtMs !== null &&
      (!activity.paused || activity.cancelRequested) &&
      activity.attempt === attempt &&
      activity.attemptScheduledAtMs === attemptScheduledAtMs;
    return {
      standing: isThisOne ? 'current' : 'superseded',
      ...(activity.open && activity.isAfterTimeout ? { isAfterTimeout: true } : {}),
    };
  }

  /** @returns whether the server took it */
  complete(token: Token, state: OnceState): boolean {
    if (!this.#knows(token)) return false;
    this.#closeBy(token, { kind: 'completed', state });
    return true;
  }

  cancelled(token: Token, state: OnceState): boolean {
    if (!this.#knows(token) || !token.activity.cancelRequested) return false;
    this.#closeBy(token, { kind: 'cancelled', state });
    return true;
  }

  /** @param retryInMs `null`: not to be tried again */
  fail(token: Token, state: OnceState, retryInMs: number | null): boolean {
    if (!this.#knows(token)) return false;
    const { activity } = token;
    activity.details = state;
    if (retryInMs === null || !this.#retry(activity, retryInMs, false)) this.#closeBy(token, { kind: 'failed', state });
    return true;
  }

  /** The server does not compare which start of its number an attempt is. */
  #closeBy({ activity, turn }: Token, end: ActivityEnd): void {
    const { decision } = activity.request;
    if (decision !== null && turn !== activity.turn) decision.isMisheard = true;
    this.#close(activity, end);
  }

  #close(activity: Activity, end: ActivityEnd): void {
    this.abandon(activity);
    activity.onEnd(end);
  }

  /** @returns false where it is not tried again */
  #retry(activity: Activity, delayMs: number, isAfterTimeout: boolean): boolean {
    const { time, scenario, mishaps } = this.world();
    const nextAtMs = time.nowMs + delayMs;
    if (activity.cancelRequested || (nextAtMs > activity.closesAtMs && !activity.paused)) return false;
    activity.attempt = activity.wasReset ? scenario.temporal.attemptAfterReset : activity.attempt + 1;
    if (activity.forgets) activity.details = null;
    activity.wasReset = false;
    activity.forgets = false;
    activity.isAfterTimeout = isAfterTimeout;
    activity.startedAtMs = null;
    activity.turn++;
    if (activity.paused) return true;
    activity.attemptScheduledAtMs = nextAtMs;
    mishaps.passed('retryWaits');
    this.#dispatch(activity);
    return true;
  }

  #again(activity: Activity): void {
    activity.attemptScheduledAtMs = this.world().time.nowMs;
    activity.turn++;
    this.#dispatch(activity);
  }

  #dispatch(activity: Activity): void {
    if (activity.paused) return;
    const { time, dice, mishaps } = this.world();
    const struck = mishaps.at('dispatch');
    const noWorkerMs = struck?.kind === 'noWorker' ? struck.ms : 0;
    const onItsWayMs = struck?.kind === 'deliveredLate' ? struck.ms : 0;
    const turn = ++activity.turn;
    time.at(Math.max(time.nowMs, activity.attemptScheduledAtMs) + dice.whole(2, 20) + noWorkerMs, () => {
      if (!activity.open || activity.turn !== turn) return;
      activity.startedAtMs = time.nowMs;
      activity.heardAtMs = time.nowMs;
      this.#listen(activity, turn);
      const { attempt, details } = activity;
      const facts = this.#factsOf(activity);
      time.after(dice.whole(1, 10) + onItsWayMs, () => {
        this.attempts.push(new Attempt(this.world(), { activity, attempt, turn }, facts, details));
      });
    });
  }

  #factsOf({ attempt, scheduledAtMs, attemptScheduledAtMs, request }: Activity): AttemptFacts {
    const { holder, decidedInRunId } = request;
    return { attempt, runId: holder.runId, decidedInRunId, scheduledAtMs, attemptScheduledAtMs };
  }

  /** An attempt that is not heard of for the heartbeat time-out is lost. */
  #listen(activity: Activity, turn: number): void {
    const { time, chronicle, tell } = this.world();
    const { heartbeatTimeoutMs } = activity.request.rules.limits;
    time.at(activity.heardAtMs + heartbeatTimeoutMs, () => {
      if (!activity.open || activity.turn !== turn) return;
      if (time.nowMs < activity.heardAtMs + heartbeatTimeoutMs) {
        this.#listen(activity, turn);
        return;
      }
      chronicle.count('heartbeat time-outs');
      tell('server', () => `${activity.request.name}: attempt ${activity.attempt} is lost`);
      activity.request.decision?.doubts.add('an attempt was lost');
      if (!this.#retry(activity, backoffMs(activity), true))
        this.#close(activity, { kind: 'timedOut', details: activity.details });
    });
  }
}

/** As `proxies.ts` sets it for attempts that are lost. */
function backoffMs({ attempt, request }: Activity): number {
  const { quietMs } = request.rules.limits;
  return Math.min(Math.max(50, Math.round(quietMs / 5)) * 1.5 ** (attempt - 1), Math.max(100, 2 * quietMs));
}
