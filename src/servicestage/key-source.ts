/** Where the access key of a request comes from. Its parts are read together, because half of a new key signs nothing. */
import { createHash } from 'node:crypto';
import type { Secret } from './secret.js';
import type { AccessKey } from './sign-request.js';

/** Supplies access keys. */
export interface KeySource {
  /** Resolves when there is a key. @throws ServiceStageError if none can be fetched in time */
  ready(timeoutMs: number): Promise<void>;
  /** The key to sign with now; call `ready` first. Its parts do not change. */
  current(): AccessKey;
  /** The API refused what was signed at that time. @returns whether the next request is signed with another key */
  refused(sentAtMs: number): boolean;
}

/** A key in variables, which does not change. */
export function fixedKey(key: AccessKey): KeySource {
  return { ready: async () => {}, current: () => key, refused: () => false };
}

/** Since when a credential is the one in use, by our clock. */
class InUse {
  #fingerprint: string | null = null;
  #sinceMs = 0;

  constructor(private readonly nowMs: () => number) {}

  /** Remembers what is used from now on. */
  use(...parts: readonly string[]): void {
    const fingerprint = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
    if (fingerprint === this.#fingerprint) return;
    // The first one counts as in use from the beginning.
    if (this.#fingerprint !== null) this.#sinceMs = this.nowMs();
    this.#fingerprint = fingerprint;
  }

  /** Whether a request that was sent at that time may have used an older one. */
  isNewerThan(sentAtMs: number): boolean {
    return this.#sinceMs >= sentAtMs && this.#sinceMs > 0;
  }
}

/** Reads all parts of a key, each time of one moment. */
export interface KeyReader {
  read(): AccessKey;
  /** Not from any cache. */
  readAgain(): AccessKey;
}

/** A key in files, which may be replaced at any time. */
export function followedKey(reader: KeyReader, nowMs: () => number): KeySource {
  const inUse = new InUse(nowMs);
  const used = (key: AccessKey) => {
    inUse.use(key.accessKey, key.secretKey.reveal(), key.securityToken?.reveal() ?? '');
    return key;
  };
  return {
    ready: async () => {},
    current: () => used(reader.read()),
    refused: (sentAtMs) => {
      used(reader.readAgain());
      return inUse.isNewerThan(sentAtMs);
    },
  };
}

/** A ready-made token, whose file may be replaced at any time. */
export function followedToken(token: Secret, nowMs: () => number): Pick<KeySource, 'refused'> & { current(): string } {
  const inUse = new InUse(nowMs);
  const used = (text: string) => {
    inUse.use(text);
    return text;
  };
  return {
    current: () => used(token.reveal()),
    refused: (sentAtMs) => {
      used(token.revealAgain());
      return inUse.isNewerThan(sentAtMs);
    },
  };
}
