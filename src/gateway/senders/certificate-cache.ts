/** Caches downloaded certificates and limits downloads: anyone who can POST can invent names of certificates on an allowed host. */
import { readCertificate, type FetchCertificate, type SigningCertificate } from './smn-certificate.js';

/** Chosen: the vendor's own example refreshes daily. */
const REFRESH_AFTER_MS = 24 * 3_600_000;
/** How long a certificate is used when it cannot be refreshed. Chosen to outlast any outage of its host. */
const KEPT_MS = 7 * 24 * 3_600_000;
/** How long a failed download is not retried. Chosen: short enough for SMN's next retry, long enough for a storm of messages. */
const FAILURE_KEPT_MS = 30_000;
/** Certificates. A region has one or two. */
const MOST_KNOWN = 32;
/** Addresses whose download failed. Older ones are dropped and downloaded again within the budget. */
const MOST_FAILURES = 256;
/** Budget for addresses that are not cached yet: a burst, then a rate. With 5 s for each download at most 65 are under way. Chosen. */
const DOWNLOADS_BURST = 40;
const DOWNLOADS_PER_SECOND = 5;

interface Known {
  readonly certificate: SigningCertificate;
  readonly untilMs: number;
  refreshAtMs: number;
}

/**
 * Callers that wait for one address share its download. Failures are remembered for a while, apart from certificates.
 * A cached certificate stays in use while it is refreshed, outside the budget, so invented names cannot push it out.
 */
export class CertificateCache {
  readonly #fetch: FetchCertificate;
  readonly #known = new Map<string, Known>();
  readonly #underWay = new Map<string, Promise<SigningCertificate>>();
  /** Oldest first. */
  readonly #failures = new Map<string, { readonly why: string; readonly untilMs: number }>();
  #budget = DOWNLOADS_BURST;
  #countedAtMs = 0;

  constructor(fetch: FetchCertificate) {
    this.#fetch = fetch;
  }

  /** The certificate of an address. @throws Error with a readable reason when it cannot be had now */
  async get(url: URL, nowMs: number): Promise<SigningCertificate> {
    const known = this.#known.get(url.href);
    if (known !== undefined && nowMs < known.untilMs) {
      if (nowMs >= known.refreshAtMs) this.#refresh(url, known, nowMs);
      return known.certificate;
    }
    const underWay = this.#underWay.get(url.href);
    if (underWay !== undefined) return underWay;
    const failure = this.#failures.get(url.href);
    if (failure !== undefined && nowMs < failure.untilMs) throw new Error(failure.why);
    if (!this.#mayDownload(nowMs)) throw new Error('too many certificates were requested');
    return this.#download(url, nowMs);
  }

  #refresh(url: URL, known: Known, nowMs: number): void {
    if (this.#underWay.has(url.href)) return;
    known.refreshAtMs = nowMs + FAILURE_KEPT_MS;
    this.#download(url, nowMs).catch(() => undefined);
  }

  async #download(url: URL, nowMs: number): Promise<SigningCertificate> {
    const download = this.#fetch(url).then(readCertificate);
    this.#underWay.set(url.href, download);
    try {
      const certificate = await download;
      const times = { untilMs: nowMs + KEPT_MS, refreshAtMs: nowMs + REFRESH_AFTER_MS };
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

  #mayDownload(nowMs: number): boolean {
    const passedMs = Math.max(0, nowMs - this.#countedAtMs);
    this.#budget = Math.min(DOWNLOADS_BURST, this.#budget + (passedMs / 1_000) * DOWNLOADS_PER_SECOND);
    this.#countedAtMs = nowMs;
    if (this.#budget < 1) return false;
    this.#budget--;
    return true;
  }
}

/** Drops the oldest entry when there are too many. */
function keepNewest<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
