// An asynchronous payload codec: takes a little time, as a key service would, and makes payloads unreadable for others.
import { setTimeout as delay } from 'node:timers/promises';

const ENCODING = new TextEncoder().encode('binary/slow');

const flip = (bytes) => bytes.map((byte) => byte ^ 0x5a);

const encodeOne = async ({ metadata, data = new Uint8Array() }) => {
  await delay(5);
  return { metadata: { encoding: ENCODING, was: metadata?.encoding ?? new Uint8Array() }, data: flip(data) };
};

// The server writes payloads of its own, which no codec has encoded: they pass unchanged.
const decodeOne = async (payload) => {
  if (new TextDecoder().decode(payload.metadata?.encoding) !== 'binary/slow') return payload;
  await delay(5);
  return { metadata: { encoding: payload.metadata.was }, data: flip(payload.data) };
};

/** @type {import('@temporalio/common').PayloadCodec} */
export const slowCodec = {
  encode: (payloads) => Promise.all(payloads.map(encodeOne)),
  decode: (payloads) => Promise.all(payloads.map(decodeOne)),
};
