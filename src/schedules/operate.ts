/** What operators do with schedules that are there: list, pause, resume, run now. None of it changes what a file defines. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ScheduleDescription } from '@temporalio/client';
import pMap from 'p-map';
import type { StartArguments } from '../domain/contract.js';
import { changedByHand, idsOnServer } from './compare.js';
import { CALLS_AT_A_TIME, describe, describeOrReason } from './describe.js';
import { AmbiguousSchedule, ForeignSchedule, namedError, ScheduleNotFound } from './errors.js';
import { ownershipOf, type Ownership } from './ownership.js';

/** A schedule that a file made. */
export interface OwnedSchedule {
  readonly id: string;
  readonly ownership: Ownership;
  readonly seen: ScheduleDescription;
}

/** A schedule as `runbook schedule list` shows it. */
export interface ListedSchedule {
  readonly id: string;
  readonly runbook: string;
  readonly timezone: string;
  readonly paused: boolean;
  /** Why it is paused. */
  readonly note: string | null;
  readonly state: 'applied' | 'changed-by-hand';
  /** ISO 8601; `null` while it is paused, and when nothing comes any more. */
  readonly nextAt: string | null;
  readonly runningRuns: readonly string[];
  readonly lastRun: { readonly workflowId: string; readonly scheduledAt: string } | null;
  /** Since it was made: skipped because the run before was still under way, or because the server was unreachable for longer than the window. */
  readonly skipped: { readonly overlap: number; readonly late: number };
}

/** All schedules that a file made, and those that cannot be decoded here. */
export interface Listing {
  readonly schedules: readonly ListedSchedule[];
  /** Their owners are not known. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
}

/** Lists the schedules that a file made, of one owner or of all. The server's listing lags some seconds behind. */
export async function listSchedules(client: Client, owner: string | null): Promise<Listing> {
  const ids = await idsOnServer(client, owner === null ? '' : `${owner}/`);
  const ours = ids.filter((id) => id.includes('/')).sort((left, right) => left.localeCompare(right));
  const described = await pMap(ours, async (id) => ({ id, ...(await describeOrReason(client, id)) }), {
    concurrency: CALLS_AT_A_TIME,
  });
  return {
    schedules: described.flatMap((each) => (each.kind === 'described' ? listedIfOwned(each.id, each.seen) : [])),
    unreadable: described.flatMap((each) => (each.kind === 'unreadable' ? [{ id: each.id, reason: each.reason }] : [])),
  };
}

function listedIfOwned(id: string, seen: ScheduleDescription | null): ListedSchedule[] {
  const ownership = seen === null ? null : ownershipOf(seen);
  return seen === null || ownership === null ? [] : [toListed({ id, ownership, seen })];
}

function toListed({ id, ownership, seen }: OwnedSchedule): ListedSchedule {
  const { state, info, action, spec } = seen;
  const last = info.recentActions.at(-1);
  const isByHand = changedByHand(ownership, seen).length > 0;
  return {
    id,
    runbook: action.workflowType,
    timezone: spec.timezone ?? 'UTC',
    paused: state.paused,
    note: state.note ?? null,
    state: isByHand ? 'changed-by-hand' : 'applied',
    nextAt: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    runningRuns: info.runningActions.map(({ workflow }) => workflow.workflowId),
    lastRun:
      last === undefined
        ? null
        : { workflowId: last.action.workflow.workflowId, scheduledAt: last.scheduledAt.toISOString() },
    skipped: { overlap: info.numActionsSkippedOverlap, late: info.numActionsMissedCatchupWindow },
  };
}

/**
 * By `owner/name`, or by a name that only one owner has.
 * @throws ScheduleNotFound, AmbiguousSchedule, ForeignSchedule
 */
export async function findSchedule(client: Client, name: string): Promise<OwnedSchedule> {
  const id = name.includes('/') ? name : await idOfName(client, name);
  const seen = await describe(client, id);
  if (seen === null) throw new ScheduleNotFound(`There is no schedule ${id} on the server`);
  const ownership = ownershipOf(seen);
  if (ownership === null) throw new ForeignSchedule(`${id} was not made from a schedule file; it is left alone`);
  return { id, ownership, seen };
}

async function idOfName(client: Client, name: string): Promise<string> {
  const ids = (await idsOnServer(client, '')).filter((id) => id.endsWith(`/${name}`));
  const [id, ...others] = ids;
  if (id === undefined)
    throw new ScheduleNotFound(`There is no schedule called ${name} on the server; see: runbook schedule list`);
  if (others.length > 0)
    throw new AmbiguousSchedule(`${name} is the name of several: ${ids.join(', ')}; name one of them`);
  return id;
}

/** What a run that it starts is given, as the server has it now. */
export function startArgumentsOf({ action }: ScheduleDescription): Partial<StartArguments> {
  return (action.args?.[0] ?? {}) as Partial<StartArguments>;
}

/** Pauses a schedule. @param note who and why; `list` shows it */
export async function pauseSchedule(client: Client, { id }: OwnedSchedule, note: string): Promise<void> {
  await client.schedule.getHandle(id).pause(note).catch(rethrowNamed(id));
}

/** Resumes a paused schedule. @param note who and why */
export async function resumeSchedule(client: Client, { id }: OwnedSchedule, note: string): Promise<void> {
  await client.schedule.getHandle(id).unpause(note).catch(rethrowNamed(id));
}

/** What became of a start outside the calendar. */
export type RunNow =
  | { readonly kind: 'started'; readonly workflowId: string }
  /** It starts when the run under way has ended (overlap: buffer-one). */
  | { readonly kind: 'waits'; readonly runningRuns: readonly string[] }
  /** The run under way kept it from starting (overlap: skip), or one that waits already (overlap: buffer-one). */
  | { readonly kind: 'skipped'; readonly runningRuns: readonly string[]; readonly oneWaits: boolean }
  /** The server took the request and had not acted on it after ten seconds. */
  | { readonly kind: 'unknown' };

const TRIGGER_DEADLINE_MS = 10_000;
const POLL_INTERVAL_MS = 150;

/**
 * Starts one run now, outside the calendar, even if the schedule is paused. The declared overlap applies. The window counts from this moment, even
 * if the run has to wait for the one before it.
 */
export async function runNow(client: Client, { id, seen }: OwnedSchedule): Promise<RunNow> {
  const before = seen.info;
  const waitedBefore = Number(seen.raw.info?.bufferSize ?? 0) > 0;
  const known = new Set(before.recentActions.map(({ action }) => action.workflow.workflowId));
  // The SDK's own default would let it run beside the one under way.
  await client.schedule.getHandle(id).trigger(seen.policies.overlap).catch(rethrowNamed(id));
  const giveUpAtMs = Date.now() + TRIGGER_DEADLINE_MS;
  while (Date.now() < giveUpAtMs) {
    const now = await describe(client, id);
    if (now === null) throw new ScheduleNotFound(`${id} was deleted meanwhile`);
    const { info, raw } = now;
    const fresh = info.recentActions.find(({ action }) => !known.has(action.workflow.workflowId));
    if (fresh !== undefined) return { kind: 'started', workflowId: fresh.action.workflow.workflowId };
    const runningRuns = info.runningActions.map(({ workflow }) => workflow.workflowId);
    const oneWaits = Number(raw.info?.bufferSize ?? 0) > 0;
    if (info.numActionsSkippedOverlap > before.numActionsSkippedOverlap)
      return { kind: 'skipped', runningRuns, oneWaits };
    if (oneWaits && !waitedBefore) return { kind: 'waits', runningRuns };
    await delay(POLL_INTERVAL_MS);
  }
  return { kind: 'unknown' };
}

function rethrowNamed(id: string): (error: unknown) => never {
  return (error) => {
    throw namedError(error, id);
  };
}
