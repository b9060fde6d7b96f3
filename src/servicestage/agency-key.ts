/** The access key of this server's agency: fetched from the metadata service at the time of use, and renewed early. */
import { ServiceStageError } from './errors.js';
import type { KeySource } from './key-source.js';
import { afterFailure, afterRefusal, afterRenewal, NO_KEY, renewalStep } from './key-renewal.js';
import type { TemporaryKey } from './metadata-service.js';
import type { AccessKey } from './sign-request.js';

/** The metadata service takes milliseconds. As long as Huawei's SDKs wait. */
const TIMEOUT_MS = 3_000;

/** Where the key comes from. Chance and clock can be replaced by tests. */
export interface AgencyKeyOptions {
  fetchKey(timeoutMs: number): Promise<TemporaryKey>;
  readonly nowMs?: () => number;
  /** From 0 to 1. */
  readonly chance?: () => number;
}

/** Acts on the rules of `key-renewal.ts`. */
export class AgencyKey implements KeySource {
  #state = NO_KEY;
  #key: (TemporaryKey & { readonly fetchedAtMs: number }) | null = null;
  /** The id of a key that the API refused: if the service gives the same again, there is no other. */
  #refused: string | null = null;
  #renewing: Promise<void> | null = null;
  #lastError: unknown = null;

  constructor(private readonly options: AgencyKeyOptions) {}

  async ready(timeoutMs: number): Promise<void> {
    const step = renewalStep(this.#state, this.#nowMs());
    if (step === 'use') return;
    if (step === 'refuse') throw this.#lastError;
    const renewing = this.#renew(timeoutMs);
    if (step === 'renewBeside') {
      renewing.catch(() => {}); // The key still works; the next request tries again, after a pause.
      return;
    }
    try {
      await renewing;
    } catch (error) {
      if (this.#state.key === null || this.#nowMs() >= this.#state.key.expiresAtMs) throw error;
    }
  }

  current(): AccessKey {
    if (this.#key === null) throw new TypeError('There is no key yet: call ready first');
    return this.#key;
  }

  refused(sentAtMs: number): boolean {
    // A late answer to a request with an older key does not concern the current one.
    if (this.#key === null || this.#key.fetchedAtMs > sentAtMs) return true;
    if (this.#key.accessKey === this.#refused) return false;
    this.#refused = this.#key.accessKey;
    this.#state = afterRefusal(this.#state);
    return true;
  }

  /** Asks once at a time, however many requests wait. */
  #renew(timeoutMs: number): Promise<void> {
    this.#renewing ??= this.#renewNow(Math.min(timeoutMs, TIMEOUT_MS)).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renewNow(timeoutMs: number): Promise<void> {
    const chance = this.options.chance?.() ?? Math.random();
    try {
      const key = await this.options.fetchKey(timeoutMs);
      if (key.expiresAtMs <= this.#nowMs()) throw expired();
      const isOther = key.accessKey !== this.#key?.accessKey;
      this.#key = { ...key, fetchedAtMs: isOther ? this.#nowMs() : (this.#key?.fetchedAtMs ?? 0) };
      this.#state = afterRenewal(key.expiresAtMs, this.#nowMs(), chance);
    } catch (error) {
      this.#lastError = error;
      this.#state = afterFailure(this.#state, this.#nowMs(), chance);
      throw error;
    }
  }

  #nowMs(): number {
    return this.options.nowMs?.() ?? Date.now();
  }
}

function expired(): ServiceStageError {
  return new ServiceStageError({
    code: 'Unreachable',
    sent: 'no',
    method: 'GET',
    path: '/openstack/latest/securitykey',
    reason: 'the metadata service gave a key that has expired, or the clock of this machine is ahead',
  });
}
