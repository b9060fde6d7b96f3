/** The file of keys that payloads are encrypted with: one line for each key, the first one encrypts, all of them decrypt. */
import { createSecretKey, type KeyObject } from 'node:crypto';

/** The size of a key of AES-256. */
const KEY_BYTES = 32;
/** The id is in the metadata of each payload: with a longer one, the summaries of steps would be too long for the server. */
const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** Chosen: a key for each week of twenty years. */
const MOST_KEYS = 1_000;
/** Bytes of a file of keys, and as much again for comments. */
export const LARGEST_KEY_FILE_BYTES = 256 * 1024;

/** A key and the name by which payloads refer to it. */
export interface EncryptionKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** The keys of a file. */
export interface EncryptionKeys {
  /** Encrypts. */
  readonly active: EncryptionKey;
  /** Decrypt; the active one is among them. */
  readonly byId: ReadonlyMap<string, KeyObject>;
}

/** Reads the text of a file of keys. @returns what is wrong, as text that shows no key */
export function readEncryptionKeys(text: string): EncryptionKeys | string {
  const byId = new Map<string, KeyObject>();
  let active: EncryptionKey | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || line.trim().startsWith('#')) continue;
    const read = readKey(words);
    if (typeof read === 'string') return `line ${index + 1} ${read}`;
    if (byId.has(read.id)) return `line ${index + 1} has the key id "${read.id}" again`;
    if (byId.size >= MOST_KEYS) return `it has more than ${MOST_KEYS} keys`;
    byId.set(read.id, read.key);
    active ??= read;
  }
  return active === undefined ? 'it has no key' : { active, byId };
}

function readKey([id = '', base64 = '', ...more]: readonly string[]): EncryptionKey | string {
  if (base64 === '' || more.length > 0) return 'is not a key id and a key, with a space between them';
  if (!KEY_ID.test(id)) return 'begins with no key id: up to 64 letters, digits, dots, hyphens and underscores';
  if (!BASE64.test(base64)) return `has a key "${id}" that is not base64`;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== KEY_BYTES) return `has a key "${id}" of ${bytes.length} bytes instead of ${KEY_BYTES}`;
  if (bytes.every((byte) => byte === bytes[0])) return `has a key "${id}" that is one byte repeated`;
  return { id, key: createSecretKey(bytes) };
}
