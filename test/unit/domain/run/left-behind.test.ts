/** What a run that did not succeed left changed, as far as its report shows it. */
import { describe, expect, it } from 'vitest';
import { OUTCOMES, type TargetReport } from '../../../../src/domain/report/report.js';
import { targetReport } from '../../../../src/domain/report/target-report.js';
import { withShortSteps } from '../../../../src/domain/report/cut-report.js';
import { leftBehind } from '../../../../src/domain/run/left-behind.js';
import { anObservation, aStepReport } from '../../../support/build.js';

const running = anObservation();
const stopped = anObservation({ status: 'STOPPED' });
const stop = aStepReport({ id: 'stop', action: { action: 'stop' }, sent: 'yes' });
const start = aStepReport({ id: 'start', action: { action: 'start' }, sent: 'yes', result: 'failed' });

const left = (change: Partial<TargetReport>, outcome: TargetReport['outcome'] = 'failed') =>
  targetReport(
    { path: 'a/b/c', instanceId: 'i', leaseId: 'l', outcome },
    { steps: [stop, start], captured: running, lastSeen: stopped, ...change },
  );
const whatOf = (target: TargetReport) => leftBehind({ targets: [target] }).map(({ what }) => what);

describe('a target that a run left', () => {
  it('stopped is named, with what it was before', () => {
    expect(leftBehind({ targets: [left({})] })).toEqual([{ path: 'a/b/c', what: 'status STOPPED (RUNNING before)' }]);
    expect(whatOf(left({ captured: stopped }))).toEqual(['status STOPPED, as before']);
  });

  it('with another version or count is named', () => {
    expect(whatOf(left({ lastSeen: anObservation({ version: '1.5.0' }) }))).toEqual(['version 1.5.0 (1.4.1 before)']);
  });

  it('with an effect that was not undone is named, although its state is as before', () => {
    const effect = { stepId: 'restart', action: { action: 'restart' }, why: 'w', kind: 'notUndone' } as const;
    expect(whatOf(left({ lastSeen: running, remaining: [effect] }))).toEqual(['restart was not undone']);
  });

  it('as it was is not named, and neither is one to which nothing was sent', () => {
    expect(whatOf(left({ lastSeen: running }))).toEqual([]);
    expect(whatOf(left({ steps: [{ ...start, sent: 'no' }] }))).toEqual([]);
  });

  it('is named after three ends only: others have a group of their own, or did what was asked', () => {
    expect(OUTCOMES.filter((outcome) => whatOf(left({}, outcome)).length > 0)).toEqual([
      'cancelled',
      'failed',
      'compensated',
    ]);
  });

  it('is named where a shortened report does not show it', () => {
    const seeReport = ['its report shows what was left'];
    expect(whatOf({ ...left({ lastSeen: running }), cut: 'bare', steps: [] })).toEqual(seeReport);
    expect(whatOf(withShortSteps(left({ lastSeen: running })))).toEqual(seeReport);
    expect(whatOf(withShortSteps(left({ lastSeen: running, compensations: [start] })))).toEqual([]);
    expect(whatOf(withShortSteps(left({})))).toEqual(['status STOPPED']);
  });

  it('is not concluded from a report of another shape', () => {
    expect(leftBehind({} as never)).toEqual([]);
  });
});
