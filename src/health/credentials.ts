/**
 * Whether ServiceStage accepts the credentials. Its answers to the work of the worker show it, so that it is asked for the sake of a probe only
 * where there was no work for long, or where it has just refused something.
 */
import type { Verdict } from './checks.js';

/** An answer to a question that only good credentials get an answer to. */
export type CredentialsAnswer = 'accepted' | { readonly refused: string } | { readonly unanswered: string };

/** Chosen: a key that was withdrawn is noticed by the first call of a run in any case. */
const COUNTS_FOR_MS = 600_000;
/** IAM locks accounts after a number of wrong passwords, so a refusal is not tried again soon. */
const AFTER_REFUSAL_MS = 60_000;
const AFTER_SILENCE_MS = 15_000;

/** What is known of the credentials. */
export class CredentialsWatch {
  #acceptedAtMs: number | null = null;
  /** Something was refused after that: the credentials, or only what was asked for. */
  #isInDoubt = false;
  #answer: CredentialsAnswer | null = null;
  #askedAtMs = -Infinity;
  #replacements = 0;

  /**
   * @param ask one question to ServiceStage; must not reject
   * @param clock monotonic milliseconds
   */
  constructor(
    private readonly ask: () => Promise<CredentialsAnswer>,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** A request of the worker was answered. @param kind and @param status as `ObservedCall` has them */
  called({ kind, status }: { readonly kind: string; readonly status: string }): void {
    // A token proves that the password is right, not that ServiceStage takes it.
    if (/^2\d\d$/.test(status) && kind !== 'token' && kind !== 'user') this.#accepted();
    else if (status === '401' || status === '403') this.#isInDoubt = true;
  }

  /** The credentials were replaced: what is known of the old ones does not apply to the new ones. */
  replaced(): void {
    this.#isInDoubt = true;
    this.#askedAtMs = -Infinity;
    this.#replacements++;
  }

  /** What is known, after asking ServiceStage if that is due. Never rejects. */
  async verdict(): Promise<Verdict> {
    if (!this.#isKnown() && this.clock() - this.#askedAtMs >= this.#pauseMs()) await this.#askNow();
    const answer = this.#answer;
    if (answer === null) return { ok: false, reason: 'ServiceStage was not asked yet' };
    if (answer === 'accepted') return { ok: true, reason: 'ServiceStage accepts them' };
    if ('refused' in answer) return { ok: false, reason: `ServiceStage refuses them: ${answer.refused}` };
    // Only a refusal is about the credentials, and a new worker could do no more than this one.
    const { unanswered } = answer;
    return this.#acceptedAtMs === null
      ? { ok: false, reason: `not known, because ServiceStage does not answer: ${unanswered}` }
      : { ok: true, reason: `ServiceStage accepted them before; now it does not answer: ${unanswered}` };
  }

  #isKnown(): boolean {
    return !this.#isInDoubt && this.#acceptedAtMs !== null && this.clock() - this.#acceptedAtMs < COUNTS_FOR_MS;
  }

  #pauseMs(): number {
    return this.#isInDoubt ? AFTER_REFUSAL_MS : AFTER_SILENCE_MS;
  }

  #accepted(): void {
    this.#acceptedAtMs = this.clock();
    this.#isInDoubt = false;
    this.#answer = 'accepted';
  }

  async #askNow(): Promise<void> {
    this.#askedAtMs = this.clock();
    const replacements = this.#replacements;
    const answer = await this.ask();
    // They were replaced meanwhile: the answer may be about the old ones, and the next probe asks about the new ones.
    if (replacements !== this.#replacements) return;
    if (answer === 'accepted') return this.#accepted();
    this.#answer = answer;
    this.#isInDoubt = 'refused' in answer;
  }
}
