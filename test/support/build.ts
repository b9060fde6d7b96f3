/** Valid values of the domain for tests; each takes the fields that a test is about. */
import type { Action } from '../../src/domain/actions.js';
import type { CloudJob } from '../../src/domain/cloud-job.js';
import type { Baseline, HeartbeatDetails } from '../../src/domain/contract.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout, type ChosenLimits, type Limits } from '../../src/domain/limits.js';
import type { ActionStep } from '../../src/domain/plan.js';
import type { StepReport } from '../../src/domain/report.js';
import type { Observation, Target } from '../../src/domain/target.js';

export const defaultLimits: Limits = withHeartbeatTimeout(DEFAULT_LIMITS);

/** The same rules at about a fiftieth of the time, so that whole stories fit into a test. */
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
    marginMs: 200,
    ...change,
  });
}

/** For whole runs on a real server: a busy machine is not taken for an answer that does not come. */
export function stackLimits(): Limits {
  return quickLimits({
    readTimeoutMs: 1_000,
    postTimeoutMs: 2_000,
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

export function someDetails(state: HeartbeatDetails['state'], attempt = 1, atMs = 1_000): HeartbeatDetails {
  return { attempt, atMs, state, trail: [] };
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
