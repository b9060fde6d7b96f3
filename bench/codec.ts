/** What the encryption of a payload costs: `npx tsx bench/codec.ts`. Prints a table for docs/encryption.md. */
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { EncryptionCodec } from '../src/codec/encryption-codec.js';
import { readEncryptionKeys } from '../src/codec/encryption-keys.js';
import { KeyRing } from '../src/codec/key-ring.js';

const SIZES = [200, 2_000, 20_000, 200_000, 1_500_000];
const FOR_MS = 1_000;

const keys = readEncryptionKeys(`2026-11 ${randomBytes(32).toString('base64')}`);
if (typeof keys === 'string') throw new Error(keys);
const codec = new EncryptionCodec(new KeyRing('/there/is/none', keys, { clock: () => 0 }));

console.log('| JSON of the payload | encrypt | decrypt | added |\n| ---: | ---: | ---: | ---: |');
for (const size of SIZES) {
  const payload = defaultPayloadConverter.toPayload('x'.repeat(size - 2));
  const [encrypted = {}] = await codec.encode([payload]);
  const encryptUs = await microseconds(() => codec.encode([payload]));
  const decryptUs = await microseconds(() => codec.decode([encrypted]));
  const added = (encrypted.data?.length ?? 0) - (payload.data?.length ?? 0);
  console.log(`| ${size} bytes | ${encryptUs} µs | ${decryptUs} µs | ${added} bytes |`);
}

/** The mean of one call, after as many calls again to warm up. */
async function microseconds(call: () => Promise<unknown>): Promise<number> {
  let calls = 0;
  for (const untilMs = performance.now() + FOR_MS; performance.now() < untilMs; calls++) await call();
  const beganMs = performance.now();
  for (let again = 0; again < calls; again++) await call();
  return Math.round(((performance.now() - beganMs) / calls) * 1_000);
}
