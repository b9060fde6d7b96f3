/**
 * The abstract Temporal server: activities with attempts, heartbeats, timeouts, retries, resets, pauses and cancels, as in
 * `temporalio/temporal` (`service/history/workflow/activity.go`). Attempts are identified only by their number, which a reset repeats.
 */
import type { AttemptFacts, Event, OnceRules } from '../../src/domain/once/events.js';
import type { Ending, OnceState } from '../../src/domain/once/state.js';
import { Attempt } from './attempt.js';
import type { DecisionRecord, HolderRecord } from './ground-truth.js';
import type { World } from './world.js';

/** What the workflow schedules. */
export interface ActivityRequest {
  readonly name: string;
  readonly goal: 'act' | { readonly left: OnceState; readonly prior: Ending | null };
  readonly rules: OnceRules;
  readonly decision: DecisionRecord | null;
  readonly holder: HolderRecord;
  readonly decidedInRunId: string;
  readonly scheduleToCloseMs: number;
}

/** How an activity ended, as its workflow receives it. */
export type ActivityEnd =
  /** `settledInRunId`: only of a settle before a first step. */
  | { readonly kind: 'completed'; readonly state: OnceState; readonly settledInRunId: string | null }
  | { readonly kind: 'failed'; readonly state: OnceState }
  | { readonly kind: 'timedOut'; readonly details: OnceState | null }
  /** Without a state if no attempt was running. */
  | { readonly kind: 'cancelled'; readonly state: OnceState | null };

/** Identifies an attempt in its calls to the server. */
export interface Token {
  readonly activity: Activity;
  readonly attempt: number;
  /** Which start of that number it is; the server itself does not check this. */
  readonly turn: number;
}

/** The server's answer to an attempt that asks whether it is the current one. */
export type StandingAnswer = Omit<Extract<Event, { kind: 'standing' }>, 'kind'>;

/** The answer to a heartbeat. */
export type Pulse = 'fine' | 'cancelled' | 'asked to end' | 'not found';

/** A pending activity, as the server knows it. */
export interface Activity {
  readonly request: ActivityRequest;
  readonly scheduledAtMs: number;
  readonly closesAtMs: number;
  readonly onEnd: (end: ActivityEnd) => void;
  attempt: number;
  attemptScheduledAtMs: number;
  startedAtMs: number | null;
  lastContactAtMs: number;
  details: OnceState | null;
  cancelRequested: boolean;
  paused: boolean;
  wasReset: boolean;
  forgets: boolean;
  /** The newest failure of an attempt was a heartbeat timeout. */
  isAfterTimeout: boolean;
  open: boolean;
  /** Increased by everything that makes a pending start or timeout void. */
  turn: number;
}

/** One namespace with one worker deployment: an attempt starts as soon as it is dispatched. */
export class Server {
  /** Newest last, including those that ended. */
  readonly attempts: Attempt[] = [];

  constructor(private readonly world: () => World) {}

  /** @param scheduledAtMs in the past if a reset keeps the schedule event of its history */
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
      lastContactAtMs: 0,
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

  /** Its workflow was closed. */
  abandon(activity: Activity): void {
    activity.open = false;
    activity.turn++;
  }

  requestCancel(activity: Activity): void {
    if (!activity.open) return;
    activity.cancelRequested = true;
    // Between attempts there is no attempt to ask.
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

  /** Accepts started attempts only, identified by number: the result of an old attempt counts if its number is the same. */
  #knows({ activity, attempt }: Token): boolean {
    return activity.open && activity.startedAtMs !== null && activity.attempt === attempt;
  }

  heartbeat(token: Token, state: OnceState): Pulse {
    if (!this.#knows(token)) return 'not found';
    const { activity } = token;
    activity.details = state;
    activity.lastContactAtMs = this.world().time.nowMs;
    this.world().mishaps.passed('heartbeatTaken');
    if (activity.cancelRequested) return 'cancelled';
    return activity.paused || activity.wasReset ? 'asked to end' : 'fine';
  }

  /** The description of the pending activity, compared with what the attempt knows about itself. */
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

  /** @returns true if the server accepted it */
  complete(token: Token, state: OnceState): boolean {
    if (!this.#knows(token)) return false;
    const { goal, holder } = token.activity.request;
    const settledInRunId = goal !== 'act' && goal.prior === null ? holder.runId : null;
    this.#closeBy(token, { kind: 'completed', state, settledInRunId });
    return true;
  }

  cancelled(token: Token, state: OnceState): boolean {
    if (!this.#knows(token) || !token.activity.cancelRequested) return false;
    this.#closeBy(token, { kind: 'cancelled', state });
    return true;
  }

  /** @param retryInMs `null`: not retried */
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

  /** @returns false if it is not retried */
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
    const effect = mishaps.at('dispatch');
    const noWorkerMs = effect?.kind === 'noWorker' ? effect.ms : 0;
    const onItsWayMs = effect?.kind === 'deliveredLate' ? effect.ms : 0;
    const turn = ++activity.turn;
    time.at(Math.max(time.nowMs, activity.attemptScheduledAtMs) + dice.whole(2, 20) + noWorkerMs, () => {
      if (!activity.open || activity.turn !== turn) return;
      activity.startedAtMs = time.nowMs;
      activity.lastContactAtMs = time.nowMs;
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

  /** An attempt without a heartbeat within the heartbeat timeout is lost. */
  #listen(activity: Activity, turn: number): void {
    const { time, truth, log } = this.world();
    const { heartbeatTimeoutMs } = activity.request.rules.limits;
    time.at(activity.lastContactAtMs + heartbeatTimeoutMs, () => {
      if (!activity.open || activity.turn !== turn) return;
      if (time.nowMs < activity.lastContactAtMs + heartbeatTimeoutMs) {
        this.#listen(activity, turn);
        return;
      }
      truth.count('heartbeat timeouts');
      log('server', () => `${activity.request.name}: attempt ${activity.attempt} is lost`);
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
