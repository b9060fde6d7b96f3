/** Settling, in virtual time: whether something was sent becomes clear or is reported as unclear, and how long that takes. */
import { describe, expect, it } from 'vitest';
import { unseenAttemptMs } from '../../../../src/domain/once/limits.js';
import { leftBeforeFirstStep } from '../../../../src/domain/once/settling.js';
import { endedAs, nothingKnown, type Ending, type OnceState } from '../../../../src/domain/once/state.js';
import { aCloudJob, anEndedState, anObservation, defaultLimits as limits, failedWith } from '../../../support/build.js';
import { commandKinds, requestFailed, settle, withoutTime, type Played, type World } from './play-once.js';

const PRIOR = failedWith('Unanswered');
const NOW_MS = 100_000;
const CLEAR_MS = NOW_MS + unseenAttemptMs(limits);
const DEADLINE_MS = 400_000;
const ours = { lastJobId: 'JOB-1' };
const quiet = anObservation();
const stopped = anObservation({ status: 'STOPPED', ...ours });

/** A failed step that may have sent and has no known cloud job. */
function unclearStep(world: World, prior: Ending = PRIOR, change: Partial<OnceState> = {}): Played {
  const left = anEndedState(prior, {
    atMs: NOW_MS,
    sent: 'unknown',
    decidedAtMs: 10_000,
    clearAtMs: CLEAR_MS,
    ...change,
  });
  return settle(left, prior, world, { deadlineAtMs: DEADLINE_MS });
}

/** A step whose cloud job is known. */
function sentStep(world: World, prior: Ending = PRIOR): Played {
  const cloudJob = { id: 'JOB-1', submittedAtMs: NOW_MS - 5_000 };
  return unclearStep(world, prior, { sent: 'yes', cloudJob, clearAtMs: 0 });
}

function beforeFirstStep(world: World, clearAtMs = 0): Played {
  const sent = clearAtMs === 0 ? 'no' : 'unknown';
  const left = endedAs(nothingKnown(sent, { nowMs: NOW_MS, clearAtMs, decidedAtMs: NOW_MS }), { kind: 'succeeded' });
  const before = { observation: null, lastJobId: 'JOB-0', knownCloudJobIds: ['JOB-0'] };
  return settle(left, null, world, { action: null, before, deadlineAtMs: DEADLINE_MS });
}

describe('a known cloud job', () => {
  const endsAt =
    (endMs: number, status = 'SUCCEEDED') =>
    (atMs: number) =>
      aCloudJob({ status: atMs < endMs ? 'RUNNING' : status });

  it('is followed to its end, then the instance to its rest', () => {
    const played = sentStep({ job: endsAt(150_000), read: () => stopped });
    expect(commandKinds(played)).toEqual(['poll', 'read', 'end']);
    expect(played.ending).toEqual(PRIOR);
    expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' }, seen: withoutTime(stopped) });
    expect(played.endedAtMs).toBeGreaterThanOrEqual(150_000);
  });

  it.each([
    ['the state before it', quiet],
    ['the cloud job, and not yet what it did', anObservation(ours)],
  ])('that succeeded is not settled by a reading that shows %s, within the visibility window', (_case, old) => {
    const read: World['read'] = (atMs) => (atMs < NOW_MS + 10_000 ? old : stopped);
    expect(sentStep({ read }).state.seen).toMatchObject(withoutTime(stopped));
    // After the window nothing else can appear.
    const ending = { kind: 'failed', failure: 'NotConverged' };
    expect(sentStep({ read: () => old })).toMatchObject({ state: { seen: withoutTime(old) }, ending });
  });

  it('is not settled by a reading of the state before it whose answer is read after the visibility window', () => {
    const shownMs = NOW_MS + limits.visibilityWindowMs - 1_000;
    const read: World['read'] = (atMs) => (atMs < shownMs ? quiet : stopped);
    // The third one is asked for at 113.7 s, just before what the cloud job did shows, and answered at 115.5 s.
    expect(sentStep({ read, latencyMs: { read: 1_800 } }).state.seen).toMatchObject(withoutTime(stopped));
  });

  it('that failed is not settled by a reading from before it', () => {
    const read: World['read'] = (atMs) => (atMs < NOW_MS + 10_000 ? quiet : anObservation(ours));
    expect(sentStep({ job: endsAt(0, 'FAILED'), read }).state.seen).toMatchObject(ours);
  });

  it('that does not show yet is waited for behind an unknown one, within the visibility window', () => {
    const theirs = anObservation({ status: 'STOPPED', lastJobId: 'JOB-2' });
    const showsMs = NOW_MS + 5_000;
    const read: World['read'] = (atMs) => (atMs < showsMs ? theirs : stopped);
    expect(sentStep({ read }).state.seen).toMatchObject(withoutTime(stopped));
    // Ours was accepted 5 s before, so theirs came later.
    const isTheirs = sentStep({ read: () => theirs });
    expect(isTheirs.state.seen).toMatchObject(withoutTime(theirs));
    expect(isTheirs.endedAtMs).toBeLessThanOrEqual(NOW_MS + limits.visibilityWindowMs);
  });

  it('that failed is settled by the first reading at rest that shows it', () => {
    const seen = anObservation(ours);
    const played = sentStep({ job: endsAt(0, 'FAILED'), read: () => seen });
    const ending = { failure: 'CloudJobFailed', message: expect.stringMatching(/; cloud job JOB-1 ended FAILED$/) };
    expect(played).toMatchObject({ ending, state: { seen: withoutTime(seen) } });
    // The step had already reported the result.
    const overdue = failedWith('CloudJobOverdue');
    expect(sentStep({ job: endsAt(0, 'FAILED'), read: () => seen }, overdue).ending).toEqual(overdue);
  });

  it('that does not end is unclear at the limit: overdue', () => {
    const played = sentStep({ job: () => aCloudJob(), read: () => anObservation({ status: 'STOPPING', ...ours }) });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', failure: 'CloudJobOverdue' });
    expect(played.endedAtMs).toBe(DEADLINE_MS);
    expect(played.state.seen).toMatchObject({ status: 'STOPPING' });
  });

  it('after which the instance does not come to rest is unclear', () => {
    const played = sentStep({ read: () => anObservation({ status: 'STOPPING', ...ours }) });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', message: expect.stringContaining('STOPPING') });
    expect(played.endedAtMs).toBeGreaterThanOrEqual(DEADLINE_MS);
    expect(played.endedAtMs).toBeLessThanOrEqual(DEADLINE_MS + limits.quietMs);
  });

  it('that was adopted and does not end is Indeterminate, not overdue', () => {
    const played = unclearStep({ job: () => aCloudJob(), read: () => anObservation({ status: 'STOPPING', ...ours }) });
    expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1', evidence: { createdByUs: true } } });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', failure: 'Indeterminate' });
  });
});

describe('something that may have been sent', () => {
  it('did not happen when nothing new shows until it is clear, and the state is as before', () => {
    const played = unclearStep({ read: () => quiet });
    expect(played.ending).toEqual(PRIOR);
    expect(played.state).toMatchObject({ sent: 'no', cloudJob: null });
    expect(played.endedAtMs).toBe(CLEAR_MS);
  });

  it('needs two quiet readings at the end of that time', () => {
    const movedMs = CLEAR_MS - limits.quietMs;
    const read: World['read'] = (atMs) => (atMs === movedMs ? anObservation({ status: 'PENDING' }) : quiet);
    expect(unclearStep({ read }).endedAtMs).toBe(CLEAR_MS + limits.quietMs);
  });

  it('is not judged by a reading that was asked for before it is clear, however late its answer is read', () => {
    const showsMs = CLEAR_MS - limits.marginMs;
    const read: World['read'] = (atMs) => (atMs < showsMs ? quiet : stopped);
    // The fourth reading is asked for at 126.7 s and answered at 130.6 s.
    const played = unclearStep({ read, latencyMs: { read: 3_900 } });
    expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' } });
  });

  it('is ours when a new cloud job shows with evidence, which is recorded and followed', () => {
    const showsMs = CLEAR_MS - 20_000;
    const played = unclearStep({ read: (atMs) => (atMs < showsMs ? quiet : stopped) });
    expect(played.ending).toEqual(PRIOR);
    expect(played.state).toMatchObject({
      sent: 'yes',
      cloudJob: { evidence: { createdByUs: true } },
      seen: withoutTime(stopped),
    });
    expect(played.recorded[0]).toMatchObject({ cloudJob: { id: 'JOB-1' } });
  });

  it.each([
    ['somebody else asked for', aCloudJob({ createdBy: 'them' }), 'cannot be proved to be ours', CLEAR_MS],
    ['shows no tasks', aCloudJob({ tasks: [] }), 'shows no tasks', CLEAR_MS + limits.visibilityWindowMs],
  ])('is unclear beside a cloud job that %s, once nothing more can appear', (_case, job, why, clearAtMs) => {
    const played = unclearStep({ read: () => anObservation(ours), job: () => job });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', failure: 'Indeterminate' });
    expect(played.ending).toMatchObject({ message: expect.stringContaining(why) });
    expect(played.state.sent).toBe('unknown');
    expect(played.endedAtMs).toBeGreaterThanOrEqual(clearAtMs);
    expect(played.endedAtMs).toBeLessThanOrEqual(clearAtMs + limits.quietMs);
  });

  it('counts as ours if the desired state holds under the same cloud job', () => {
    const played = unclearStep({ read: () => anObservation({ status: 'STOPPED' }) });
    expect(played).toMatchObject({ ending: PRIOR, state: { sent: 'unknown' } });
  });

  it('stays unclear if the state changed differently without a cloud job', () => {
    const played = unclearStep({ read: () => anObservation({ status: 'DOWN' }) });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', message: expect.stringContaining('without a new') });
    expect(played.state.sent).toBe('unknown');
  });

  it('stays unclear if it counted as done, and the state is as before again without a cloud job', () => {
    const played = unclearStep({}, { kind: 'succeeded' });
    expect(played.ending).toMatchObject({
      kind: 'indeterminate',
      message: expect.stringContaining('became as desired, and then RUNNING 2/2, version 1.4.1 again without a new'),
    });
    expect(played.state.sent).toBe('unknown');
  });

  describe('that counted as done is judged by its cloud job, once that shows', () => {
    const done: Ending = { kind: 'succeeded' };
    const failed = aCloudJob({ status: 'FAILED' });

    it.each([
      ['succeeded', { read: () => stopped }, done],
      ['failed', { read: () => anObservation(ours), job: () => failed }, { failure: 'CloudJobFailed' }],
      ['failed beside the desired state', { read: () => stopped, job: () => failed }, { failure: 'CloudJobFailed' }],
      [
        'failed, and may be somebody else',
        { read: () => stopped, job: () => ({ ...failed, createdBy: null }) },
        { kind: 'indeterminate' },
      ],
      ['left another state', { read: () => anObservation(ours) }, { kind: 'indeterminate' }],
    ])('%s', (_case, world, ending) => {
      const played = unclearStep(world, done);
      expect(played.ending).toMatchObject(ending);
      expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' } });
    });
  });

  it('is read beyond the deadline if it may still appear after it', () => {
    const clearAtMs = DEADLINE_MS + 60_000;
    const played = unclearStep({ read: () => quiet }, PRIOR, { clearAtMs });
    expect(played).toMatchObject({ endedAtMs: clearAtMs, state: { sent: 'no' } });
    const never = unclearStep({ read: () => anObservation({ status: 'STOPPING' }) }, PRIOR, { clearAtMs });
    expect(never.ending).toMatchObject({ kind: 'indeterminate' });
    expect(never.endedAtMs).toBe(clearAtMs + 4 * limits.quietMs);
  });
});

describe('readings that fail', () => {
  it('decide nothing, and interrupt a quiet time', () => {
    const backMs = CLEAR_MS + 30_000;
    const played = unclearStep({ read: (atMs) => (atMs < backMs ? requestFailed() : quiet) });
    expect(played).toMatchObject({ ending: PRIOR, state: { sent: 'no' } });
    expect(played.endedAtMs).toBeGreaterThanOrEqual(backMs + limits.quietMs);
  });

  it('end settling at the limit, unclear, with the reason', () => {
    const played = unclearStep({ read: () => requestFailed() });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', message: expect.stringMatching(/no reading.*503/) });
    expect(played.endedAtMs).toBeGreaterThanOrEqual(DEADLINE_MS);
  });

  it('are not reported once one has succeeded', () => {
    const read: World['read'] = (atMs) =>
      atMs < NOW_MS + 30_000 ? requestFailed() : anObservation({ status: 'STOPPING' });
    const { ending } = unclearStep({ read });
    expect(ending).toMatchObject({ message: expect.stringContaining('last seen STOPPING') });
    expect(ending).toMatchObject({ message: expect.not.stringContaining('503') });
  });

  it('become rarer and rarer', () => {
    const { commands } = unclearStep({ read: () => requestFailed() });
    const pauses = commands.flatMap(({ command }) => (command.kind === 'read' ? [command.inMs] : []));
    expect(pauses.slice(0, 3)).toEqual([0, limits.quietMs, 2 * limits.quietMs]);
    expect(commands.length).toBeLessThan(25);
  });

  it('that are never answered end settling at the limit', () => {
    expect(unclearStep({ latencyMs: { read: 3_600_000 } }).endedAtMs).toBeLessThanOrEqual(
      DEADLINE_MS + limits.readTimeoutMs,
    );
  });
});

describe('before a first step', () => {
  it('a cloud job in flight only has to end', () => {
    const read: World['read'] = (atMs) => (atMs < 150_000 ? anObservation({ lastJobStatus: 'RUNNING' }) : quiet);
    const played = beforeFirstStep({ read });
    expect(played).toMatchObject({
      ending: { kind: 'succeeded' },
      state: { sent: 'no', seen: withoutTime(quiet) },
      endedAtMs: 150_000,
    });
  });

  it('a cloud job that does not end makes the target busy', () => {
    const played = beforeFirstStep({ read: () => anObservation({ lastJobStatus: 'RUNNING' }) });
    expect(played.ending).toMatchObject({ kind: 'failed', failure: 'TargetBusy', retryInMs: null });
    expect(played.endedAtMs).toBeGreaterThanOrEqual(DEADLINE_MS);
  });

  it('settling waits for what the previous holder may have sent, and adopts nothing', () => {
    const quietOnes = beforeFirstStep({ read: () => quiet }, CLEAR_MS);
    expect(quietOnes).toMatchObject({ ending: { kind: 'succeeded' }, endedAtMs: CLEAR_MS });
    const newOne = beforeFirstStep({ read: () => stopped }, CLEAR_MS);
    expect(newOne).toMatchObject({ ending: { kind: 'succeeded' }, endedAtMs: CLEAR_MS, state: { cloudJob: null } });
    expect(commandKinds(newOne)).toEqual(['read', 'end']);
  });

  it('a run that was reset to within this wait waits for all that the run before may still send', () => {
    const left = endedAs(nothingKnown('no', { nowMs: NOW_MS, clearAtMs: 0, decidedAtMs: NOW_MS }), {
      kind: 'succeeded',
    });
    const of = (runId: string, known = left) =>
      leftBeforeFirstStep(known, { runId, decidedInRunId: 'first' }, limits, NOW_MS);
    expect(of('first')).toBe(left);
    expect(of('reset')).toEqual({ ...left, sent: 'unknown', clearAtMs: CLEAR_MS });
    expect(of('reset', { ...left, clearAtMs: CLEAR_MS + 1 })).toMatchObject({ clearAtMs: CLEAR_MS + 1 });
  });
});
