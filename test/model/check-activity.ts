/** The activity of a check, as in `src/activities/performCheck`, in virtual time: the product's rules ask a site of the scenario. */
import {
  afterAnswer,
  beginCheck,
  memoryOf,
  type CheckMemory,
  type CheckState,
} from '../../src/domain/checks/check-state.js';
import type { CheckEnd } from '../../src/domain/report/step-outcome.js';
import type { CheckRecord } from './ground-truth.js';
import { httpCheckOf } from './planned-steps.js';
import type { PlannedCheck } from './scenario.js';
import type { World } from './world.js';

/** How long an answer takes. */
const ANSWER_MS = 100;

type Site = PlannedCheck['site'][number]['answers'];
type End = Pick<CheckEnd, 'kind' | 'failure'>;

/** Asks until the check is over, or no longer wanted. */
export class CheckActivity {
  readonly #beganAtMs: number;
  #heartbeat: CheckMemory | null = null;
  #attempt = 0;

  /** @param isWanted false once the run was cancelled or closed @param onEnd gets the end, and how many requests there were */
  constructor(
    private readonly world: World,
    private readonly planned: PlannedCheck,
    private readonly deadlineAtMs: number,
    private readonly record: CheckRecord,
    private readonly isWanted: () => boolean,
    private readonly onEnd: (end: End, requests: number) => void,
  ) {
    this.#beganAtMs = world.time.nowMs;
  }

  begin(): void {
    this.#begin();
    for (const lostAtMs of this.planned.lostAtMs) this.world.time.after(Math.max(1, lostAtMs), () => this.#lose());
  }

  /** Its worker is lost, which is noticed after the heartbeat timeout. */
  #lose(): void {
    if (!this.isOpen) return;
    this.#attempt++;
    this.world.truth.count('checks whose worker was lost');
    const lost = this.#attempt;
    this.world.time.after(this.world.scenario.limits.heartbeatTimeoutMs, () => {
      if (this.isOpen && this.#attempt === lost) this.#begin();
    });
  }

  private get isOpen(): boolean {
    return this.isWanted() && this.record.end === null;
  }

  #begin(): void {
    const attempt = ++this.#attempt;
    const state = beginCheck(httpCheckOf(this.planned), this.#heartbeat, this.world.time.nowMs, this.deadlineAtMs);
    this.#heartbeat = memoryOf(state);
    this.#ask(state, attempt);
  }

  #ask(before: CheckState, attempt: number): void {
    const { time } = this.world;
    const sentAtMs = time.nowMs;
    const tookMs = this.#answerAt(sentAtMs) === 'nothing' ? this.planned.timeoutMs : ANSWER_MS;
    time.after(tookMs, () => {
      if (!this.isOpen || this.#attempt !== attempt) return;
      const answeredAtMs = time.nowMs;
      // The site answered some time in between; the worst case for the product is the answer at first.
      const answer = this.#answerAt(sentAtMs);
      const judged = {
        sentAtMs,
        answeredAtMs,
        unmet: answer === 'wanted' ? [] : [answer],
        isFinal: answer === 'forbidden',
      };
      this.record.requests.push({ attempt, sentAtMs, answeredAtMs, isWanted: answer === 'wanted' });
      const { state, next } = afterAnswer(httpCheckOf(this.planned), before, judged);
      this.#heartbeat = memoryOf(state);
      if (next.kind === 'ask') return time.after(next.inMs, () => this.#askAgain(state, attempt));
      this.record.end = next.kind;
      this.onEnd(next.kind === 'passed' ? { kind: 'succeeded' } : failed(next.kind), state.requests);
    });
  }

  #askAgain(state: CheckState, attempt: number): void {
    if (this.isOpen && this.#attempt === attempt) this.#ask(state, attempt);
  }

  #answerAt(atMs: number): Site {
    const sinceMs = atMs - this.#beganAtMs;
    return this.planned.site.findLast(({ fromMs }) => fromMs <= sinceMs)?.answers ?? 'wanted';
  }
}

function failed(kind: 'failed' | 'late'): End {
  const name = kind === 'late' ? 'DeadlinePassed' : 'CheckFailed';
  return { kind: 'failed', failure: { name, message: kind } };
}
