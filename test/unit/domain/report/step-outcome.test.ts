/** The outcome of a step, from the state that its activities left. */
import { describe, expect, it } from 'vitest';
import type { Ending, OnceState } from '../../../../src/domain/once/state.js';
import { needsSettling, stepOutcome, waitOutcome, type WaitEnd } from '../../../../src/domain/report/step-outcome.js';
import { aBaseline, anEndedState, anObservation, anOnceState, aStep, failedWith } from '../../../support/build.js';

const step = aStep({ action: 'stop' });
const before = aBaseline({ lastJobId: 'JOB-0' }, ['JOB-old', 'JOB-0']);
const times = { startedAtMs: 1_000, endedAtMs: 2_000 };
const cloudJob = { id: 'JOB-1', submittedAtMs: 1_500 };
const stopped = anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' });

const ENDINGS: Record<Ending['kind'], Ending> = {
  succeeded: { kind: 'succeeded' },
  skipped: { kind: 'skipped' },
  failed: failedWith('Unreachable'),
  cancelled: { kind: 'cancelled', message: 'the reason' },
  indeterminate: { kind: 'indeterminate', failure: 'Indeterminate', message: 'the reason' },
  superseded: { kind: 'superseded' },
};

const outcome = (ending: Ending, change: Partial<OnceState> = {}) =>
  stepOutcome(step, before, anEndedState(ending, { sent: 'yes', cloudJob, seen: stopped, ...change }), times);

describe('a step is settled before anything else is done on its target', () => {
  it.each<[Ending['kind'], { no: boolean; yes: boolean; unknown: boolean }]>([
    // A success whose cloud job was never seen counts as ours.
    ['succeeded', { no: false, yes: false, unknown: true }],
    ['skipped', { no: false, yes: false, unknown: true }],
    ['failed', { no: false, yes: true, unknown: true }],
    ['cancelled', { no: false, yes: true, unknown: true }],
    ['indeterminate', { no: false, yes: false, unknown: false }],
    ['superseded', { no: false, yes: false, unknown: false }],
  ])('if it ended %s and may be in flight', (kind, expected) => {
    for (const sent of ['no', 'yes', 'unknown'] as const)
      expect(needsSettling(anEndedState(ENDINGS[kind], { sent })), sent).toBe(expected[sent]);
  });

  it('and cannot be judged during an attempt', () => {
    expect(() => needsSettling(anOnceState())).toThrow('The attempt is not over');
  });
});

describe('the report of a step', () => {
  it.each<[Ending['kind'], string]>([
    ['succeeded', 'succeeded'],
    ['skipped', 'skipped'],
    ['failed', 'failed'],
    ['cancelled', 'cancelled'],
    ['indeterminate', 'indeterminate'],
  ])('that ended %s has the result %s', (kind, result) => {
    expect(outcome(ENDINGS[kind]).report.result).toBe(result);
  });

  it('contains what was seen, sent and decided', () => {
    const trail = [{ attempt: 1, atMs: 1_000, decision: 'entered' }] as const;
    expect(outcome(ENDINGS.succeeded, { trail, attempt: 3 }).report).toEqual({
      id: 'stop',
      action: { action: 'stop' },
      result: 'succeeded',
      sent: 'yes',
      cloudJobId: 'JOB-1',
      ...times,
      before: before.observation,
      after: stopped,
      attempts: 3,
      trail,
    });
  });

  it('names the failure with its advice', () => {
    expect(outcome(ENDINGS.failed).report.failure).toMatchObject({ name: 'Unreachable', message: 'the reason' });
    expect(outcome(ENDINGS.indeterminate).report.failure).toMatchObject({ name: 'Indeterminate' });
    expect(outcome(ENDINGS.cancelled).report.failure).toBeUndefined();
  });

  it('shows why an adopted cloud job counts as ours', () => {
    const evidence = {
      cloudJobId: 'JOB-1',
      instanceId: 'inst-1',
      jobType: null,
      createdBy: 'us',
      firstTaskAtMs: 1_500,
      scheduledAtMs: 1_000,
      createdByUs: true,
    };
    expect(outcome(ENDINGS.succeeded, { cloudJob: { ...cloudJob, evidence } }).report.evidence).toEqual(evidence);
    expect(outcome(ENDINGS.succeeded).report.evidence).toBeUndefined();
  });
});

describe('a wait', () => {
  it.each<[WaitEnd['kind'], string, string | undefined]>([
    ['succeeded', 'succeeded', undefined],
    ['cancelled', 'cancelled', undefined],
    ['deadlinePassed', 'failed', 'DeadlinePassed'],
  ])('that ended %s has the result %s, and changes nothing', (kind, result, failure) => {
    const ended = waitOutcome({ kind: 'wait', id: 'wait', durationMs: 1_000 }, before, { kind, ...times });
    expect(ended).toMatchObject({ report: { id: 'wait', action: null, result, sent: 'no', ...times }, done: null });
    expect(ended.report.failure?.name).toBe(failure);
    expect(ended.baseline).toBe(before);
  });
});

describe('the next step', () => {
  it('starts from the cloud job that was followed, whatever the last reading showed', () => {
    const { baseline } = outcome(ENDINGS.succeeded, { seen: anObservation({ lastJobId: 'JOB-0' }) });
    expect(baseline).toMatchObject({ lastJobId: 'JOB-1', knownCloudJobIds: ['JOB-old', 'JOB-0', 'JOB-1'] });
  });

  it('starts from the old baseline if there was no cloud job, with what was seen since', () => {
    const seen = anObservation({ status: 'STOPPED', lastJobId: 'JOB-9' });
    const { baseline } = outcome(ENDINGS.skipped, { sent: 'no', cloudJob: null, seen });
    expect(baseline).toEqual({ ...before, observation: seen });
  });

  it('keeps the old reading if there was no newer one', () => {
    const { baseline } = outcome(ENDINGS.failed, { sent: 'no', cloudJob: null, seen: null });
    expect(baseline).toEqual(before);
  });

  it('keeps the run in which the baseline was read', () => {
    const read = { ...before, readInRunId: 'run-1', readAfterReset: true } as const;
    const state = anEndedState(ENDINGS.succeeded, { sent: 'yes', cloudJob, seen: stopped });
    expect(stepOutcome(step, read, state, times).baseline).toMatchObject({
      readInRunId: 'run-1',
      readAfterReset: true,
    });
  });
});

describe('undo', () => {
  it('has the state before and after', () => {
    expect(outcome(ENDINGS.failed).done).toEqual({
      step,
      sent: 'yes',
      before: before.observation,
      after: stopped,
      failedToConverge: false,
    });
  });

  it.each(['NotConverged', 'CloudJobFailed', 'CloudJobOverdue'] as const)('does not send it again after %s', (name) => {
    expect(outcome(failedWith(name)).done).toMatchObject({ failedToConverge: true });
  });

  it.each([
    ['nothing was sent', { sent: 'no', cloudJob: null }],
    ['nothing was seen since', { seen: null }],
  ] as const)('owes nothing if %s', (_case, change) => {
    expect(outcome(ENDINGS.failed, change).done).toBeNull();
  });
});

describe('a state that is reached and need not hold', () => {
  const times = { startedAtMs: 1_000, endedAtMs: 2_000 };
  const passing = aStep({ action: 'stop' }, { holds: false });
  const sent = anEndedState(ENDINGS.succeeded, { sent: 'yes', cloudJob, seen: stopped });
  const skipped = anEndedState(ENDINGS.skipped, { sent: 'no', seen: stopped });
  const reached = stepOutcome(passing, before, sent, times);

  it('is reported, and known to the next step', () => {
    expect(reached.report.notHeld).toBe(true);
    expect(reached.baseline.notHeld).toBe(true);
  });

  it('stays so over a step that is skipped without a hold, or fails unsent', () => {
    expect(stepOutcome(passing, reached.baseline, skipped, times).baseline.notHeld).toBe(true);
    const failed = anEndedState(failedWith('TargetChanged'), { sent: 'no', seen: stopped });
    expect(stepOutcome(step, reached.baseline, failed, times).baseline.notHeld).toBe(true);
  });

  it.each([
    ['sent', sent],
    ['skipped', skipped],
  ])('is over once a later step that is %s has seen its state hold', (_how, state) => {
    const held = stepOutcome(step, reached.baseline, state, times);
    expect(held.baseline).not.toHaveProperty('notHeld');
    expect(held.report).not.toHaveProperty('notHeld');
  });

  it('stays reported until then', () => {
    const failed = anEndedState(failedWith('TargetChanged'), { sent: 'no', seen: stopped });
    for (const state of [skipped, failed])
      expect(stepOutcome(passing, reached.baseline, state, times).report.notHeld).toBe(true);
  });

  it('is not claimed of a step that was skipped or failed by itself', () => {
    const failed = anEndedState(failedWith('NotConverged'), { sent: 'yes', cloudJob, seen: stopped });
    for (const state of [skipped, failed])
      expect(stepOutcome(passing, before, state, times).report).not.toHaveProperty('notHeld');
  });
});
