/** The keys of a process, which follow their file. */
import type { KeyObject } from 'node:crypto';
import { readSmallFile } from '../files/read-file.js';
import {
  LARGEST_KEY_FILE_BYTES,
  readEncryptionKeys,
  type EncryptionKey,
  type EncryptionKeys,
} from './encryption-keys.js';

/** How old the keys may be. Chosen: a rotation waits for the slowest process, and reading a small file costs nothing. */
const READ_AGAIN_AFTER_MS = 5_000;
/** A key that is not known makes the file be read sooner, but many payloads of it do not make it be read for each. */
const READ_FOR_UNKNOWN_AFTER_MS = 500;
/** How long a file system that does not answer holds up a payload; then the keys of before count. */
const READ_TIMEOUT_MS = 2_000;

/** How the keys of a file differ from those of before, by their ids. */
export interface KeysChange {
  /** The key that encrypts from now on. */
  readonly active: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** The options of a `KeyRing`. */
export interface KeyRingOptions {
  /** Receives why the file cannot be read, once for each reason; and `null` once it can be again. */
  readonly onProblem?: (problem: string | null) => void;
  /** Receives what is different once the file has other keys, or another one first. */
  readonly onChange?: (change: KeysChange) => void;
  /** Epoch milliseconds. Default: the current time. */
  readonly clock?: () => number;
}

/**
 * Keys that are read again when they are used and older than 5 s: no timer keeps a process alive, and a process that was idle
 * never encrypts with a key that was taken out meanwhile. A file that cannot be read, or is wrong, changes nothing.
 */
export class KeyRing {
  #keys: EncryptionKeys;
  #readAtMs: number;
  #reading: Promise<void> | undefined;
  #problem: string | null = null;
  readonly #clock: () => number;

  /** @param keys those of the file when the process started */
  constructor(
    private readonly file: string,
    keys: EncryptionKeys,
    private readonly options: KeyRingOptions = {},
  ) {
    this.#keys = keys;
    this.#clock = options.clock ?? Date.now;
    this.#readAtMs = this.#clock();
  }

  /** Why the newest reading of the file failed; `null`: it did not. */
  get problem(): string | null {
    return this.#problem;
  }

  /** The key that encrypts now. */
  async active(): Promise<EncryptionKey> {
    await this.refresh();
    return this.#keys.active;
  }

  /** The key of an id; `undefined` if even the newest file has none. */
  async find(id: string): Promise<KeyObject | undefined> {
    await this.refresh();
    const known = this.#keys.byId.get(id);
    if (known !== undefined) return known;
    await this.refresh(READ_FOR_UNKNOWN_AFTER_MS);
    return this.#keys.byId.get(id);
  }

  /** The ids of all keys, the active one first. */
  ids(): string[] {
    const { active, byId } = this.#keys;
    return [active.id, ...[...byId.keys()].filter((id) => id !== active.id)];
  }

  /** Reads the file if the keys are older than `ageMs`. Those who come meanwhile wait for the same reading. */
  async refresh(ageMs: number = READ_AGAIN_AFTER_MS): Promise<void> {
    const age = this.#clock() - this.#readAtMs;
    // A clock that was set back makes the age negative.
    if (this.#reading === undefined && age >= 0 && age < ageMs) return;
    this.#reading ??= this.#read().finally(() => {
      this.#readAtMs = this.#clock();
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(): Promise<void> {
    let problem: string | null = null;
    try {
      const text = await readSmallFile(this.file, { maxBytes: LARGEST_KEY_FILE_BYTES, timeoutMs: READ_TIMEOUT_MS });
      const keys = readEncryptionKeys(text);
      const wrong = typeof keys === 'string' ? keys : changedKey(this.#keys, keys);
      if (typeof keys === 'string' || wrong !== null) problem = wrong;
      else this.#use(keys);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (problem !== this.#problem) this.options.onProblem?.(problem);
    this.#problem = problem;
  }

  #use(keys: EncryptionKeys): void {
    const change = changeOf(this.#keys, keys);
    this.#keys = keys;
    if (change !== null) this.options.onChange?.(change);
  }
}

/** @returns `null` if both have the same ids and the same key encrypts */
function changeOf(before: EncryptionKeys, now: EncryptionKeys): KeysChange | null {
  const added = [...now.byId.keys()].filter((id) => !before.byId.has(id));
  const removed = [...before.byId.keys()].filter((id) => !now.byId.has(id));
  const isSame = added.length === 0 && removed.length === 0 && now.active.id === before.active.id;
  return isSame ? null : { active: now.active.id, added, removed };
}

/** Payloads of the first key could not be decrypted any more, without a reason that anyone could see. */
function changedKey(before: EncryptionKeys, now: EncryptionKeys): string | null {
  const changed = [...now.byId].find(([id, key]) => before.byId.get(id)?.equals(key) === false);
  return changed === undefined ? null : `the key "${changed[0]}" is another one than before: give a new key a new id`;
}
