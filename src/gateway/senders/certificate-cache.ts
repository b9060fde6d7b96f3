/** Certificates that were downloaded, and how often strangers can make us download: whoever may POST can invent names of certificates on the right host. */
import type { FetchCertificate, SigningCertificate } from './smn-certificate.js';
import { readCertificate } from './smn-certificate.js';

/** Chosen: the vendor's own example asks again each day. */
const ASKED_AGAIN_AFTER_MS = 24 * 3_600_000;
/** Chosen: so long one is used that cannot be had again, over any outage of its host. */
const KEPT_MS = 7 * 24 * 3_600_000;
/** Chosen: short enough for SMN's next try, long enough not to ask for every message of a storm. */
const FAILURE_KEPT_MS = 30_000;
/** A region has one or two. */
const MOST_KNOWN = 32;
/** Names, not answers: those beyond are asked for again, as far as the budget goes. */
const MOST_FAILURES = 256;
/** Names that are not known yet: so many at once, then so many a second. With 5 s for each at most 65 are under way. Chosen. */
const DOWNLOADS_AT_ONCE = 40;
const DOWNLOADS_A_SECOND = 5;

interface Known {
  readonly certificate: SigningCertificate;
  readonly untilMs: number;
  askAgainAtMs: number;
}

/**
 * Each address is asked once for all who wait, and failures are remembered for a while, apart from certificates.
 * One that was fetched is used while it is fetched again, which takes nothing of the budget: inventions cannot push it out.
 */
export class CertificateCache {
  readonly #fetch: FetchCertificate;
  readonly #known = new Map<string, Known>();
  readonly #underWay = new Map<string, Promise<SigningCertificate>>();
  /** The one remembered longest first. */
  readonly #failures = new Map<string, { readonly why: string; readonly untilMs: number }>();
  #left = DOWNLOADS_AT_ONCE;
  #countedAtMs = 0;

  constructor(fetch: FetchCertificate) {
    this.#fetch = fetch;
  }

  /** @throws Error in words when there is none now */
  async get(url: URL, nowMs: number): Promise<SigningCertificate> {
    const known = this.#known.get(url.href);
    if (known !== undefined && nowMs < known.untilMs) {
      if (nowMs >= known.askAgainAtMs) this.#askAgain(url, known, nowMs);
      return known.certificate;
    }
    const underWay = this.#underWay.get(url.href);
    if (underWay !== undefined) return underWay;
    const failure = this.#failures.get(url.href);
    if (failure !== undefined && nowMs < failure.untilMs) throw new Error(failure.why);
    if (!this.#mayAsk(nowMs)) throw new Error('too many certificates are asked for');
    return this.#download(url, nowMs);
  }

  #askAgain(url: URL, known: Known, nowMs: number): void {
    if (this.#underWay.has(url.href)) return;
    known.askAgainAtMs = nowMs + FAILURE_KEPT_MS;
    this.#download(url, nowMs).catch(() => undefined);
  }

  async #download(url: URL, nowMs: number): Promise<SigningCertificate> {
    const download = this.#fetch(url).then(readCertificate);
    this.#underWay.set(url.href, download);
    try {
      const certificate = await download;
      const times = { untilMs: nowMs + KEPT_MS, askAgainAtMs: nowMs + ASKED_AGAIN_AFTER_MS };
      keepNewest(this.#known, url.href, { certificate, ...times }, MOST_KNOWN);
      return certificate;
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown';
      keepNewest(this.#failures, url.href, { why, untilMs: nowMs + FAILURE_KEPT_MS }, MOST_FAILURES);
      throw error;
    } finally {
      this.#underWay.delete(url.href);
    }
  }

  #mayAsk(nowMs: number): boolean {
    const passedMs = Math.max(0, nowMs - this.#countedAtMs);
    this.#left = Math.min(DOWNLOADS_AT_ONCE, this.#left + (passedMs / 1_000) * DOWNLOADS_A_SECOND);
    this.#countedAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

/** The oldest has to go where there are too many. */
function keepNewest<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
