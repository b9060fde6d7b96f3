/** Traces of a worker, if it traces. OpenTelemetry is loaded only then. */
import type { ActivityInterceptorsFactory, WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { subjectOf } from '../activities/subject.js';
import type { Config } from '../config/config.js';
import { ThrottledLog } from '../logging/throttled-log.js';
import type { FollowOutgoing } from '../network/follow-request.js';
import type { FollowRequest } from '../servicestage/http.js';

/** Longest time for the export of the last spans when a worker stops: shorter than the margin before it is ended by force. Chosen. */
const STOP_WITHIN_MS = 1_500;

/** What a worker that traces adds to its parts. */
export interface WorkerTracing {
  readonly activityInterceptors: ActivityInterceptorsFactory[];
  readonly sinks: NonNullable<WorkerOptions['sinks']>;
  /** Requests to ServiceStage and IAM. */
  readonly followRequest: FollowRequest;
  /** Requests of checks and to webhooks. */
  readonly followOutgoing: FollowOutgoing;
  /** Exports what is left. */
  stop(): Promise<void>;
}

/** Starts tracing. @returns `null` if the worker does not trace */
export async function startWorkerTracing({ tracing }: Config, log: Logger): Promise<WorkerTracing | null> {
  if (!tracing) return null;
  const [{ startTracing }, { activityTracing, workflowTracing }, { callTracer }, { outgoingTracer }] =
    await Promise.all([
      import('../tracing/start-tracing.js'),
      import('../tracing/worker-tracing.js'),
      import('../tracing/trace-call.js'),
      import('../tracing/trace-outgoing.js'),
    ]);
  const throttledLog = new ThrottledLog(log);
  const onProblem = (what: string) => throttledLog.warn('tracing', { what }, 'traces cannot be exported');
  const started = startTracing({ serviceName: 'runbook-worker', onProblem });
  return {
    activityInterceptors: activityTracing(started, subjectOf),
    sinks: workflowTracing(started),
    followRequest: callTracer(started.tracer),
    followOutgoing: outgoingTracer(started.tracer),
    stop: () => started.stop(STOP_WITHIN_MS),
  };
}
