/** Builds evidence by hand: a scene in which all goes well, with parts to change. Milliseconds count from its start. */
import type { Action } from '../../../src/domain/target/actions.js';
import type { Baseline } from '../../../src/domain/contract.js';
import { failureRecord, type FailureName } from '../../../src/domain/failures.js';
import { withHeartbeatTimeout } from '../../../src/domain/once/limits.js';
import type { RunReport, StepReport, TargetReport } from '../../../src/domain/report/report.js';
import type { Observation, Target } from '../../../src/domain/target/target.js';
import type {
  Decision,
  Disturbance,
  Evidence,
  HolderEvidence,
  RunEvidence,
  SceneEvidence,
  Steered,
} from '../../chaos/evidence.js';
import type { AcceptedAction, InstanceState } from '../../support/simulator.js';

const BEGIN_MS = 1_800_000_000_000;
export const at = (ms: number) => BEGIN_MS + ms;

/** Heartbeat time-out: 4.3 s. */
const LIMITS = withHeartbeatTimeout({
  readTimeoutMs: 300,
  postTimeoutMs: 1_000,
  quietMs: 100,
  visibilityWindowMs: 900,
  budgetWaitMs: 300,
  credentialsWaitMs: 300,
  clockSkewMs: 500,
  lateStartMs: 2_000,
  leaseMs: 2_000,
  marginMs: 1_300,
});

const TARGET: Target = {
  path: 'shop/checkout/prod-1',
  projectId: 'p',
  applicationId: 'a',
  componentId: 'c',
  instanceId: 'i',
  platformType: 'cce',
};
const LEASE = 'runbook-target/p/i';

export const running = (change: Partial<InstanceState> = {}): InstanceState => ({
  status: 'RUNNING',
  version: '1.0.0',
  replica: 2,
  availableReplica: 2,
  ...change,
});
export const stopped = (change: Partial<InstanceState> = {}) =>
  running({ status: 'STOPPED', availableReplica: 0, ...change });

type JobChange = Partial<AcceptedAction>;

/** No one has commanded anything. Event ids of tests are milliseconds. */
export const NOT_STEERED: Steered = { accepted: [], states: [], orders: [], cancelRequestedEventId: null };

/** A cloud job accepted at `ms`, visible at once, and successful half a second later. */
export function cloudJob(cloudJobId: string, action: string, ms: number, change: JobChange = {}): AcceptedAction {
  return {
    cloudJobId,
    instanceId: 'i',
    action,
    parameters: {},
    userId: 'us',
    byConsole: false,
    atMs: at(ms),
    visibleAtMs: at(ms),
    executionStatus: 'SUCCEEDED',
    endedAtMs: at(ms + 500),
    before: action === 'start' ? stopped() : running(),
    after: action === 'stop' ? stopped() : running(),
    ...change,
  };
}

export const consoleJob = (cloudJobId: string, action: string, ms: number, change: JobChange = {}) =>
  cloudJob(cloudJobId, action, ms, { byConsole: true, userId: 'them', ...change });

const observation = (state: InstanceState, ms: number, lastJobId: string | null): Observation => ({
  observedAtMs: at(ms),
  status: state.status,
  version: state.version,
  replicaCount: state.replica,
  availableReplicaCount: state.availableReplica,
  hosts: null,
  lastJobId,
  lastJobStatus: null,
  failDetail: null,
});

/** A step or an undo: its decision in the history and its entry in the report. */
export interface Act {
  readonly id: string;
  readonly action: Action;
  readonly fromMs: number;
  readonly toMs: number;
  readonly lastJobId?: string | null;
  readonly isUndo?: boolean;
  /** Still open when its workflow ended. */
  readonly isOpen?: boolean;
  readonly onFailure?: 'compensate' | 'abort' | 'continue';
  /** What differs in its report. */
  readonly reported?: Partial<StepReport>;
  readonly failure?: FailureName;
}

function decisionOf(act: Act, decidedInRunId: string): Decision {
  const lastJobId = act.lastJobId ?? null;
  const before: Baseline = {
    observation: observation(running(), act.fromMs, lastJobId),
    lastJobId,
    knownCloudJobIds: lastJobId === null ? [] : [lastJobId],
  };
  return {
    request: {
      stepId: act.id,
      target: TARGET,
      action: act.action,
      before,
      decidedInRunId,
      deadlineAtMs: at(act.fromMs + 60_000),
      verify: { withinMs: 3_000, stableMs: 200 },
      verifyAfterCancel: true,
      limits: LIMITS,
    },
    scheduledAtMs: at(act.fromMs),
    decidedAfterEventId: act.fromMs,
    endedAtMs: act.isOpen === true ? null : at(act.toMs),
  };
}

function stepOf(act: Act): StepReport {
  return {
    id: act.id,
    action: act.action,
    result: act.failure === undefined ? 'succeeded' : act.failure === 'Indeterminate' ? 'indeterminate' : 'failed',
    sent: 'no',
    cloudJobId: null,
    startedAtMs: at(act.fromMs),
    endedAtMs: at(act.toMs),
    before: null,
    after: null,
    attempts: 1,
    trail: [],
    ...act.reported,
    ...(act.failure === undefined ? {} : { failure: failureRecord(act.failure, 'for this reason') }),
  };
}

export interface HolderChange extends Partial<Omit<HolderEvidence, 'report' | 'run'>> {
  readonly report?: Partial<TargetReport> | null;
  /** The run in which its decisions were made; the original one by default. */
  readonly decidedInRunId?: string;
  /** The deadline of the run. */
  readonly deadlineMs?: number;
  readonly onCancel?: 'compensate' | 'stop-after-step' | 'leave';
}

/** A holder of the lease from half a second before its first act to half a second after its last. */
export function holder(runId: string, acts: readonly Act[], change: HolderChange = {}): HolderEvidence {
  const {
    report,
    originalRunId = runId,
    decidedInRunId = originalRunId,
    onCancel = 'compensate',
    deadlineMs = 600_000,
    ...facts
  } = change;
  const steps = acts.filter(({ isUndo }) => isUndo !== true);
  const startedMs = Math.min(...acts.map(({ fromMs }) => fromMs)) - 500;
  const fullReport: TargetReport = {
    path: TARGET.path,
    instanceId: 'i',
    leaseId: LEASE,
    outcome: 'succeeded',
    steps: steps.map(stepOf),
    notReached: [],
    compensations: acts.filter(({ isUndo }) => isUndo === true).map(stepOf),
    remaining: [],
    captured: observation(running(), startedMs, null),
    lastSeen: null,
    ...report,
  };
  return {
    workflowId: LEASE,
    runId,
    originalRunId,
    parentWorkflowId: 'run-1',
    status: 'COMPLETED',
    startedAtMs: at(startedMs),
    closedAtMs: at(Math.max(...acts.map(({ toMs }) => toMs)) + 500),
    cancelRequestedAtMs: null,
    run: {
      runbook: 'recover',
      targetPlan: {
        target: TARGET,
        seen: observation(running(), startedMs, null),
        steps: steps.map(({ id, action, onFailure = 'compensate' }) => ({
          kind: 'action',
          id,
          action,
          deadlineMs: 60_000,
          verify: { withinMs: 3_000, stableMs: 200 },
          usualDurationMs: 500,
          onFailure,
          compensation: { kind: 'default' },
        })),
      },
      onCancel,
      deadlineAtMs: at(deadlineMs),
      limits: LIMITS,
      clearAtMs: 0,
    },
    report: report === null ? null : fullReport,
    decisions: acts.map((act) => decisionOf(act, decidedInRunId)),
    settles: [],
    steered: NOT_STEERED,
    workflowTaskFailures: [],
    ...facts,
  };
}

/** The run of a holder, with the report of that holder. */
export function runOf(of: HolderEvidence, change: Partial<RunEvidence> = {}): RunEvidence {
  const outcome = of.report?.outcome ?? 'indeterminate';
  const isCancelled = of.cancelRequestedAtMs !== null;
  const report: RunReport = {
    reportVersion: 1,
    runbook: 'recover',
    workflowId: 'run-1',
    runId: 'r',
    outcome,
    summary: '',
    planHash: null,
    requestedBy: null,
    reason: null,
    startedAtMs: of.startedAtMs,
    endedAtMs: of.closedAtMs ?? of.startedAtMs,
    targets: of.report === null ? [] : [of.report],
    notStarted: [],
  };
  return {
    workflowId: of.parentWorkflowId ?? 'run-1',
    runbook: 'recover',
    status: outcome === 'succeeded' ? 'COMPLETED' : outcome === 'cancelled' && isCancelled ? 'CANCELLED' : 'FAILED',
    startedAtMs: of.startedAtMs,
    closedAtMs: of.closedAtMs,
    cancelRequestedAtMs: of.cancelRequestedAtMs,
    report: of.report === null ? null : report,
    steered: NOT_STEERED,
    workflowTaskFailures: [],
    ...change,
  };
}

export const disturbance = (kind: string, fromMs: number, toMs = fromMs, route?: string): Disturbance => ({
  kind,
  atMs: at(fromMs),
  untilMs: at(toMs),
  ...(route === undefined ? {} : { route }),
});

export function evidence(scene: Partial<SceneEvidence>, disturbances: readonly Disturbance[] = []): Evidence {
  const holders = scene.holders ?? [];
  return {
    seed: 1,
    limits: LIMITS,
    disturbances,
    scenes: [
      {
        name: 's0',
        instanceId: 'i',
        initial: running(),
        final: running(),
        accepted: [],
        runs: holders.filter(({ report }) => report !== null).map((of) => runOf(of)),
        disturbances: [],
        sendings: [],
        received: [],
        ...scene,
        holders,
      },
    ],
  };
}
