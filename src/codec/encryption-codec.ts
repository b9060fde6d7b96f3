/**
 * Encrypts payloads with AES-256-GCM. The format is that of Temporal's own samples, so that clients in other languages can read and write it:
 * https://github.com/temporalio/samples-typescript/blob/main/encryption/src/encryption-codec.ts
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { clipText, printable } from '../domain/text/text.js';
import type { KeyRing } from './key-ring.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

const CIPHER = 'aes-256-gcm';
/** 96 random bits. NIST SP 800-38D, 8.3, lets one key encrypt 2^32 payloads with such; docs/encryption.md has how long that is. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const LONGEST_SHOWN_BYTES = 100;

/** A payload is encrypted with a key that this process does not have. */
export class UnknownEncryptionKey extends Error {
  override readonly name = 'UnknownEncryptionKey';

  constructor(
    readonly keyId: string,
    known: readonly string[],
  ) {
    super(
      `A payload is encrypted with the key "${shown(keyId)}", which this process does not have (it has ${shown(known.join(', '))}). Add that key to the file of keys`,
    );
  }
}

/** A payload is marked as encrypted and cannot be decrypted: it was changed, or another key has the same id. */
export class UnreadablePayload extends Error {
  override readonly name = 'UnreadablePayload';
}

/** Encrypts every payload whole, metadata included. Payloads that are not encrypted, from before, are passed on as they are. */
export class EncryptionCodec implements PayloadCodec {
  constructor(private readonly keys: KeyRing) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    if (payloads.length === 0) return payloads;
    const { id, key } = await this.keys.active();
    return payloads.map((payload) => ({
      metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
      data: encrypt(PayloadMessage.encode(payload).finish(), key),
    }));
  }

  /** @throws UnknownEncryptionKey, UnreadablePayload */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    const decoded: Payload[] = [];
    for (const payload of payloads) decoded.push(await this.#decodeOne(payload));
    return decoded;
  }

  async #decodeOne(payload: Payload): Promise<Payload> {
    const { encoding, [KEY_ID]: idBytes } = payload.metadata ?? {};
    if (textOf(encoding) !== ENCODING) return payload;
    const id = textOf(idBytes);
    const key = await this.keys.find(id);
    if (key === undefined) throw new UnknownEncryptionKey(id, this.keys.ids());
    try {
      return PayloadMessage.decode(decrypt(payload.data ?? new Uint8Array(), key));
    } catch (error) {
      throw new UnreadablePayload(
        `A payload cannot be decrypted with the key "${shown(id)}": it was changed, or the key of that id is another one`,
        { cause: error },
      );
    }
  }
}

/** Initialization vector, ciphertext, tag. */
function encrypt(plain: Uint8Array, key: KeyObject): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error if the bytes are not what `encrypt` made with this key */
function decrypt(bytes: Uint8Array, key: KeyObject): Uint8Array {
  const tagAt = bytes.length - TAG_BYTES;
  if (tagAt < IV_BYTES) throw new Error('it is too short');
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(tagAt));
  const plain = decipher.update(bytes.subarray(IV_BYTES, tagAt));
  // Throws if the tag does not fit. GCM has nothing left to return.
  decipher.final();
  return plain;
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return bytes === null || bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
}

function shown(text: string): string {
  return printable(clipText(text, LONGEST_SHOWN_BYTES));
}
