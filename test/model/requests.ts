/** What one attempt asks of ServiceStage, and what comes of it: answers, failures, and answers that are lost. */
import type { Command, Event, OnceRules } from '../../src/domain/once/events.js';
import type { Attempt } from './attempt.js';
import type { Post } from './chronicle.js';
import { OUR_USER } from './cloud.js';
import type { Mischief } from './scenario.js';
import type { World } from './world.js';

type Failed = Extract<Event, { kind: 'failed' }>;
type Request = Extract<Command, { kind: 'reserve' | 'read' | 'inspect' | 'poll' | 'connect' | 'send' }>;

/** A frozen process that wakes later than that after its time was up finds both: the answer and that its time is up. */
const NOTICEABLY_LATE_MS = 5;

/** Of one attempt; each command is answered by one event, unless another command comes before. */
export class Requests {
  /** When the instance was as the newest reading showed it. */
  #readAtMs = 0;

  constructor(
    private readonly world: World,
    private readonly attempt: Attempt,
    private readonly rules: OnceRules,
  ) {}

  perform(request: Request): void {
    const { attempt } = this;
    switch (request.kind) {
      case 'reserve':
        return this.#reserve(request.giveUpAtMs);
      case 'read':
        return attempt.whileUnderWay(request.inMs, () => this.#read(request.giveUpAtMs));
      case 'inspect':
        return this.#inspect(request.cloudJobId, request.giveUpAtMs);
      case 'poll':
        return attempt.whileUnderWay(request.inMs, () => this.#poll(request.cloudJobId, request.giveUpAtMs));
      case 'connect':
        return this.#connect();
      case 'send':
        return this.#send();
    }
  }

  /** What comes of a request after `tookMs`, or that its time is up before. */
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
    this.#get(mishaps.at('read'), giveUpAtMs, (tookMs) => {
      // The instance is looked at while the request is under way, not when the answer is read.
      this.#readAtMs = Math.min(time.nowMs, askedAtMs + tookMs / 2);
      mishaps.passed('reading');
      return { kind: 'reading', reading: cloud.reading(this.#readAtMs) };
    });
  }

  #inspect(cloudJobId: string, giveUpAtMs: number): void {
    const { mishaps, cloud, scenario, time } = this.world;
    this.#get(mishaps.at('inspect'), giveUpAtMs, () => {
      const ownUserId = scenario.cloud.ownUserKnown ? OUR_USER : null;
      return { kind: 'inspected', job: cloud.job(cloudJobId, time.nowMs), ownUserId };
    });
  }

  #poll(cloudJobId: string, giveUpAtMs: number): void {
    const { mishaps, cloud, time } = this.world;
    this.#get(mishaps.at('poll'), giveUpAtMs, () => {
      const job = cloud.job(cloudJobId, time.nowMs);
      return job === null ? failed('TargetNotFound') : { kind: 'polled', job };
    });
  }

  /** A GET, which has a time of its own. */
  #get(struck: Mischief | null, giveUpAtMs: number, answer: (tookMs: number) => Event): void {
    const { readTimeoutMs } = this.rules.limits;
    const { chronicle, time } = this.world;
    if (struck !== null && struck.kind !== 'slow') chronicle.failedReadings.push(time.nowMs);
    if (struck?.kind === 'hangs') return this.#answer(readTimeoutMs, giveUpAtMs, () => failed('Unreachable'));
    const tookMs = struck?.kind === 'slow' ? Math.min(struck.ms, readTimeoutMs) : this.#latencyMs();
    this.#answer(tookMs, giveUpAtMs, () => (struck?.kind === 'fails' ? failedBy(struck) : answer(tookMs)));
  }

  #reserve(giveUpAtMs: number): void {
    const struck = this.world.mishaps.at('reserve');
    const { budgetWaitMs } = this.rules.limits;
    if (struck?.kind === 'hangs') return this.#answer(budgetWaitMs, giveUpAtMs, () => failed('Throttled'));
    const tookMs = struck?.kind === 'slow' ? Math.min(struck.ms, budgetWaitMs) : 0;
    this.#answer(tookMs, giveUpAtMs, () => (struck?.kind === 'fails' ? failedBy(struck) : { kind: 'reserved' }));
  }

  #connect(): void {
    const { attempt, world } = this;
    const { turn } = attempt;
    const struck = world.mishaps.at('connect');
    world.mishaps.passed('connecting');
    // As `src/servicestage/http.ts` has it.
    const longestMs = this.rules.limits.postTimeoutMs / 2;
    const slowMs = struck?.kind === 'slow' ? struck.ms : this.#latencyMs();
    const tookMs = struck?.kind === 'hangs' ? longestMs : Math.min(slowMs, longestMs);
    const fails = struck?.kind === 'fails' || struck?.kind === 'hangs';
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
    world.chronicle.posts.push(post);
    if (decision.posts.length > 1) world.chronicle.count('resends');
    const struck = world.mishaps.at('post');
    world.mishaps.passed('sending');
    if (struck?.kind === 'fails') this.#answerPost(this.#latencyMs(), () => failedBy(struck));
    else if (struck?.kind === 'refused') this.#answerPost(this.#latencyMs(), () => failed(struck.failure, 'refused'));
    else if (struck?.kind === 'lost') this.#lose(post, struck);
    else this.#deliver(post, struck?.kind === 'slow' ? struck.ms : world.dice.whole(5, 150));
  }

  #lose(post: Post, { arrives, acceptedAfterMs, answeredAfterMs }: Extract<Mischief, { kind: 'lost' }>): void {
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

  /** The first byte is out: what becomes of it is up to the cloud, whatever becomes of the process. */
  #arrive(post: Post, afterMs: number): { event: Event | null } {
    const { time, cloud, tell } = this.world;
    const taken: { event: Event | null } = { event: null };
    time.after(Math.min(afterMs, this.rules.limits.postTimeoutMs), () => {
      const answer = cloud.take(post.decision.action, post);
      taken.event =
        'job' in answer ? { kind: 'accepted', cloudJobId: answer.job.id } : failed(answer.refused, 'refused');
      tell('cloud', () => ('job' in answer ? `accepts ${answer.job.id}` : `refuses: ${answer.refused}`));
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

function failedBy({ failure, retryAfterMs, tokenExpired }: Extract<Mischief, { kind: 'fails' }>): Failed {
  return {
    ...failed(failure),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(tokenExpired === undefined ? {} : { tokenExpired }),
  };
}
