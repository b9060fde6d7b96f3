/** The requests of one attempt to ServiceStage and their results: answers, failures, and answers that are lost. */
import type { Command, Event, OnceRules, PollCommand } from '../../src/domain/once/events.js';
import type { Attempt } from './attempt.js';
import type { Post } from './ground-truth.js';
import { OUR_USER } from './cloud.js';
import type { FaultEffect } from './scenario.js';
import type { World } from './world.js';

type Failed = Extract<Event, { kind: 'failed' }>;
type Request = Extract<Command, { kind: 'reserve' | 'read' | 'inspect' | 'poll' | 'connect' | 'send' }>;

/** A frozen process that wakes later than this after a timeout finds both: the answer and the timeout. */
const NOTICEABLY_LATE_MS = 5;

const SLOW_ANSWER_SEEN_AFTER_MS = 50;

/** The requests of one attempt. Each command is answered by one event, unless another command comes first. */
export class Requests {
  /** The time of the state that the newest reading showed. */
  #readAtMs = 0;

  constructor(
    private readonly world: World,
    private readonly attempt: Attempt,
    private readonly rules: OnceRules,
  ) {}

  perform(request: Request): void {
    const { attempt } = this;
    if (attempt.isElsewhere && 'giveUpAtMs' in request && request.kind !== 'reserve')
      return this.#answer(this.#latencyMs(), request.giveUpAtMs, () => failed('TargetNotFound'));
    switch (request.kind) {
      case 'reserve':
        return this.#reserve(request.giveUpAtMs);
      case 'read':
        return attempt.whileUnderWay(request.inMs, () => this.#read(request.giveUpAtMs));
      case 'inspect':
        return this.#inspect(request.cloudJobId, request.giveUpAtMs);
      case 'poll':
        return this.#pollLater(request);
      case 'connect':
        return this.#connect();
      case 'send':
        return this.#send();
    }
  }

  /** Answers a request after `tookMs`, or with `timeUp` if that comes first. */
  #answer(tookMs: number, giveUpAtMs: number, event: () => Event): void {
    const { attempt, world } = this;
    const { turn } = attempt;
    const leftMs = Math.max(0, giveUpAtMs - attempt.nowMs);
    const isInTime = tookMs < leftMs;
    attempt.later(Math.min(tookMs, leftMs), () => {
      if (attempt.turn !== turn) return;
      const isLate = attempt.nowMs > giveUpAtMs + NOTICEABLY_LATE_MS && world.dice.chance(0.5);
      attempt.answerTo(turn, isInTime && !isLate ? event() : { kind: 'timeUp' });
    });
  }

  #latencyMs(): number {
    const { dice } = this.world;
    return dice.chance(0.9) ? dice.whole(10, 120) : dice.whole(100, 1_500);
  }

  #read(giveUpAtMs: number): void {
    const { mishaps, cloud, time } = this.world;
    const askedAtMs = time.nowMs;
    const byItsClockMs = this.attempt.nowMs;
    const effect = mishaps.at('read');
    this.#get(effect, giveUpAtMs, (tookMs) => {
      // The reading shows the state while the request is under way, not when the answer arrives. One that is slow was read at its beginning.
      const seenAfterMs = effect?.kind === 'slow' ? Math.min(tookMs / 2, SLOW_ANSWER_SEEN_AFTER_MS) : tookMs / 2;
      this.#readAtMs = Math.min(time.nowMs, askedAtMs + seenAfterMs);
      mishaps.passed('reading');
      return { kind: 'reading', reading: cloud.reading(this.#readAtMs), askedAtMs: byItsClockMs };
    });
  }

  #inspect(cloudJobId: string, giveUpAtMs: number): void {
    const { mishaps, cloud, scenario, time } = this.world;
    this.#get(mishaps.at('inspect'), giveUpAtMs, () => {
      const ownUserId = scenario.cloud.ownUserKnown ? OUR_USER : null;
      return { kind: 'inspected', job: cloud.job(cloudJobId, time.nowMs), ownUserId };
    });
  }

  /** Waits for as long as the world's rule of polling decides. */
  #pollLater(request: PollCommand): void {
    const { attempt } = this;
    const { polls } = this.world;
    const latestMs = request.latestAtMs - attempt.nowMs;
    attempt.whileUnderWay(Math.min(polls(request, attempt.nowMs), latestMs), () => this.#poll(request));
  }

  #poll({ cloudJobId, giveUpAtMs }: PollCommand): void {
    const { mishaps, cloud, time } = this.world;
    const askedAtMs = this.attempt.nowMs;
    this.#get(mishaps.at('poll'), giveUpAtMs, () => {
      const job = cloud.job(cloudJobId, time.nowMs);
      return job === null ? failed('TargetNotFound') : { kind: 'polled', job, askedAtMs };
    });
  }

  /** A GET, which has a timeout of its own. */
  #get(effect: FaultEffect | null, giveUpAtMs: number, answer: (tookMs: number) => Event): void {
    const { readTimeoutMs } = this.rules.limits;
    const { truth, time } = this.world;
    if (effect !== null && effect.kind !== 'slow') truth.failedReadings.push(time.nowMs);
    if (effect?.kind === 'hangs') return this.#answer(readTimeoutMs, giveUpAtMs, () => failed('Unreachable'));
    const tookMs = effect?.kind === 'slow' ? Math.min(effect.ms, readTimeoutMs) : this.#latencyMs();
    this.#answer(tookMs, giveUpAtMs, () => (effect?.kind === 'fails' ? failedBy(effect) : answer(tookMs)));
  }

  #reserve(giveUpAtMs: number): void {
    const effect = this.world.mishaps.at('reserve');
    const { budgetWaitMs } = this.rules.limits;
    if (effect?.kind === 'hangs') return this.#answer(budgetWaitMs, giveUpAtMs, () => failed('Throttled'));
    const tookMs = effect?.kind === 'slow' ? Math.min(effect.ms, budgetWaitMs) : 0;
    this.#answer(tookMs, giveUpAtMs, () => (effect?.kind === 'fails' ? failedBy(effect) : { kind: 'reserved' }));
  }

  #connect(): void {
    const { attempt, world } = this;
    const { turn } = attempt;
    const effect = world.mishaps.at('connect');
    world.mishaps.passed('connecting');
    // As in `src/servicestage/http.ts`.
    const longestMs = this.rules.limits.postTimeoutMs / 2;
    const slowMs = effect?.kind === 'slow' ? effect.ms : this.#latencyMs();
    const tookMs = effect?.kind === 'hangs' ? longestMs : Math.min(slowMs, longestMs);
    const fails = effect?.kind === 'fails' || effect?.kind === 'hangs';
    attempt.later(tookMs, () => attempt.answerTo(turn, fails ? failed('Unreachable') : { kind: 'connected' }));
  }

  #send(): void {
    const { world, attempt } = this;
    const { record, token } = attempt;
    const { decision, holder } = token.activity.request;
    if (decision === null) return attempt.breach('sends without a decision');
    if (++record.posts > 1) attempt.breach('sends twice in one attempt');
    const sentAtMs = world.time.nowMs;
    const post: Post = { decision, attempt: record, holder, sentAtMs, readAtMs: this.#readAtMs, job: null };
    decision.posts.push(post);
    world.truth.posts.push(post);
    if (decision.posts.length > 1) world.truth.count('resends');
    const effect = world.mishaps.at('post');
    world.mishaps.passed('sending');
    if (effect?.kind === 'fails') this.#answerPost(this.#latencyMs(), () => failedBy(effect));
    else if (effect?.kind === 'refused') this.#answerPost(this.#latencyMs(), () => failed(effect.failure, 'refused'));
    else if (effect?.kind === 'lost') this.#lose(post, effect);
    else this.#deliver(post, effect?.kind === 'slow' ? effect.ms : world.dice.whole(5, 150));
  }

  #lose(post: Post, { arrives, acceptedAfterMs, answeredAfterMs }: Extract<FaultEffect, { kind: 'lost' }>): void {
    post.decision.doubts.add('an answer was lost');
    if (arrives) this.#arrive(post, acceptedAfterMs);
    this.#answerPost(answeredAfterMs, () => failed('Unanswered', 'unknown'));
  }

  #deliver(post: Post, afterMs: number): void {
    const answeredAfterMs = afterMs + this.#latencyMs();
    const isTooLate = answeredAfterMs >= this.rules.limits.postTimeoutMs;
    if (isTooLate) post.decision.doubts.add('an answer was lost');
    const taken = this.#arrive(post, afterMs);
    this.#answerPost(answeredAfterMs, () => (isTooLate ? null : taken.event) ?? failed('Unanswered', 'unknown'));
  }

  /** The first byte is out: what happens next depends on the cloud, whatever happens to the process. */
  #arrive(post: Post, afterMs: number): { event: Event | null } {
    const { time, cloud, log } = this.world;
    const taken: { event: Event | null } = { event: null };
    time.after(Math.min(afterMs, this.rules.limits.postTimeoutMs), () => {
      const answer = cloud.submit(post.decision.action, post);
      taken.event =
        'job' in answer ? { kind: 'accepted', cloudJobId: answer.job.id } : failed(answer.refused, 'refused');
      log('cloud', () => ('job' in answer ? `accepts ${answer.job.id}` : `refuses: ${answer.refused}`));
    });
    return taken;
  }

  #answerPost(afterMs: number, event: () => Event): void {
    const { attempt, world } = this;
    const { turn } = attempt;
    attempt.later(Math.min(afterMs, this.rules.limits.postTimeoutMs), () => {
      world.mishaps.passed('answered');
      attempt.answerTo(turn, event());
    });
  }
}

function failed(failure: Failed['failure'], request: Failed['request'] = 'no'): Failed {
  return { kind: 'failed', failure, message: failure, request };
}

function failedBy({ failure, retryAfterMs, tokenExpired }: Extract<FaultEffect, { kind: 'fails' }>): Failed {
  return {
    ...failed(failure),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(tokenExpired === undefined ? {} : { tokenExpired }),
  };
}
