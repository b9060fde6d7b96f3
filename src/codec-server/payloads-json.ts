/** The bodies of a codec server: payloads as protobuf writes them in JSON, bytes in base64. https://docs.temporal.io/codec-server */
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { z } from 'zod';

const { Payloads } = proto.temporal.api.common.v1;

/** What protobuf's reader would accept or pass over, although it is something else. */
const Body = z.object({
  payloads: z
    .array(
      z.object({
        metadata: z.record(z.string(), z.string()).nullish(),
        data: z.string().nullish(),
        externalPayloads: z.array(z.object({ sizeBytes: z.union([z.string(), z.number()]).nullish() })).nullish(),
      }),
    )
    .nullish(),
});

/** @returns what is wrong, as text that shows none of the body */
export function readPayloads(body: Buffer): Payload[] | string {
  try {
    const { success, data } = Body.safeParse(JSON.parse(body.toString('utf8')));
    return success ? Payloads.fromObject(data).payloads : 'the body is not {"payloads": […]} with bytes in base64';
  } catch (error) {
    return error instanceof SyntaxError ? 'the body is not JSON' : 'the body has bytes that are not base64';
  }
}

/** The payloads as the body of an answer. */
export function payloadsJson(payloads: readonly Payload[]): object {
  const message = Payloads.fromObject({ payloads });
  return { payloads: [], ...Payloads.toObject(message, { bytes: String, longs: String }) };
}
