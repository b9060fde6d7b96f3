/** Lists workflows although some of their memos cannot be decoded. */
import { WorkflowClient, type Client } from '@temporalio/client';
import type { Payload, PayloadCodec, PayloadConverter } from '@temporalio/common';

/**
 * For listings: the memo values that this client cannot decode are `undefined`. Other clients may have written them with a
 * key that it does not have, and one of those must not hide all other runs.
 */
export function withReadableMemos({ workflow }: Client): WorkflowClient {
  const { options, connection } = workflow;
  const { payloadConverter, payloadCodecs, ...rest } = options.loadedDataConverter;
  const readable = {
    ...rest,
    payloadConverter: tolerant(payloadConverter),
    payloadCodecs: payloadCodecs.map(tolerantCodec),
  };
  // The SDK (1.24) takes a loaded converter too.
  return new WorkflowClient({ ...options, connection, dataConverter: readable });
}

function tolerantCodec(codec: PayloadCodec): PayloadCodec {
  return {
    encode: (payloads, context) => codec.encode(payloads, context),
    decode: async (payloads, context) => {
      try {
        return await codec.decode(payloads, context);
      } catch {
        return payloads;
      }
    },
  };
}

function tolerant(converter: PayloadConverter): PayloadConverter {
  return {
    toPayload: (value, context) => converter.toPayload(value, context),
    fromPayload: ((payload: Payload, context) => {
      try {
        return converter.fromPayload(payload, context);
      } catch {
        return undefined;
      }
    }) as PayloadConverter['fromPayload'],
  };
}
