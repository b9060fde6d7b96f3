/** The payload codec: what it writes, what it reads back, and what it refuses. */
import { createDecipheriv, randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncryptionCodec, UnknownEncryptionKey, UnreadablePayload } from '../../../src/codec/encryption-codec.js';
import { readEncryptionKeys } from '../../../src/codec/encryption-keys.js';
import { KeyRing } from '../../../src/codec/key-ring.js';
import { clippedSummary, jsonBytes } from '../../../src/domain/text/json-bytes.js';
import { HISTORY_BYTES, HISTORY_EVENTS, MEMO_REPORT_BYTES, PAYLOAD_BYTES } from '../../../src/domain/sizes.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

const newKey = () => randomBytes(32).toString('base64');
const OLD = newKey();
const NEW = newKey();

/** A codec whose keys never get older, so that no file is read. */
function codecOf(...lines: readonly string[]): EncryptionCodec {
  const keys = readEncryptionKeys(lines.join('\n'));
  if (typeof keys === 'string') throw new Error(keys);
  return new EncryptionCodec(new KeyRing('/there/is/none', keys, { clock: () => 0 }));
}

const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const textOf = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('utf8');

async function encoded(codec: EncryptionCodec, value: unknown): Promise<Payload> {
  const [only] = await codec.encode([payload(value)]);
  return only ?? {};
}

async function valueOf(codec: EncryptionCodec, given: Payload): Promise<unknown> {
  const [only] = await codec.decode([given]);
  return defaultPayloadConverter.fromPayload(only ?? {});
}

describe('an encrypted payload', () => {
  it('becomes what it was, whatever it was', async () => {
    const codec = codecOf(`new ${NEW}`);
    const anyPayload = fc.record({
      metadata: fc.dictionary(fc.string(), fc.uint8Array({ maxLength: 20 })),
      data: fc.uint8Array({ maxLength: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyPayload, { maxLength: 5 }), async (payloads) => {
        const back = await codec.decode(await codec.encode(payloads));
        const plain = (each: Payload) => PayloadMessage.encode(each).finish();
        expect(back.map(plain)).toEqual(payloads.map(plain));
      }),
      { numRuns: 100 },
    );
  });

  it('has the format of the samples of Temporal: whole payload, vector first, tag last, key id beside it', async () => {
    const { metadata, data } = await encoded(codecOf(`new ${NEW}`), { secret: 'hunter2' });
    expect(Object.keys(metadata ?? {}).sort()).toEqual(['encoding', 'encryption-key-id']);
    expect(textOf(metadata?.['encoding'])).toBe('binary/encrypted');
    expect(textOf(metadata?.['encryption-key-id'])).toBe('new');
    const bytes = Buffer.from(data ?? []);
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(NEW, 'base64'), bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(-16));
    const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    expect(defaultPayloadConverter.fromPayload(PayloadMessage.decode(plain))).toEqual({ secret: 'hunter2' });
  });

  it('is never the same twice, and shows nothing of its content', async () => {
    const codec = codecOf(`new ${NEW}`);
    const twice = await codec.encode([payload('hunter2'), payload('hunter2')]);
    const [first, second] = twice.map(({ data }) => Buffer.from(data ?? []));
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(false);
    expect(JSON.stringify(twice)).not.toContain(Buffer.from('hunter2').toString('base64'));
    expect(first?.includes('hunter2')).toBe(false);
  });

  it('is not decrypted if a single bit was changed, anywhere', async () => {
    const codec = codecOf(`new ${NEW}`);
    const { metadata = {}, data } = await encoded(codec, 'stop');
    const bytes = Buffer.from(data ?? []);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(codec.decode([{ metadata, data: changed }])).rejects.toThrow(UnreadablePayload);
    }
    for (let length = 0; length < bytes.length; length++)
      await expect(codec.decode([{ metadata, data: bytes.subarray(0, length) }])).rejects.toThrow(UnreadablePayload);
  });

  it('does not share memory with other payloads, which a copy to the workflows would take along', async () => {
    const codec = codecOf(`new ${NEW}`);
    const [one] = await codec.decode([await encoded(codec, 'x')]);
    expect(one?.data?.buffer.byteLength).toBeLessThan(100);
  });
});

describe('keys', () => {
  it('the first encrypts, and all decrypt', async () => {
    const before = await encoded(codecOf(`old ${OLD}`), 1);
    const after = codecOf(`new ${NEW}`, `old ${OLD}`);
    expect(textOf((await encoded(after, 2)).metadata?.['encryption-key-id'])).toBe('new');
    expect(await valueOf(after, before)).toBe(1);
    // Step one of a rotation: the new key is known before anybody encrypts with it.
    expect(await valueOf(codecOf(`old ${OLD}`, `new ${NEW}`), await encoded(after, 3))).toBe(3);
  });

  it('of an unknown id are named in the error, with those that are there', async () => {
    const foreign = await encoded(codecOf(`old ${OLD}`), 1);
    const error: unknown = await codecOf(`new ${NEW}`)
      .decode([foreign])
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UnknownEncryptionKey);
    expect(String(error)).toBe(
      'UnknownEncryptionKey: A payload is encrypted with the key "old", which this process does not have (it has new). Add that key to the file of keys',
    );
  });

  it('whose id comes from a stranger cannot act on a terminal', async () => {
    const metadata = { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from('\u001b[2J') };
    await expect(codecOf(`new ${NEW}`).decode([{ metadata, data: Buffer.alloc(40) }])).rejects.toThrow(
      String.raw`\u001b[2J`,
    );
  });

  it('of the same id and another value do not decrypt', async () => {
    const foreign = await encoded(codecOf(`a ${OLD}`), 1);
    await expect(codecOf(`a ${NEW}`).decode([foreign])).rejects.toThrow('the key of that id is another one');
  });
});

it('payloads of before encryption, and those of the server, pass as they are', async () => {
  const codec = codecOf(`new ${NEW}`);
  const plain = [payload({ a: 1 }), payload(undefined), {}, { data: Buffer.from('x') }];
  expect(await codec.decode(plain)).toEqual(plain);
  expect(await codec.encode([])).toEqual([]);
});

describe('what encryption adds', () => {
  const longestId = 'k'.repeat(64);
  const sizeOf = (each: Payload) => PayloadMessage.encode(each).finish().length;

  /** Bytes that one payload grows by. */
  async function added(value: unknown): Promise<number> {
    return sizeOf(await encoded(codecOf(`${longestId} ${NEW}`), value)) - jsonBytes(value);
  }

  it('does not depend on the size of the payload', async () => {
    expect(await added('x')).toBeLessThan(190);
    expect(await added('x'.repeat(1_500_000))).toBeLessThan(190);
  });

  it('leaves the longest summary below the 400 bytes of the server', async () => {
    const longest = clippedSummary('警*'.repeat(500));
    expect(sizeOf(await encoded(codecOf(`${longestId} ${NEW}`), longest))).toBeLessThanOrEqual(400);
  });

  it('leaves reports, memos and histories below their limits', async () => {
    const each = await added('x');
    const mebibyte = 1_024 * 1_024;
    expect(MEMO_REPORT_BYTES + each).toBeLessThan(65_535);
    expect(PAYLOAD_BYTES + each).toBeLessThan(2 * mebibyte);
    // An activity has three payloads in three events: its input, its summary, its result.
    expect(HISTORY_BYTES + HISTORY_EVENTS * each).toBeLessThan(50 * mebibyte);
  });
});
