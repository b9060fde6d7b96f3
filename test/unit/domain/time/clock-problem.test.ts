import { describe, expect, it } from 'vitest';
import { CLOCK_ADVICE, clockAsCause, clockProblem } from '../../../../src/domain/time/clock-problem.js';
import { failureRecord, FAILURES, longestAdvice } from '../../../../src/domain/failures.js';

describe('a clock', () => {
  it.each([
    [20 * 60_000, "the clock of this machine is 20m ahead of ServiceStage's"],
    [-3 * 3_600_000, "the clock of this machine is 3h behind ServiceStage's"],
    [119_000, null],
    [-1_000, null],
    [null, null],
  ])('%s ms off is described as %j', (aheadMs, description) => {
    expect(clockProblem(aheadMs)).toBe(description);
  });

  it('is the cause only of a refused signature, if it is 15 minutes off or the refusal names the time', () => {
    const signed = { isSigned: true, namesTime: false };
    expect(clockAsCause(-20 * 60_000, signed)).toBe(clockProblem(-20 * 60_000));
    expect(clockAsCause(14 * 60_000, signed)).not.toBeNull();
    expect(clockAsCause(14 * 60_000 - 1, signed)).toBeNull();
    expect(clockAsCause(3 * 60_000, { ...signed, namesTime: true })).toBe(clockProblem(3 * 60_000));
    expect(clockAsCause(1_000, { ...signed, namesTime: true })).toBeNull();
    expect(clockAsCause(86_400_000, { isSigned: false, namesTime: true })).toBeNull();
    expect(clockAsCause(null, signed)).toBeNull();
  });

  it('that is off comes first in the advice, before the usual one', () => {
    const message = `GET /: 401; ${clockProblem(-1_200_000)}`;
    expect(failureRecord('NotAllowed', message).advice).toBe(`${CLOCK_ADVICE} ${FAILURES.NotAllowed.advice}`);
    expect(failureRecord('NotAllowed', 'GET /: 401').advice).toBe(FAILURES.NotAllowed.advice);
    expect(failureRecord('CloudJobFailed', message).advice).toBe(FAILURES.CloudJobFailed.advice);
    expect(longestAdvice().length).toBeGreaterThanOrEqual(failureRecord('NotAllowed', message).advice.length);
  });
});
