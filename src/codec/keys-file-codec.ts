/** The codec of a file of keys, for services that use `RunbookClient`. */
import type { PayloadCodec } from '@temporalio/common';
import { readSmallFileSync } from '../files/read-file.js';
import { EncryptionCodec } from './encryption-codec.js';
import { LARGEST_KEY_FILE_BYTES, readEncryptionKeys, type EncryptionKeys } from './encryption-keys.js';
import { KeyRing, type KeyRingOptions } from './key-ring.js';

/** Where the keys of an `encryptionCodec` are. */
export interface EncryptionOptions extends Pick<KeyRingOptions, 'onProblem'> {
  /** The file that the workers read as `RUNBOOK_ENCRYPTION_KEYS`. It is read again when it is used and older than 5 s. */
  readonly keysFile: string;
}

/**
 * Makes the codec of the workers for a data converter: `{ payloadCodecs: [encryptionCodec({ keysFile })] }`.
 * @throws Error if the file cannot be read, or is wrong
 */
export function encryptionCodec({ keysFile, onProblem }: EncryptionOptions): PayloadCodec {
  const keys = keysOf(keysFile);
  return new EncryptionCodec(new KeyRing(keysFile, keys, onProblem === undefined ? {} : { onProblem }));
}

function keysOf(file: string): EncryptionKeys {
  let text: string;
  try {
    text = readSmallFileSync(file, LARGEST_KEY_FILE_BYTES).toString('utf8');
  } catch (error) {
    throw new Error(`The file of keys "${file}" ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const keys = readEncryptionKeys(text);
  if (typeof keys === 'string') throw new Error(`The file of keys "${file}" cannot be used: ${keys}`);
  return keys;
}
