/** A `ClosableConnection` that is closed with calls in flight leaves nothing that could end the process later. Each test sets the answers of a gRPC server. */
import { InterceptingCall } from '@grpc/grpc-js';
import { makeGrpcRetryInterceptor } from '@temporalio/client';
import { expect, it } from 'vitest';
import { ClosableConnection } from '../../../src/temporal/connection.js';
import { GRPC, startGrpcServer } from '../../support/grpc-server.js';

function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => GRPC.ok,
    (error: { code?: number; details?: string }) => error.code ?? error,
  );
}

it('ends a call that is not answered yet', async () => {
  const server = await startGrpcServer(() => null);
  const connection = ClosableConnection.lazy({ address: server.address });
  const call = outcomeOf(connection.workflowService.getSystemInfo({}));
  await server.untilAsked(1);
  await connection.close();
  expect(await call).toBe(GRPC.cancelled);
});

it('ends a call in the pause before its next try, which then is not made', async () => {
  const server = await startGrpcServer(() => GRPC.unavailable);
  const connection = ClosableConnection.lazy({ address: server.address });
  const calls = [1, 2, 3].map(() => outcomeOf(connection.workflowService.getSystemInfo({})));
  await server.untilAsked(6);
  await connection.close();
  expect(await Promise.all(calls)).toEqual([GRPC.cancelled, GRPC.cancelled, GRPC.cancelled]);
});

it('ends a call that a signal cancels in the pause before its next try', async () => {
  const server = await startGrpcServer(() => GRPC.unavailable);
  const connection = ClosableConnection.lazy({ address: server.address });
  const enough = new AbortController();
  const call = outcomeOf(connection.withAbortSignal(enough.signal, () => connection.workflowService.getSystemInfo({})));
  await server.untilAsked(2);
  enough.abort();
  expect(await call).toBe(GRPC.cancelled);
  await connection.close();
});

it('keeps retries of foreign interceptors away from the closed channel', async () => {
  const server = await startGrpcServer(() => GRPC.unavailable);
  let tries = 0;
  let onThird = () => {};
  const third = new Promise<void>((resolve) => (onThird = resolve));
  const connection = ClosableConnection.lazy({
    address: server.address,
    interceptors: [
      makeGrpcRetryInterceptor({ retryableDecider: () => tries < 3, delayFunction: () => 30 }),
      (options, nextCall) => {
        tries++;
        const call = new InterceptingCall(nextCall(options));
        if (tries === 3) onThird();
        return call;
      },
    ],
  });
  const call = outcomeOf(connection.workflowService.getSystemInfo({}));
  await server.untilAsked(2);
  await connection.close();
  expect(await call).toBe(GRPC.cancelled);
  await third; // With the SDK's own connection, "Channel has been shut down" is thrown from a timer here.
  expect(server.requests()).toBe(2);
});

it('ends later calls with CANCELLED, and may be closed again', async () => {
  const server = await startGrpcServer(() => GRPC.ok);
  const connection = await ClosableConnection.connect({ address: server.address });
  await connection.close();
  await connection.close();
  expect(await outcomeOf(connection.workflowService.getSystemInfo({}))).toBe(GRPC.cancelled);
  expect(server.requests()).toBe(1);
});

it('retries while the server is unreachable for a moment', async () => {
  const server = await startGrpcServer(({ number }) => (number < 3 ? GRPC.unavailable : GRPC.ok));
  const connection = ClosableConnection.lazy({ address: server.address });
  expect(await outcomeOf(connection.workflowService.getSystemInfo({}))).toBe(GRPC.ok);
  expect(server.requests()).toBe(3);
  await connection.close();
});

it('ends with the error of the last try if the next pause would outlast the deadline', async () => {
  const server = await startGrpcServer(() => GRPC.resourceExhausted);
  // No pause, then one of an hour.
  const retries = { retryableDecider: () => true, delayFunction: (attempt: number) => (attempt - 1) * 3_600_000 };
  const connection = ClosableConnection.lazy({ address: server.address }, retries);
  const call = connection.withDeadline(Date.now() + 60_000, () => connection.workflowService.getSystemInfo({}));
  expect(await outcomeOf(call)).toBe(GRPC.resourceExhausted);
  expect(server.requests()).toBe(2);
  await connection.close();
});

it('leaves nothing open when it cannot connect', async () => {
  const server = await startGrpcServer(() => null);
  const connecting = ClosableConnection.connect({ address: server.address, connectTimeout: 300 });
  await expect(connecting).rejects.toThrow('Failed to connect');
  await server.firstSessionEnded;
});
