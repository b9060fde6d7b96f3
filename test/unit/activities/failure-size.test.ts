/** A failure that is retried always stays below the 4 KB that the server keeps of a pending activity's last failure. */
import { CompleteAsyncError } from '@temporalio/activity';
import { CancelledFailure, DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failure, withinLimit } from '../../../src/activities/to-failure.js';
import { describeRetrying, failedAgain } from '../../../src/domain/once/retrying.js';
import { smallState } from '../../../src/domain/once/state.js';
import { extendTrail, type Decision, type TrailEntry } from '../../../src/domain/once/trail.js';
import { anEndedState, anObservation } from '../../support/build.js';

/** `limit.mutableStateActivityFailureSize.error` is 4,096: half of it is left to codecs, and to what the SDK adds. */
const BOUND_BYTES = 3_072;
/** Names, flags, the delay, and the framing of the protocol. */
const FRAME_BYTES = 250;

function bytesOf(error: unknown): number {
  const { message, stackTrace, applicationFailureInfo, cause } = new DefaultFailureConverter().errorToFailure(
    error,
    defaultPayloadConverter,
  );
  expect(cause ?? null).toBeNull();
  const payloads = applicationFailureInfo?.details?.payloads ?? [];
  const details = payloads.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  return Buffer.byteLength(`${message}${stackTrace}`) + details + FRAME_BYTES;
}

const words = fc.string({ unit: 'binary', maxLength: 6_000, size: 'max' });
const entries = fc.array(fc.tuple(fc.constantFrom<Decision>('entered', 'sent', 'failed', 'adopted'), words), {
  maxLength: 30,
});

describe('a failure that is retried', () => {
  it('fits with the longest reason, trail and observation, its reason first', () => {
    fc.assert(
      fc.property(words, entries, fc.nat(400), (reason, steps, hosts) => {
        const trail = steps.reduce<readonly TrailEntry[]>(
          (soFar, [decision, note], atMs) => extendTrail(soFar, { attempt: 1, atMs, decision, note }),
          [],
        );
        const retrying = failedAgain(undefined, { failure: 'Unreachable', reason, nowMs: 1, untilMs: 2 });
        const state = anEndedState(
          { kind: 'failed', failure: 'Unreachable', message: reason, retryInMs: 5_000 },
          {
            attempt: 443,
            cloudJob: { id: 'J'.repeat(128), submittedAtMs: 1 },
            clearAtMs: 15_000,
            seen: anObservation({
              failDetail: reason.slice(0, 1_000),
              hosts: Array.from({ length: hosts }, (_, index) => `ecs-${index}`),
            }),
            trail,
            retrying,
          },
        );
        const error = failure('Unreachable', describeRetrying(failedAgain(retrying, { ...retrying, nowMs: 1 })), {
          details: smallState(state),
          nextRetryDelayMs: 5_000,
        });
        expect(bytesOf(error)).toBeLessThanOrEqual(BOUND_BYTES);
        expect(error.message.startsWith(retrying.reason)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('fits even if it was unexpected', () => {
    const deep = new Error('x'.repeat(50_000), { cause: new Error('y'.repeat(50_000)) });
    deep.stack = `Error: ${'z'.repeat(50_000)}`;
    expect(bytesOf(withinLimit(deep))).toBeLessThanOrEqual(BOUND_BYTES);
  });

  it.each([
    ['whose message cannot be set', new DOMException('x'.repeat(50_000), 'TimeoutError'), 'TimeoutError'],
    ['that is frozen', Object.freeze(new TypeError('x'.repeat(50_000))), 'TypeError'],
    ['that is not an error', 'x'.repeat(50_000), 'Error'],
  ])('fits if something is thrown %s', (_what, thrown, type) => {
    const made = withinLimit(thrown);
    expect(made).toMatchObject({ type, nonRetryable: false, message: expect.stringMatching(/^x+ … \(50000 bytes\)$/) });
    expect(bytesOf(made)).toBeLessThanOrEqual(BOUND_BYTES);
  });

  it.each([new CompleteAsyncError(), new CancelledFailure('cancelled'), new DOMException('aborted', 'AbortError')])(
    'does not change errors that the worker itself handles: %s',
    (thrown) => expect(withinLimit(thrown)).toBe(thrown),
  );

  it('keeps all of a failure that is not retried', () => {
    expect(failure('InvalidPlan', 'x'.repeat(5_000)).message).toHaveLength(5_000);
  });
});
