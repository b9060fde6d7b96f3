/** Decodes payloads that no call of the Temporal client decodes, with the client's own codecs and converter. */
import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';

/** Decodes the first payload; `undefined` if there is none. */
export async function decodeFirst<Value>({ options }: Client, payloads: Payload[]): Promise<Value | undefined> {
  if (payloads.length === 0) return undefined;
  const { payloadCodecs, payloadConverter } = options.loadedDataConverter;
  let decoded = payloads;
  for (const codec of [...payloadCodecs].reverse()) decoded = await codec.decode(decoded);
  const [payload] = decoded;
  return payload === undefined ? undefined : payloadConverter.fromPayload<Value>(payload);
}
