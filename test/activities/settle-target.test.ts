/** `settleTarget` finds out what was sent, or reports that it is unclear. It only reads, whatever happens. */
import { CompleteAsyncError } from '@temporalio/activity';
import { ActivityCancellationDetails, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CloudJobWatch } from '../../src/activities/cloud-job-watch.js';
import { Durations } from '../../src/domain/durations/durations.js';
import { settleTarget } from '../../src/activities/perform-action.js';
import type { TemporalAccess } from '../../src/activities/temporal-access.js';
import type { Baseline, SettleTargetArguments } from '../../src/domain/contract.js';
import { endingOf, type Ending, type Interruption, type OnceState } from '../../src/domain/once/state.js';
import type { Target } from '../../src/domain/target/target.js';
import { anEndedState, failedWith, quickLimits } from '../support/build.js';
import { startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

/** What a failed step left, and how long settling may take. */
interface Left extends Partial<Pick<OnceState, 'sent'>> {
  readonly cloudJobId?: string;
  readonly readInRunId?: string | undefined;
  readonly clearInMs?: number;
  readonly deadlineInMs?: number;
  readonly limits?: SettleTargetArguments['limits'];
  /** An interruption before it begins. */
  readonly interruptedBy?: Interruption;
}

const PRIOR = failedWith('Unanswered');

function settle(target: Target, before: Baseline, left: Left = {}): Promise<OnceState> {
  return settleWith({ target, before, action: { action: 'stop' }, prior: PRIOR }, left);
}

/** Before a first step, no cloud job can be ours. */
function settleFirst(target: Target, { lastJobId, knownCloudJobIds }: Baseline, left: Left = {}): Promise<OnceState> {
  const before = { observation: null, lastJobId, knownCloudJobIds };
  return settleWith({ target, before, action: null, prior: null }, { sent: 'no', clearInMs: 0, ...left });
}

function settleWith(
  of: Pick<SettleTargetArguments, 'target' | 'before' | 'action' | 'prior'>,
  {
    cloudJobId,
    sent = 'unknown',
    clearInMs = 250,
    deadlineInMs = 2_000,
    limits = quickLimits(),
    interruptedBy,
    readInRunId,
  }: Left,
): Promise<OnceState> {
  const nowMs = Date.now();
  const request: SettleTargetArguments = {
    ...of,
    left: anEndedState(of.prior ?? { kind: 'succeeded' }, {
      atMs: nowMs,
      sent,
      decidedAtMs: nowMs - 500,
      clearAtMs: nowMs + clearInMs,
      cloudJob: cloudJobId === undefined ? null : { id: cloudJobId, submittedAtMs: nowMs },
    }),
    deadlineAtMs: nowMs + deadlineInMs,
    verify: { withinMs: 1_000, stableMs: 40 },
    verifyAfterCancel: true,
    limits,
    ...(readInRunId === undefined ? {} : { readInRunId }),
  };
  const { serviceStage } = bench;
  const temporal: TemporalAccess = {
    standing: asksNothing,
    sendLease: asksNothing,
    describeLease: async () => null,
    findRuns: async () => [],
    hasStateAttribute: async () => false,
    pastRuns: async () => ({ runs: [], leaseTakenAtMs: null }),
    earlierRun: async () => null,
  };
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  if (interruptedBy === 'cancel')
    environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  if (interruptedBy === 'superseded')
    environment.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));
  if (interruptedBy === 'stop')
    environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  return environment.run<[], OnceState, () => Promise<OnceState>>(() =>
    settleTarget({ serviceStage, temporal, watch: new CloudJobWatch(new Durations()) }, request),
  );
}

const asksNothing = () => Promise.reject(new Error('Settling asks the server nothing'));

/** The step's verdict stays if its result is clear. */
const clear = { phase: { name: 'ended', ending: PRIOR } };
const unclear = { phase: { name: 'ended', ending: { kind: 'indeterminate' } } };
const atRest = { phase: { name: 'ended', ending: { kind: 'succeeded' } } };

/** Whether the reading that decided was made once everything that was sent is visible. */
function isReadWhenClear({ seen, clearAtMs }: OnceState): boolean {
  return seen !== null && seen.observedAtMs >= clearAtMs;
}

function why(state: OnceState): string {
  const ending: Ending = endingOf(state);
  return 'message' in ending ? ending.message : '';
}

async function stopped(target: Target): Promise<string> {
  const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
  return (await reservation.submitAction(target, { action: 'stop' }, { timeoutMs: 500 })).cloudJobId;
}

describe('a known cloud job', () => {
  it('is waited for to its end', async () => {
    const { target, before } = await bench.instance();
    const cloudJobId = await stopped(target);
    const settled = await settle(target, before, { cloudJobId, sent: 'yes' });
    expect(settled).toMatchObject({ ...clear, sent: 'yes', cloudJob: { id: cloudJobId }, seen: { status: 'STOPPED' } });
  });
});

describe('something that may have been sent', () => {
  it('did not happen when nothing new shows and the state is as before', async () => {
    const { target, before } = await bench.instance();
    const settled = await settle(target, before);
    expect(settled).toMatchObject({ ...clear, sent: 'no', cloudJob: null });
    expect(isReadWhenClear(settled)).toBe(true);
  });

  it('is ours when a new cloud job shows with evidence, and is followed to its end', async () => {
    const { target, before } = await bench.instance();
    const cloudJobId = await stopped(target);
    const settled = await settle(target, before);
    expect(settled).toMatchObject({
      ...clear,
      sent: 'yes',
      cloudJob: { id: cloudJobId, evidence: { createdByUs: true } },
      seen: { status: 'STOPPED' },
    });
  });

  it('stays unclear beside a cloud job of somebody else', async () => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const settled = await settle(target, before);
    expect(settled).toMatchObject({ ...unclear, sent: 'unknown' });
    expect(why(settled)).toContain('cannot be proved to be ours');
  });
});

describe('before a first step', () => {
  it('a foreign cloud job only has to end', async () => {
    const { target } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const before = await bench.baseline(target);
    const settled = await settleFirst(target, before);
    expect(settled).toMatchObject({ ...atRest, sent: 'no', seen: { status: 'RUNNING' } });
  });
});

describe('before the first step of a run that was reset to within this wait', () => {
  it('waits for what the run before may have sent, and returns which run waited', async () => {
    const { target, before } = await bench.instance();
    const { runId } = new MockActivityEnvironment().context.info.workflowExecution ?? {};
    const left = { sent: 'no', clearInMs: 0, deadlineInMs: 5_000 } as const;
    expect(await settleFirst(target, before, { ...left, readInRunId: runId })).toMatchObject({
      ...atRest,
      sent: 'no',
      settledInRunId: runId,
    });
    const settled = await settleFirst(target, before, { ...left, readInRunId: 'the run before' });
    expect(settled).toMatchObject({ ...atRest, sent: 'unknown', settledInRunId: runId });
    expect(isReadWhenClear(settled)).toBe(true);
  });

  it('returns no run to an older version that asked', async () => {
    const { target, before } = await bench.instance();
    expect(await settleFirst(target, before)).not.toHaveProperty('settledInRunId');
  });
});

describe('readings that fail', () => {
  it('are tolerated', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'instance', instanceId: target.instanceId },
      times: 3,
      fault: { kind: 'status', status: 503 },
    });
    expect(await settle(target, before)).toMatchObject({ ...clear, sent: 'no' });
  });
});

describe('asked to end', () => {
  it('by the stop of its worker, it is tried again', async () => {
    const { target, before } = await bench.instance();
    const error: unknown = await settle(target, before, { interruptedBy: 'stop' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(error).toMatchObject({ type: 'WorkerStopped', nonRetryable: false, details: [{ sent: 'unknown' }] });
  });

  it('because the server no longer knows its attempt, it reports nothing', async () => {
    const { target, before } = await bench.instance();
    await expect(settle(target, before, { interruptedBy: 'superseded' })).rejects.toThrow(CompleteAsyncError);
  });

  it('by a cancel before a first step, it is cancelled', async () => {
    const { target, before } = await bench.instance();
    await expect(settleFirst(target, before, { interruptedBy: 'cancel' })).rejects.toThrow(CancelledFailure);
  });
});
