/** Gathers what the simulator and Temporal know of a scene that is over. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
import type { PerformActionArguments, SettleTargetArguments, TargetRunArguments } from '../../src/domain/contract.js';
import type { TargetReport } from '../../src/domain/report/report.js';
import { LEASE_PREFIX } from '../../src/domain/target/target.js';
import type { InstanceState } from '../support/simulator.js';
import type { Arena } from './arena.js';
import { startOfTask, steeringIn } from './gather-steering.js';
import { timeOf, type HistoryEvent } from './history-events.js';
import type { Decision, Disturbance, HolderEvidence, RunEvidence, SceneEvidence, Sending, Settle } from './evidence.js';
import type { Scene } from './schedule.js';

/** A scene while it is played: its instance in the simulator and its runs in Temporal. */
export interface PlayedScene {
  readonly scene: Scene;
  readonly instanceId: string;
  readonly path: string;
  readonly leaseId: string;
  readonly initial: InstanceState;
  readonly workflowIds: readonly string[];
  /** Filled while it is played. */
  readonly disturbances: Disturbance[];
  readonly sendings: Sending[];
}

export async function gatherScene(arena: Arena, played: PlayedScene): Promise<SceneEvidence> {
  const { scene, instanceId, initial, workflowIds } = played;
  // Requested first, because scenes that are gathered together share it.
  const listed = allHolders(arena.client);
  const runs: RunEvidence[] = [];
  for (const [index, workflowId] of workflowIds.entries()) {
    const run = await gatherRun(arena, workflowId, scene.runs[index]?.runbook ?? '');
    if (run !== null) runs.push(run);
  }
  return {
    name: scene.name,
    instanceId,
    initial,
    final: await arena.control.instance(instanceId),
    accepted: await arena.control.accepted(instanceId),
    runs,
    holders: await gatherHolders(arena.client, instanceId, await listed),
    disturbances: [...played.disturbances, ...(await faultsThatHit(arena, instanceId))],
    sendings: played.sendings,
    received: arena.audience.received.filter(({ runId }) => workflowIds.includes(runId)),
  };
}

async function faultsThatHit(arena: Arena, instanceId: string): Promise<Disturbance[]> {
  const faults = (await arena.control.faults()).filter(({ on }) => on?.instanceId === instanceId);
  return faults.flatMap(({ on, fault, hitAtMs }) =>
    hitAtMs.map((atMs) => ({
      kind: fault.kind,
      atMs,
      // A late answer or acceptance is over only once it has arrived.
      untilMs: atMs + (typeof fault['ms'] === 'number' ? fault['ms'] : 0),
      route: on?.route ?? 'any',
    })),
  );
}

/** `null` if the run was never started, because the server was unreachable for too long. */
async function gatherRun(
  { client, runbooks }: Arena,
  workflowId: string,
  runbook: string,
): Promise<RunEvidence | null> {
  try {
    const { status, startTime, closeTime, runId } = await client.workflow.getHandle(workflowId).describe();
    const events = await historyOf(client, workflowId, runId);
    return {
      workflowId,
      runbook,
      status: status.name,
      startedAtMs: startTime.getTime(),
      closedAtMs: closeTime?.getTime() ?? null,
      cancelRequestedAtMs: cancelRequestedIn(events),
      steered: await steeringIn(client, events),
      report: closeTime === undefined ? null : await runbooks.result(workflowId).catch(() => null),
      workflowTaskFailures: taskFailures(events),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** An execution of `targetRun` and the instance that its input names. */
interface ListedHolder {
  readonly workflowId: string;
  readonly runId: string;
  readonly instanceId: string;
}

const listings = new WeakMap<Client, Promise<readonly ListedHolder[]>>();
/** By run id; an input does not change, and one server is used for many seeds. */
const instances = new WeakMap<Client, Map<string, string>>();

/** Every `targetRun` on the server, whatever its id, because a broken lease shows as an id of another form. Concurrent callers share one listing. */
function allHolders(client: Client): Promise<readonly ListedHolder[]> {
  const under = listings.get(client);
  if (under !== undefined) return under;
  const listing = listHolders(client).finally(() => listings.delete(client));
  listings.set(client, listing);
  return listing;
}

async function listHolders(client: Client): Promise<readonly ListedHolder[]> {
  const known = instances.get(client) ?? new Map<string, string>();
  instances.set(client, known);
  const query = `WorkflowType = "targetRun" AND WorkflowId STARTS_WITH "${LEASE_PREFIX}"`;
  const found: ListedHolder[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    const instanceId = known.get(runId) ?? (await instanceOf(client, workflowId, runId));
    known.set(runId, instanceId);
    found.push({ workflowId, runId, instanceId });
  }
  return found;
}

/** From the first event of its history alone. */
async function instanceOf(client: Client, workflowId: string, runId: string): Promise<string> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const run = await targetRunArguments(client, history?.events ?? []);
  return run.targetPlan.target.instanceId;
}

async function gatherHolders(
  client: Client,
  instanceId: string,
  listed: readonly ListedHolder[],
): Promise<HolderEvidence[]> {
  const holders: HolderEvidence[] = [];
  for (const { workflowId, runId } of listed.filter((holder) => holder.instanceId === instanceId)) {
    // The visibility store lags behind the histories.
    const { status, startTime, closeTime, parentExecution } = await client.workflow
      .getHandle(workflowId, runId)
      .describe();
    const events = await historyOf(client, workflowId, runId);
    const closedAtMs = closeTime?.getTime() ?? null;
    holders.push({
      workflowId,
      runId,
      originalRunId: events[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? runId,
      parentWorkflowId: parentExecution?.workflowId ?? null,
      status: status.name,
      startedAtMs: startTime.getTime(),
      closedAtMs,
      cancelRequestedAtMs: cancelRequestedIn(events),
      run: await targetRunArguments(client, events),
      report: await resultOf(client, events),
      decisions: await decisionsIn(client, events),
      settles: await settlesIn(client, events),
      steered: await steeringIn(client, events),
      workflowTaskFailures: taskFailures(events),
    });
  }
  return holders.sort(
    (left, right) =>
      left.startedAtMs - right.startedAtMs ||
      (left.closedAtMs ?? Number.POSITIVE_INFINITY) - (right.closedAtMs ?? Number.POSITIVE_INFINITY),
  );
}

async function historyOf(client: Client, workflowId: string, runId: string): Promise<readonly HistoryEvent[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  return events ?? [];
}

function cancelRequestedIn(events: readonly HistoryEvent[]): number | null {
  const request = events.find((event) => event.workflowExecutionCancelRequestedEventAttributes);
  return request === undefined ? null : timeOf(request);
}

async function targetRunArguments(client: Client, events: readonly HistoryEvent[]): Promise<TargetRunArguments> {
  const payloads = events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [run] = await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads);
  return run as TargetRunArguments;
}

async function resultOf(client: Client, events: readonly HistoryEvent[]): Promise<TargetReport | null> {
  const payloads = events.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads;
  const [report] = await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads);
  return (report as TargetReport | undefined) ?? null;
}

async function decisionsIn(client: Client, events: readonly HistoryEvent[]): Promise<Decision[]> {
  const decisions: Decision[] = [];
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled?.activityType?.name !== 'performAction') continue;
    const [request] = await decodeArrayFromPayloads(client.options.loadedDataConverter, scheduled.input?.payloads);
    const end = events.find((other) => endedActivity(other) === String(event.eventId));
    decisions.push({
      request: request as PerformActionArguments,
      scheduledAtMs: timeOf(event),
      decidedAfterEventId: startOfTask(events, scheduled.workflowTaskCompletedEventId),
      endedAtMs: end === undefined ? null : timeOf(end),
      lostAttempt: hasLostAttempt(events, event, end),
    });
  }
  return decisions;
}

async function settlesIn(client: Client, events: readonly HistoryEvent[]): Promise<Settle[]> {
  const settles: Settle[] = [];
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled?.activityType?.name !== 'settleTarget') continue;
    const [request] = await decodeArrayFromPayloads(client.options.loadedDataConverter, scheduled.input?.payloads);
    // The settle before a first step has nothing in flight to wait for, so a cancel may end it.
    const { action, before } = request as SettleTargetArguments;
    // Nor has the reading before an operator's decision, which keeps nothing of what was seen before.
    if (action === null || before.observation === null) continue;
    const end = events.find((other) => endedActivity(other) === String(event.eventId));
    settles.push({ scheduledAtMs: timeOf(event), end: endOf(end) });
  }
  return settles;
}

function endOf(end: HistoryEvent | undefined): Settle['end'] {
  if (end === undefined) return 'open';
  if (end.activityTaskCanceledEventAttributes) return 'cancelled';
  if (end.activityTaskTimedOutEventAttributes) return 'timedOut';
  return end.activityTaskFailedEventAttributes ? 'failed' : 'completed';
}

/** True if an attempt ended without reporting: the started event of the last attempt holds the failure before it. */
function hasLostAttempt(
  events: readonly HistoryEvent[],
  { eventId }: HistoryEvent,
  end: HistoryEvent | undefined,
): boolean {
  if (end?.activityTaskTimedOutEventAttributes) return true;
  return events.some(
    ({ activityTaskStartedEventAttributes: started }) =>
      String(started?.scheduledEventId) === String(eventId) && Boolean(started?.lastFailure?.timeoutFailureInfo),
  );
}

/** The id of the event that scheduled the activity which this event ends. */
function endedActivity(event: HistoryEvent): string | null {
  const end =
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes;
  return end?.scheduledEventId === undefined || end.scheduledEventId === null ? null : String(end.scheduledEventId);
}

function taskFailures(events: readonly HistoryEvent[]): string[] {
  return events.flatMap(({ workflowTaskFailedEventAttributes: failed }) => {
    if (failed === undefined || failed === null || HARMLESS_CAUSES.includes(Number(failed.cause))) return [];
    return [`cause ${failed.cause}: ${failed.failure?.message ?? 'no message'}`];
  });
}

/**
 * Values of `WorkflowTaskFailedCause` in the Temporal API that are unrelated to the code: a command met a new event (1), the sticky queue was
 * reset (13), the task was closed by force or failover (17, 18), the workflow was reset (20).
 */
const HARMLESS_CAUSES = [1, 13, 17, 18, 20];
