/** A description that the server does not answer in time is asked for again; it only reads. */
import { Metadata } from '@grpc/grpc-js';
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { describe } from '../../../src/schedules/describe.js';
import { GRPC } from '../../../src/temporal/calls.js';
import { ServerUnreachable } from '../../../src/temporal/errors.js';

/** A client whose server answers with these statuses, one after the other, and then always with the last one. */
function failing(...codes: number[]) {
  const asked: number[] = [];
  const describeSchedule = () => {
    const code = codes[Math.min(asked.length, codes.length - 1)] ?? 0;
    asked.push(code);
    return Promise.reject(Object.assign(new Error('no'), { code, details: 'no', metadata: new Metadata() }));
  };
  const connection = { workflowService: { describeSchedule } };
  const client = {
    connection,
    schedule: { options: { namespace: 'default' } },
    withDeadline: (_deadline: unknown, call: () => unknown) => call(),
  } as unknown as Client;
  return { asked, client };
}

it('is asked again, and then answered', async () => {
  const { asked, client } = failing(GRPC.deadlineExceeded, GRPC.notFound);
  expect(await describe(client, 'nightly')).toBeNull();
  expect(asked).toHaveLength(2);
});

it('is asked three times at most', async () => {
  const { asked, client } = failing(GRPC.deadlineExceeded);
  await expect(describe(client, 'nightly')).rejects.toThrow(ServerUnreachable);
  expect(asked).toHaveLength(3);
});

it('is asked once if the server refuses', async () => {
  const { asked, client } = failing(GRPC.permissionDenied);
  await expect(describe(client, 'nightly')).rejects.toThrow(/refuses/);
  expect(asked).toHaveLength(1);
});
