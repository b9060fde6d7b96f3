/**
 * Runs one attempt of `performAction` with everything around it chosen: the server's answers, and what earlier
 * attempts left.
 */
import { CompleteAsyncError } from '@temporalio/activity';
import { ActivityCancellationDetails, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { CloudJobWatch } from '../../src/activities/cloud-job-watch.js';
import { Durations } from '../../src/domain/durations/durations.js';
import { performAction } from '../../src/activities/perform-action.js';
import type { TemporalAccess } from '../../src/activities/temporal-access.js';
import type { Action } from '../../src/domain/target/actions.js';
import type { Baseline, PerformActionArguments } from '../../src/domain/contract.js';
import type { Closing } from '../../src/domain/gates/gates.js';
import type { Standing } from '../../src/domain/once/events.js';
import type { Limits } from '../../src/domain/once/limits.js';
import type { OnceState } from '../../src/domain/once/state.js';
import type { Target } from '../../src/domain/target/target.js';
import { Secret } from '../../src/servicestage/secret.js';
import type { ServiceStage } from '../../src/servicestage/service-stage.js';
import { createServiceStage, type ServiceStageOptions } from '../../src/servicestage/service-stage-client.js';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/simulator/server.js';
import { quickLimits } from './build.js';
import { controlOf, type Control, type SeedRequest } from './simulator.js';

export interface Chosen {
  readonly action: Action;
  readonly before: Baseline;
  readonly target: Target;
  readonly attempt?: number;
  /** What the previous attempt left; default: nothing. */
  readonly previous?: OnceState;
  /** How long ago the step was scheduled. */
  readonly scheduledAgoMs?: number;
  readonly attemptScheduledAgoMs?: number;
  readonly resetRun?: boolean;
  /** The server's answer about the attempt; default: it is the current one. */
  readonly standing?: Standing | Promise<Standing>;
  /** The server's answer when it asks for the send lease. */
  readonly lease?: Standing | Promise<Standing>;
  readonly deadlineInMs?: number;
  readonly closing?: Closing;
  readonly verify?: PerformActionArguments['verify'];
  readonly verifyAfterCancel?: boolean;
  readonly limits?: Limits;
  readonly serviceStage?: ServiceStage;
}

export type Ended =
  | { readonly kind: 'result'; readonly result: OnceState; readonly heartbeats: readonly OnceState[] }
  | {
      readonly kind: 'failure';
      readonly name: string;
      readonly message: string;
      readonly retryable: boolean;
      readonly nextRetryDelayMs: number | undefined;
      readonly state: OnceState;
      readonly heartbeats: readonly OnceState[];
    }
  | { readonly kind: 'leftSilently'; readonly heartbeats: readonly OnceState[] };

export interface UnderWay {
  readonly ended: Promise<Ended>;
  readonly heartbeats: readonly OnceState[];
  cancel(): void;
  shutDown(): void;
}

export interface Bench {
  readonly simulator: RunningSimulator;
  readonly control: Control;
  readonly serviceStage: ServiceStage;
  client(options?: Partial<ServiceStageOptions>): ServiceStage;
  /** Creates an instance and reads its baseline as a run would. */
  instance(seed?: Partial<SeedRequest>): Promise<{ target: Target; before: Baseline }>;
  baseline(target: Target, known?: readonly string[]): Promise<Baseline>;
  begin(chosen: Chosen): UnderWay;
  perform(chosen: Chosen): Promise<Ended>;
  /** Runs attempt after attempt, as Temporal would, until one is not retried. */
  performToTheEnd(chosen: Chosen): Promise<Ended>;
  accepted(target: Target): Promise<string[]>;
  close(): Promise<void>;
}

export async function startBench(options: SimulatorOptions = {}): Promise<Bench> {
  const switches = {
    durationsMs: { start: 150, stop: 120, restart: 180, scale: 150, rollback: 180 },
    ...options.switches,
  };
  const simulator = await startSimulator({ world: 'empty', ...options, switches });
  const control = controlOf(simulator);
  const client = (more: Partial<ServiceStageOptions> = {}) =>
    createServiceStage({
      endpoint: simulator.url,
      projectId: simulator.projectId,
      credentials: { kind: 'accessKey', accessKey: simulator.accessKey, secretKey: new Secret(simulator.secretKey) },
      iamEndpoint: simulator.url,
      requestsPerSecond: 1_000,
      burst: 1_000,
      ...more,
    });
  const serviceStage = client();
  const baseline = async (target: Target, known: readonly string[] = []): Promise<Baseline> => {
    const observation = await serviceStage.readInstance(target, { timeoutMs: 1_000 });
    const { lastJobId } = observation;
    return { observation, lastJobId, knownCloudJobIds: [...known, ...(lastJobId === null ? [] : [lastJobId])] };
  };
  let count = 0;
  return {
    simulator,
    control,
    serviceStage,
    client,
    baseline,
    instance: async (seed = {}) => {
      const given = {
        application: 'shop',
        component: 'checkout',
        name: `prod-${++count}`,
        version: '1.4.1',
        replica: 2,
        snapshots: ['1.4.0'],
        ...seed,
      };
      const ids = await control.createInstance(given);
      const path = `${given.application}/${given.component}/${given.name}`;
      const target = { path, projectId: simulator.projectId, platformType: given.platformType ?? 'cce', ...ids };
      return { target, before: await baseline(target) };
    },
    begin: (chosen) => begin(serviceStage, chosen),
    perform: (chosen) => begin(serviceStage, chosen).ended,
    performToTheEnd: async (chosen) => {
      const firstAtMs = Date.now() - (chosen.scheduledAgoMs ?? 0);
      for (let next = chosen; ;) {
        const ended = await begin(serviceStage, next).ended;
        if (ended.kind !== 'failure' || !ended.retryable) return ended;
        await new Promise((resolve) => setTimeout(resolve, ended.nextRetryDelayMs));
        const previous = ended.heartbeats.at(-1) ?? next.previous;
        next = {
          ...next,
          attempt: (next.attempt ?? 1) + 1,
          scheduledAgoMs: Date.now() - firstAtMs,
          attemptScheduledAgoMs: 0,
          ...(previous === undefined ? {} : { previous }),
        };
      }
    },
    accepted: async ({ instanceId }) =>
      (await control.accepted(instanceId)).filter(({ byConsole }) => !byConsole).map(({ action }) => action),
    close: () => simulator.close(),
  };
}

function begin(usual: ServiceStage, chosen: Chosen): UnderWay {
  const {
    attempt = 1,
    previous,
    scheduledAgoMs = 0,
    attemptScheduledAgoMs = scheduledAgoMs,
    resetRun = false,
    standing = 'current',
    lease = 'current',
  } = chosen;
  const nowMs = Date.now();
  const info = {
    attempt,
    heartbeatDetails: previous,
    scheduledTimestampMs: nowMs - scheduledAgoMs,
    currentAttemptScheduledTimestampMs: nowMs - attemptScheduledAgoMs,
    workflowExecution: { workflowId: 'lease', runId: 'run-1' },
  };
  const environment = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
  const heartbeats: OnceState[] = [];
  environment.on('heartbeat', (state: OnceState) => heartbeats.push(state));
  const serviceStage = chosen.serviceStage ?? usual;
  // A mock environment has no Temporal server, so this object answers for it.
  const temporal: TemporalAccess = {
    standing: async (_info, state) => {
      heartbeats.push(state);
      return { standing: await standing };
    },
    sendLease: async (_info, state) => {
      heartbeats.push(state);
      return { standing: await lease };
    },
    describeLease: async () => null,
    findRuns: async () => [],
    hasStateAttribute: async () => false,
    pastRuns: async () => ({ runs: [], leaseTakenAtMs: null }),
    earlierRun: async () => null,
  };
  const request: PerformActionArguments = {
    stepId: 'step',
    target: chosen.target,
    action: chosen.action,
    before: chosen.before,
    decidedInRunId: resetRun ? 'an earlier run' : 'run-1',
    deadlineAtMs: nowMs + (chosen.deadlineInMs ?? 10_000),
    ...(chosen.closing === undefined ? {} : { closing: chosen.closing }),
    verify: chosen.verify ?? { withinMs: 1_000, stableMs: 40 },
    verifyAfterCancel: chosen.verifyAfterCancel ?? true,
    limits: chosen.limits ?? quickLimits(),
  };
  const act = () => performAction({ serviceStage, temporal, watch: new CloudJobWatch(new Durations()) }, request);
  const ended = environment.run<[], OnceState, typeof act>(act).then(
    (result): Ended => ({ kind: 'result', result, heartbeats }),
    (error: unknown) => failureOf(error, heartbeats),
  );
  return {
    ended,
    heartbeats,
    cancel: () => environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true })),
    shutDown: () => environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true })),
  };
}

function failureOf(error: unknown, heartbeats: readonly OnceState[]): Ended {
  if (error instanceof CompleteAsyncError) return { kind: 'leftSilently', heartbeats };
  if (!(error instanceof ApplicationFailure || error instanceof CancelledFailure)) throw error;
  const isApplication = error instanceof ApplicationFailure;
  return {
    kind: 'failure',
    name: isApplication ? (error.type ?? '') : 'cancelled',
    message: error.message,
    retryable: isApplication && error.nonRetryable !== true,
    nextRetryDelayMs: isApplication ? Number(error.nextRetryDelay ?? 0) : undefined,
    state: error.details?.[0] as OnceState,
    heartbeats,
  };
}

/** Returns the result, or fails with an error that shows how the attempt ended. */
export function resultOf(ended: Ended): OnceState {
  if (ended.kind !== 'result') throw new Error(`It ended otherwise: ${JSON.stringify(ended)}`);
  return ended.result;
}

export function failed(ended: Ended): Extract<Ended, { kind: 'failure' }> {
  if (ended.kind !== 'failure') throw new Error(`It did not fail: ${JSON.stringify(ended)}`);
  return ended;
}
