import { describe, expect, it } from 'vitest';
import { CLOCK_ADVICE, clockProblem } from '../../../src/domain/clock.js';
import { failureRecord, FAILURES } from '../../../src/domain/failures.js';

describe('a clock', () => {
  it.each([
    [20 * 60_000, "the clock of this machine is 20m ahead of ServiceStage's"],
    [-3 * 3_600_000, "the clock of this machine is 3h behind ServiceStage's"],
    [119_000, null],
    [-1_000, null],
    [null, null],
  ])('%s ms off is told as %j', (aheadMs, told) => {
    expect(clockProblem(aheadMs)).toBe(told);
  });

  it('that is off is what to look at first, before the credentials', () => {
    expect(failureRecord('NotAllowed', `GET /: 401; ${clockProblem(-1_200_000)}`).advice).toBe(CLOCK_ADVICE);
    expect(failureRecord('NotAllowed', 'GET /: 401').advice).toBe(FAILURES.NotAllowed.advice);
  });
});
