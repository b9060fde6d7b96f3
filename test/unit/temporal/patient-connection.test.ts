/** How a process that starts distinguishes an unreachable Temporal from one that refuses it, and when it gives up. */
import type { IncomingHttpHeaders } from 'node:http2';
import { expect, it } from 'vitest';
import { connectPatiently, TemporalUnreachable, type FailedAttempt } from '../../../src/temporal/patient-connection.js';
import { GRPC, startGrpcServer } from '../../support/grpc-server.js';

const GIVEN_UP_AFTER = 10;

/** Connects with pauses of a millisecond. @returns the failed attempts, and the error that ended them */
async function connect(address: string, apiKey?: string | (() => string), onFailed = (_failed: FailedAttempt) => {}) {
  const failed: FailedAttempt[] = [];
  const note = (attempt: FailedAttempt) => {
    failed.push(attempt);
    onFailed(attempt);
  };
  const place = { address, namespace: 'shop.a1b2c', proxy: null };
  const options = { address, ...(apiKey === undefined ? {} : { apiKey, tls: false }) };
  try {
    const connection = await connectPatiently(options, place, note, 1);
    await connection.close();
    return { failed, error: null };
  } catch (error) {
    return { failed, error: error as Error };
  }
}

const bearer = ({ authorization }: IncomingHttpHeaders) => authorization?.replace('Bearer ', '');

it('a refused key from a file is tried until the file has another one', async () => {
  const { address } = await startGrpcServer(({ headers }) =>
    bearer(headers) === 'new' ? GRPC.ok : GRPC.permissionDenied,
  );
  let key = 'old';
  const { failed, error } = await connect(
    address,
    () => key,
    ({ attempt }) => {
      if (attempt === GIVEN_UP_AFTER + 2) key = 'new';
    },
  );
  expect(error).toBeNull();
  expect(failed).toHaveLength(GIVEN_UP_AFTER + 2);
  expect(failed[0]).toEqual({ attempt: 1, of: null, reason: 'no right', isRefused: true });
});

it('a refused key from a variable cannot change: it is given up, and the message does not blame the network', async () => {
  const { address } = await startGrpcServer(() => GRPC.permissionDenied);
  const { failed, error } = await connect(address, 'wrong');
  expect(failed).toHaveLength(GIVEN_UP_AFTER);
  expect(error).toBeInstanceOf(TemporalUnreachable);
  expect(error?.message).toBe(
    `Temporal at ${address} refuses the credentials for the namespace shop.a1b2c: no right. Check the API key or the certificate, and TEMPORAL_NAMESPACE`,
  );
});

it('a key that is good for another namespace is refused as well', async () => {
  const { address } = await startGrpcServer(({ method }) =>
    method === 'DescribeNamespace' ? GRPC.permissionDenied : GRPC.ok,
  );
  const { failed } = await connect(address, 'of another team');
  expect(failed).toHaveLength(GIVEN_UP_AFTER);
  expect(failed.every(({ isRefused }) => isRefused)).toBe(true);
});

it('a namespace that does not exist is left to what uses it', async () => {
  const { address } = await startGrpcServer(({ method }) => (method === 'DescribeNamespace' ? GRPC.notFound : GRPC.ok));
  expect(await connect(address)).toEqual({ failed: [], error: null });
});
