/** Builds valid domain values for tests; each function accepts the fields that a test is about. */
import type { Action } from '../../src/domain/target/actions.js';
import type { CloudJob } from '../../src/domain/target/cloud-job.js';
import type { Baseline } from '../../src/domain/contract.js';
import type { AttemptFacts, OnceRules } from '../../src/domain/once/events.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout, type ChosenLimits, type Limits } from '../../src/domain/once/limits.js';
import type { Ending, OnceState } from '../../src/domain/once/state.js';
import type { ActionStep } from '../../src/domain/plan/plan.js';
import type { StepReport } from '../../src/domain/report/report.js';
import type { Observation, Target } from '../../src/domain/target/target.js';

export const defaultLimits: Limits = withHeartbeatTimeout(DEFAULT_LIMITS);

/**
 * The same rules in much less time, so that whole stories fit into a test. Heartbeat timeout: 2 s, because machines
 * under load are slow.
 */
export function quickLimits(change: Partial<ChosenLimits> = {}): Limits {
  return withHeartbeatTimeout({
    readTimeoutMs: 250,
    postTimeoutMs: 400,
    quietMs: 60,
    visibilityWindowMs: 300,
    budgetWaitMs: 200,
    credentialsWaitMs: 200,
    clockSkewMs: 5_000,
    lateStartMs: 2_000,
    leaseMs: 1_000,
    marginMs: 600,
    ...change,
  });
}

/**
 * For whole runs on a real server, so that a busy machine does not look like an answer that never comes. A POST that the
 * process itself was too busy to send leaves a restart indeterminate for good, so it has the most time; so does a send
 * lease that a busy server did not acknowledge in time, if it does not answer the question after it either.
 */
export function stackLimits(): Limits {
  return quickLimits({
    readTimeoutMs: 1_000,
    postTimeoutMs: 4_000,
    leaseMs: 2_000,
    budgetWaitMs: 500,
    credentialsWaitMs: 500,
    lateStartMs: 3_000,
    marginMs: 300,
  });
}

export function aTarget(change: Partial<Target> = {}): Target {
  return {
    path: 'shop/checkout/prod-1',
    projectId: 'project',
    applicationId: 'app-1',
    componentId: 'comp-1',
    instanceId: 'inst-1',
    platformType: 'cce',
    ...change,
  };
}

export function anObservation(change: Partial<Observation> = {}): Observation {
  return {
    observedAtMs: 1_000,
    status: 'RUNNING',
    version: '1.4.1',
    replicaCount: 2,
    availableReplicaCount: 2,
    hosts: null,
    lastJobId: 'JOB-0',
    lastJobStatus: 'SUCCEEDED',
    failDetail: null,
    ...change,
  };
}

export function aBaseline(change: Partial<Observation> = {}, knownCloudJobIds?: readonly string[]): Baseline {
  const observation = anObservation(change);
  const { lastJobId } = observation;
  return { observation, lastJobId, knownCloudJobIds: knownCloudJobIds ?? (lastJobId === null ? [] : [lastJobId]) };
}

export function aStep(action: Action, change: Partial<ActionStep> = {}): ActionStep {
  return {
    kind: 'action',
    id: action.action,
    action,
    deadlineMs: 20_000,
    verify: { withinMs: 3_000, stableMs: 100 },
    usualDurationMs: 200,
    onFailure: 'compensate',
    compensation:
      action.action === 'rollback'
        ? { kind: 'irreversible', reason: 'later snapshots are cleared' }
        : { kind: 'default' },
    ...change,
  };
}

export function aCloudJob(change: Partial<CloudJob> = {}): CloudJob {
  const task = { taskId: 't', name: 'task', status: 'RUNNING', messages: '{}', createdAtMs: 10_000 };
  return {
    cloudJobId: 'JOB-1',
    status: 'RUNNING',
    jobType: 'DAILY_OPERATION',
    instanceId: 'inst-1',
    createdBy: 'us',
    tasks: [task],
    ...change,
  };
}

/** An attempt that has begun and proved nothing: an earlier one may have sent. */
export function anOnceState(change: Partial<OnceState> = {}): OnceState {
  return {
    attempt: 1,
    atMs: 1_000,
    sent: 'unknown',
    sentBefore: 'unknown',
    isUnleased: false,
    cloudJob: null,
    clearAtMs: 0,
    decidedAtMs: 1_000,
    heardAtMs: 1_000,
    seen: null,
    trail: [],
    goal: { kind: 'act' },
    phase: { name: 'reserving' },
    ...change,
  };
}

export function anEndedState(ending: Ending, change: Partial<OnceState> = {}): OnceState {
  return anOnceState({ ...change, phase: { name: 'ended', ending } });
}

export function failedWith(
  failure: Extract<Ending, { kind: 'failed' }>['failure'],
  retryInMs: number | null = null,
): Ending {
  return { kind: 'failed', failure, message: 'the reason', retryInMs };
}

/** An attempt that ended, proved that nothing was sent, and is retried after `retryInMs`. */
export function anUnsentState(retryInMs: number, change: Partial<OnceState> = {}): OnceState {
  return anEndedState(failedWith('Unreachable', retryInMs), { sent: 'no', sentBefore: 'no', ...change });
}

/** An attempt that was lost after it got the send lease, so it may have sent. */
export function aSendingState(change: Partial<OnceState> = {}): OnceState {
  return anOnceState({ sentBefore: 'no', phase: { name: 'sending', sentAtMs: 1_000, wasUnleased: true }, ...change });
}

/** An attempt that was lost while it followed a cloud job. */
export function aFollowingState(cloudJobId: string, submittedAtMs: number, change: Partial<OnceState> = {}): OnceState {
  return anOnceState({
    sent: 'yes',
    cloudJob: { id: cloudJobId, submittedAtMs },
    phase: { name: 'following', sinceMs: submittedAtMs, polls: 0, failedPolls: 0, unknownSinceMs: null },
    ...change,
  });
}

/** A first attempt that begins at 1,000 ms, in the run that made the decision. */
export function attemptFacts(change: Partial<AttemptFacts> = {}): AttemptFacts {
  return {
    attempt: 1,
    runId: 'run-1',
    decidedInRunId: 'run-1',
    scheduledAtMs: 1_000,
    attemptScheduledAtMs: 1_000,
    ...change,
  };
}

/** A stop with the limits of production and a deadline of ten minutes. */
export function onceRules(change: Partial<OnceRules> = {}): OnceRules {
  return {
    action: { action: 'stop' },
    target: aTarget(),
    before: aBaseline(),
    deadlineAtMs: 601_000,
    verify: { withinMs: 60_000, stableMs: 10_000 },
    verifyAfterCancel: true,
    limits: defaultLimits,
    ...change,
  };
}

export function aStepReport(change: Partial<StepReport> = {}): StepReport {
  return {
    id: 'stop',
    action: { action: 'stop' },
    result: 'succeeded',
    sent: 'yes',
    cloudJobId: 'JOB-1',
    startedAtMs: 1_000,
    endedAtMs: 2_000,
    before: anObservation(),
    after: anObservation({ status: 'STOPPED' }),
    attempts: 1,
    trail: [],
    ...change,
  };
}
