/**
 * Lists runs from Temporal's visibility store, one page after another. It may lag some seconds behind. Leases and alarm
 * rules are other workflow types, and a dry run has no targets, and an outcome only if it was refused. While it plans and
 * after a refusal it looks like a run, so the start arguments of such runs are read.
 */
import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowClient,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { ALARM_RULE_PREFIX } from '../domain/alarms/alarm.js';
import {
  OUTCOME_SEARCH_ATTRIBUTE,
  REPORT_MEMO,
  SCHEDULED_BY_SEARCH_ATTRIBUTE,
  REQUESTER_MEMO,
  STATE_SEARCH_ATTRIBUTE,
  TARGET_SEARCH_ATTRIBUTE,
} from '../domain/contract.js';
import { isReport } from '../domain/report/find-report.js';
import { OUTCOMES, type Outcome, type TargetReport } from '../domain/report/report.js';
import { attentionOf, needsFollowUp, type Attention } from '../domain/run/attention.js';
import { leftBehind, type LeftBehind } from '../domain/run/left-behind.js';
import { alarmRuleRequester, scheduleRequester } from '../domain/run/requester.js';
import { namedTargets } from '../domain/run/listed-targets.js';
import { isOpen } from '../domain/run/workflow-status.js';
import { GRPC, grpcCodeOf } from '../temporal/calls.js';
import { decodeFirst } from '../temporal/payloads.js';
import { LaterSuccesses, type EndedBadly } from './later-success.js';
import { queryOf, type RunFilter } from './run-query.js';
import { inputOfRun } from './same-request.js';

/** Which runs to list, and how many. */
export interface ListOptions extends RunFilter {
  /** Longest list. Default 50; more than 1,000 counts as 1,000. */
  readonly limit?: number | undefined;
  /** How long ago a run may have ended and still need a person, milliseconds. Default seven days. */
  readonly attentionMs?: number | undefined;
}

/** A run as it is listed. Times are epoch milliseconds. */
export interface ListedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly runbook: string;
  /** Paths; of a run with many long ones some are left out, and the last item is their number. Empty while it plans. */
  readonly targets: readonly string[];
  /** Temporal's status, such as `RUNNING`, `PAUSED`, `COMPLETED`, `FAILED`, `CANCELLED` or `TERMINATED`. */
  readonly status: string;
  readonly open: boolean;
  /** `null` while it is open, and if it ended without a report. */
  readonly outcome: Outcome | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** `schedule ID` or `alarm rule OWNER/NAME` for what they started. `null` if it is not known: other runs that were not started with `RunbookClient` show it once they have ended. */
  readonly requestedBy: string | null;
  /** Why it needs a person; `null` if it does not. Whether somebody has dealt with it since is asked only for `needsAttention`. */
  readonly attention: Attention | null;
  /** What it left changed, if it ended without success: as far as the report shows that the listing has. */
  readonly left: readonly LeftBehind[];
}

/** Open runs first, each group newest first: by their start, and those that have ended by their end. */
export interface RunList {
  readonly runs: readonly ListedRun[];
  /** There are more, or there may be: 2,000 runs were read. */
  readonly more: boolean;
}

const LIMIT = 50;
const MOST_LISTED = 1_000;
/** Chosen: a hundred pages take some seconds, and servers answer ten listings a second. */
const MOST_READ = 2_000;
/** A page carries the memos of its runs, each with a report of up to 62 KB. */
const PAGE_SIZE = 20;
/** Chosen: a week-end and the days around it. */
const ATTENTION_MS = 7 * 86_400_000;
/** Chosen: one query asks about so many runs whether a later one has made them good. */
const ASKED_TOGETHER = 20;
/** For runs that plan, that were refused before they had targets, or that were terminated. These are few. */
const MOST_SINGLE_READS = 50;

/** The calls that a listing makes. */
export interface ListCalls {
  readonly client: Client;
  /** Lists workflows; made by `withReadableMemos`. */
  readonly workflows: Pick<WorkflowClient, 'list'>;
  readonly taskQueue: string;
  readonly nowMs: number;
  /** Makes one call with its own time limit. */
  readonly within: <Value>(call: () => Promise<Value>) => Promise<Value>;
}

/** Lists runs. @throws what the calls throw */
export async function listRuns(calls: ListCalls, options: ListOptions): Promise<RunList> {
  const { nowMs, taskQueue } = calls;
  const { attentionMs = ATTENTION_MS, needsAttention = false } = options;
  const query = (hasState: boolean) => queryOf(options, taskQueue, nowMs - attentionMs, hasState);
  try {
    return await readRuns(calls, options, query(true));
  } catch (error) {
    // A namespace without the search attribute of states refuses a query for it, and has no run in such a state.
    if (!needsAttention || grpcCodeOf(error) !== GRPC.invalidArgument) throw error;
    return readRuns(calls, options, query(false));
  }
}

async function readRuns(calls: ListCalls, options: ListOptions, query: string): Promise<RunList> {
  const { client, workflows, nowMs, within } = calls;
  const { limit = LIMIT, attentionMs = ATTENTION_MS, requestedBy, needsAttention = false } = options;
  const most = Math.min(limit, MOST_LISTED);
  const pages = workflows.list({ query, pageSize: PAGE_SIZE })[Symbol.asyncIterator]();
  const runs: ListedRun[] = [];
  /** Runs that need a person, unless a later run has made them good. */
  let unasked: Troubled[] = [];
  const later = new LaterSuccesses(workflows, within);
  const ask = async () => {
    runs.push(...(await later.withoutMadeGood(unasked)).map(({ run }) => run));
    unasked = [];
  };
  let singleReads = MOST_SINGLE_READS;
  for (let read = 0; read < MOST_READ && runs.length <= most; read++) {
    const next = await within(() => pages.next());
    if (next.done === true) {
      await ask();
      return { runs: runs.slice(0, most), more: runs.length > most };
    }
    const listed = listedRun(next.value, nowMs - attentionMs);
    const run = isUnclear(listed) && singleReads-- > 0 ? await within(() => clearedUp(client, listed)) : listed;
    if (run === null) continue;
    if (requestedBy !== undefined && run.requestedBy !== requestedBy) continue;
    if (!needsAttention) runs.push(run);
    else if (run.attention !== null) unasked.push(troubled(run, next.value));
    if (unasked.length >= ASKED_TOGETHER) await ask();
  }
  await ask();
  return { runs: runs.slice(0, most), more: true };
}

interface Troubled extends EndedBadly {
  readonly run: ListedRun;
}

/** The targets that need a person. A run that is open waits for a person, whatever another one does. */
function troubled(run: ListedRun, { memo }: Pick<Listed, 'memo'>): Troubled {
  const { endedAtMs, targets, left } = run;
  if (endedAtMs === null) return { run, endedAtMs: 0, paths: [] };
  const report: unknown = memo?.[REPORT_MEMO];
  if (!isReport(report) || !Array.isArray(report.targets)) return { run, endedAtMs, paths: namedTargets(targets) };
  // The targets that a cut report does not name may need a person too.
  if ((report.cut?.dropped ?? 0) > 0) return { run, endedAtMs, paths: [] };
  const reported: readonly TargetReport[] = report.targets;
  const ended = reported.filter(({ outcome }) => needsFollowUp(outcome)).map(({ path }) => path);
  const paths = [...new Set([...ended, ...left.map(({ path }) => path)])];
  return { run, endedAtMs, paths: paths.length === 0 ? namedTargets(targets) : paths };
}

/** What the server knows of a workflow, listed or described. */
export type Listed = Pick<
  WorkflowExecutionInfo,
  | 'type'
  | 'workflowId'
  | 'runId'
  | 'status'
  | 'startTime'
  | 'closeTime'
  | 'memo'
  | 'searchAttributes'
  | 'parentExecution'
>;

/** A run from what the server knows of its workflow. @param attentionSinceMs runs that ended before it need no one. Epoch milliseconds */
export function listedRun(info: Listed, attentionSinceMs: number): ListedRun {
  const { type, workflowId, runId, status, startTime, closeTime, searchAttributes } = info;
  const targets = searchAttributes[TARGET_SEARCH_ATTRIBUTE] ?? [];
  const open = isOpen(status.name);
  const outcome = OUTCOMES.find((each) => each === searchAttributes[OUTCOME_SEARCH_ATTRIBUTE]?.[0]) ?? null;
  const endedAtMs = open ? null : (closeTime?.getTime() ?? null);
  const state = searchAttributes[STATE_SEARCH_ATTRIBUTE]?.[0];
  const report: unknown = info.memo?.[REPORT_MEMO];
  const left = !open && isReport(report) ? leftBehind(report) : [];
  return {
    workflowId,
    runId,
    runbook: type,
    targets: targets.map(String),
    status: status.name,
    open,
    outcome,
    startedAtMs: startTime.getTime(),
    endedAtMs,
    requestedBy: requesterOf(info),
    attention: attentionOf(
      {
        ...{ status: status.name, state: typeof state === 'string' ? state : null, outcome, endedAtMs },
        leftChanged: left.length > 0,
      },
      attentionSinceMs,
    ),
    left,
  };
}

/** The report has it; before that the memo of the start, or what started the run, in the words of its report. */
function requesterOf({ memo, searchAttributes, parentExecution }: Listed): string | null {
  const report: unknown = memo?.[REPORT_MEMO];
  const requester: unknown = isReport(report) ? report.requestedBy : memo?.[REQUESTER_MEMO];
  if (typeof requester === 'string') return requester;
  const schedule = searchAttributes[SCHEDULED_BY_SEARCH_ATTRIBUTE]?.[0];
  if (typeof schedule === 'string') return scheduleRequester(schedule);
  const parent = parentExecution?.workflowId ?? '';
  return parent.startsWith(ALARM_RULE_PREFIX) ? alarmRuleRequester(parent.slice(ALARM_RULE_PREFIX.length)) : null;
}

/** Is more needed than the listing has? */
function isUnclear({ open, outcome, targets, attention }: ListedRun): boolean {
  return (targets.length === 0 && (open || outcome === 'refused')) || attention === 'noReport';
}

/** Reads what an unclear run is. @returns `null` for a dry run, and for a run that the server has deleted since it was listed */
async function clearedUp(client: Client, run: ListedRun): Promise<ListedRun | null> {
  try {
    return await readSingly(client, run);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || grpcCodeOf(error) === GRPC.notFound) return null;
    throw error;
  }
}

async function readSingly(client: Client, run: ListedRun): Promise<ListedRun | null> {
  if (run.attention === 'noReport') {
    // A reset terminates an execution and continues the run in a new one.
    const { runId } = await client.workflow.getHandle(run.workflowId).describe();
    return runId === run.runId ? run : { ...run, attention: null };
  }
  const input = await startArgumentsOf(client, run);
  if (input?.dryRun === true) return null;
  return typeof input?.requestedBy === 'string' ? { ...run, requestedBy: input.requestedBy } : run;
}

/** The start arguments, or `null` if this client's data converter cannot read them. */
async function startArgumentsOf(
  client: Client,
  { workflowId, runId }: ListedRun,
): Promise<{ readonly dryRun?: unknown; readonly requestedBy?: unknown } | null> {
  const payloads = await inputOfRun(client, workflowId, runId);
  try {
    const input: unknown = await decodeFirst(client, payloads);
    return typeof input === 'object' && input !== null ? input : null;
  } catch {
    return null;
  }
}
