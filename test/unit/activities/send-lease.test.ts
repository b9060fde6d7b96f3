/** What the send lease needs from Temporal: an acknowledged heartbeat, and the number of the current attempt. */
import type { Info } from '@temporalio/activity';
import { ActivityCancelledError, ActivityResetError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { temporalAccess } from '../../../src/activities/temporal-access.js';
import { aSendingState } from '../../support/build.js';

const NOW_MS = 1_000;
const info = {
  taskToken: new Uint8Array([1]),
  workflowExecution: { workflowId: 'lease', runId: 'run' },
  activityId: '1',
  attempt: 1,
  currentAttemptScheduledTimestampMs: NOW_MS,
} as unknown as Info;

/** A fake Temporal that records its calls. */
function fakeTemporal(heartbeat: Error | null, scheduledAtMs: number) {
  const asked: string[] = [];
  const scheduledTime = { seconds: scheduledAtMs / 1_000, nanos: 0 };
  const client = {
    withDeadline: (_atMs: number, call: () => Promise<unknown>) => call(),
    activity: {
      heartbeat: async () => {
        asked.push('heartbeat');
        if (heartbeat !== null) throw heartbeat;
      },
    },
    workflow: {
      getHandle: () => ({
        describe: async () => {
          asked.push('describe');
          return { raw: { pendingActivities: [{ activityId: '1', state: 2, attempt: 1, scheduledTime }] } };
        },
      }),
    },
  } as unknown as Client;
  return { asked, temporal: temporalAccess(client) };
}

describe('the send lease', () => {
  it.each([
    ['a young attempt', true, NOW_MS, 'current', ['heartbeat']],
    ['an attempt that is the current one', false, NOW_MS, 'current', ['heartbeat', 'describe']],
    ['an attempt that a reset has replaced', false, 5_000, 'superseded', ['heartbeat', 'describe']],
  ] as const)('of %s', async (_case, isYoung, scheduledAtMs, standing, calls) => {
    const { asked, temporal } = fakeTemporal(null, scheduledAtMs);
    expect(await temporal.sendLease(info, aSendingState(), isYoung, 1_000)).toEqual({ standing });
    expect(asked).toEqual(calls);
  });

  it.each([
    ['a cancel', new ActivityCancelledError('cancelled'), 'cancelled'],
    ['a reset that the server remembers', new ActivityResetError('reset'), 'superseded'],
    ['no answer', new Error('unavailable'), 'unclear'],
  ])('of a young attempt detects %s', async (_case, answer, standing) => {
    const { asked, temporal } = fakeTemporal(answer, NOW_MS);
    expect(await temporal.sendLease(info, aSendingState(), true, 1_000)).toEqual({ standing });
    expect(asked).toEqual(['heartbeat']);
  });
});
