/** The log of Temporal's SDK, written by the worker's own, with the names that our own lines use. */
import type { Logger, LogMetadata } from '@temporalio/worker';
import type { Logger as Pino } from 'pino';
import { ALARM_RULE_WORKFLOW } from '../domain/alarms/alarm.js';
import { TARGET_RUN_WORKFLOW } from '../domain/contract.js';

/** Their workflow id is not the id of a run. */
const NOT_RUNS: readonly unknown[] = [TARGET_RUN_WORKFLOW, ALARM_RULE_WORKFLOW];

/** Passes what the SDK logs, and what activities and workflows log through it, to `log`. */
export function runtimeLogger(log: Pino): Logger {
  const at = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: LogMetadata) => {
    const { text, ids } = withoutIds(message);
    log[level](fieldsOf({ ...meta, ...ids }), text);
  };
  return {
    log: (level, message, meta) => at(level.toLowerCase() as 'info')(message, meta),
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}

/** How the SDK's core (1.24) writes a warning with a code: `[TMPRL1104] RUN:EVENT:ATTEMPT Workflow task duration exceeded 5 seconds.` */
const CODED = /^(?<code>\[TMPRL\d+\]) (?<workflowRunId>[^\s:]+):\d+:\d+ (?<rest>.*)$/s;

/** Those who count or alert need the same text for the same event, so ids move from the text to a field. Event and attempt are fields already. */
function withoutIds(message: string): { readonly text: string; readonly ids: LogMetadata } {
  const { code, workflowRunId, rest } = CODED.exec(message)?.groups ?? {};
  return code === undefined ? { text: message, ids: {} } : { text: `${code} ${rest}`, ids: { workflowRunId } };
}

/**
 * `taskToken` is left out, because it lets anyone answer for the activity. So is everything except text, numbers and
 * booleans: the SDK (1.24) logs whole tasks with their arguments at the level `trace`, and at `debug` the options of
 * the worker, with its codecs. `task` is such a task as text. `runId` is the run that commands take, and Temporal's own run id is `workflowRunId`, which the SDK (1.24) calls
 * `runId` in lines about workflows. `target` is an instance; the SDK's core calls a module of its own so.
 */
function fieldsOf({ taskToken: _taskToken, task: _task, error, ...meta }: LogMetadata): Record<string, unknown> {
  const { workflowId, workflowType, workflowRunId, runId, target, step, cloudJobId, ...rest } = meta;
  const isCore = meta['sdkComponent'] === 'core';
  const temporalRunId: unknown = workflowRunId ?? runId;
  const isRun = workflowId !== undefined && workflowType !== undefined && !NOT_RUNS.includes(workflowType);
  const ourRunId: unknown = workflowRunId === undefined ? undefined : runId;
  return plainFields({
    runId: ourRunId ?? (isRun ? workflowId : undefined),
    ...(isCore ? { module: target } : { target }),
    step,
    cloudJobId,
    ...rest,
    workflowId,
    workflowType,
    workflowRunId: temporalRunId,
    error: error instanceof Error ? `${error.name}: ${error.message}` : error,
  });
}

function plainFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => PLAIN.includes(typeof value)));
}

const PLAIN: readonly string[] = ['string', 'number', 'boolean'];
