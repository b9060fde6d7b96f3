/** A 429 at the start of a worker is asked again before it becomes a warning. */
import { expect, it } from 'vitest';
import { ServiceStageError } from '../../../src/servicestage/errors.js';
import type { ServiceStage } from '../../../src/servicestage/service-stage.js';
import { startWarnings } from '../../../src/servicestage/start-check.js';

const THROTTLED = {
  code: 'Throttled',
  sent: 'no',
  method: 'POST',
  path: '/v3/auth/tokens',
  reason: 'too many',
} as const;

/** @param answers of IAM, one for each request; `number`: a 429 that asks for this pause, ms */
async function warningsAfter(answers: readonly (number | string | null | ServiceStageError)[], retryAfter = true) {
  const left = [...answers];
  const pauses: number[] = [];
  const iam: Pick<ServiceStage, 'ownUserId' | 'listApplications' | 'clockAheadMs'> = {
    ownUserId: () => {
      const answer = left.shift();
      if (answer === undefined) throw new Error('IAM was asked too often');
      if (answer instanceof ServiceStageError) return Promise.reject(answer);
      if (typeof answer !== 'number') return Promise.resolve(answer);
      return Promise.reject(
        new ServiceStageError({ ...THROTTLED, httpStatus: 429, ...(retryAfter ? { retryAfterMs: answer } : {}) }),
      );
    },
    listApplications: () => Promise.reject(new Error('ServiceStage was asked although IAM answered')),
    clockAheadMs: () => 0,
  };
  const warnings = await startWarnings(iam, 2_000, (ms) => {
    pauses.push(ms);
    return Promise.resolve();
  });
  return { warnings, pauses, notAsked: left.length };
}

it('one that is answered when it is asked again, after the pause that IAM asks for, is not a warning', async () => {
  expect(await warningsAfter([7_000, 'u1'])).toEqual({ warnings: [], pauses: [7_000], notAsked: 0 });
  expect(await warningsAfter([7_000, 9_000, 'u1'])).toEqual({ warnings: [], pauses: [7_000, 9_000], notAsked: 0 });
});

it('three in a row are one warning with the reason and the remedy', async () => {
  const { warnings, pauses, notAsked } = await warningsAfter([1_000, 1_000, 1_000, 'u1']);
  expect(warnings).toEqual([
    expect.stringMatching(/^IAM did not report our user id: .*429: too many.*SERVICESTAGE_USER/),
  ]);
  expect([pauses, notAsked]).toEqual([[1_000, 1_000], 1]);
});

it('a refusal of IAM after a 429 still counts', async () => {
  expect((await warningsAfter([1_000, null])).warnings).toEqual([
    expect.stringMatching(/^IAM refuses to report our user id/),
  ]);
});

it('the pause is a minute if IAM names none, and two minutes at most', async () => {
  expect((await warningsAfter([1, 'u1'], false)).pauses).toEqual([60_000]);
  expect((await warningsAfter([86_400_000, 'u1'])).pauses).toEqual([120_000]);
});

it('another error is a warning at once', async () => {
  const unreachable = new ServiceStageError({ ...THROTTLED, code: 'Unreachable', reason: 'ECONNREFUSED' });
  const { warnings, pauses } = await warningsAfter([unreachable, 'u1']);
  expect([warnings.length, pauses]).toEqual([1, []]);
});
