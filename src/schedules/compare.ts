/** Compares a schedule file with the server: what to create, change and delete, and what somebody changed by hand. Changes nothing. */
import type { Client, ScheduleDescription } from '@temporalio/client';
import pMap from 'p-map';
import { changesBetween, type Change } from './changes.js';
import { CALLS_AT_A_TIME, describeOrReason, type Described } from './describe.js';
import { namedError } from './errors.js';
import { describedForm, OWNERSHIP_FORMAT, ownershipOf, type Ownership } from './ownership.js';
import type { ReadSchedules, DesiredSchedule } from './read-schedules.js';
import { definitionOf } from './to-schedule-options.js';

/** `foreign`: it has an id of ours, and no file made it. `unreadable`: it cannot be decoded here. Neither is ever touched. */
export type Status = 'create' | 'update' | 'delete' | 'unchanged' | 'changed-by-hand' | 'foreign' | 'unreadable';

/** One schedule: what the file wants, what the server has, and what an apply would do. */
export interface Difference {
  readonly id: string;
  readonly name: string;
  readonly status: Status;
  /** From what was applied last to what the file has now. */
  readonly changes: readonly Change[];
  /** From what was applied last to what the server has, in the server's own terms. */
  readonly byHand: readonly Change[];
  readonly paused: boolean;
  /** `null`: the file does not have it (any more). */
  readonly desired: DesiredSchedule | null;
  /** `null`: the server does not have it. */
  readonly seen: ScheduleDescription | null;
  /** Why it cannot be read. */
  readonly reason?: string;
}

/** One difference for each schedule of the file, and for each further one on the server that begins with its owner. */
export async function compareSchedules(
  client: Client,
  { owner, schedules }: ReadSchedules,
  taskQueue: string,
): Promise<Difference[]> {
  const desired = await pMap(
    schedules,
    async (schedule) => differenceOf(schedule, await describeOrReason(client, schedule.id), taskQueue),
    { concurrency: CALLS_AT_A_TIME },
  );
  // Listing lags behind, so it only finds schedules to delete; a schedule it does not show yet stays until the next apply.
  const known = new Set(schedules.map(({ id }) => id));
  const further = (await idsOnServer(client, `${owner}/`)).filter((id) => !known.has(id));
  const differenceOfId = async (id: string): Promise<Difference[]> => {
    const described = await describeOrReason(client, id);
    if (described.kind === 'unreadable') return [unreadable(id, null, described.reason)];
    return described.seen === null ? [] : [differenceOfOther(id, described.seen)];
  };
  const others = await pMap(further, differenceOfId, { concurrency: CALLS_AT_A_TIME });
  return [...desired, ...others.flat()].sort((left, right) => left.id.localeCompare(right.id));
}

/** Every id on the server that begins with `prefix`. The server's listing lags some seconds behind. */
export async function idsOnServer(client: Client, prefix: string): Promise<string[]> {
  const ids: string[] = [];
  try {
    for await (const { scheduleId } of client.schedule.list({ pageSize: 500 }))
      if (scheduleId.startsWith(prefix)) ids.push(scheduleId);
  } catch (error) {
    throw namedError(error, prefix);
  }
  return ids;
}

function differenceOf(desired: DesiredSchedule, described: Described, taskQueue: string): Difference {
  const { id, name } = desired;
  if (described.kind === 'unreadable') return unreadable(id, desired, described.reason);
  const { seen } = described;
  const definition = definitionOf(desired, taskQueue);
  const base = { id, name, desired, seen, changes: [], byHand: [], paused: seen?.state.paused === true };
  if (seen === null) return { ...base, status: 'create' };
  const ownership = ownershipOf(seen);
  if (ownership === null) return { ...base, status: 'foreign' };
  const changes = changesBetween(ownership.definition, definition);
  const byHand = changedByHand(ownership, seen);
  if (byHand.length > 0) return { ...base, status: 'changed-by-hand', changes, byHand };
  const isSame = changes.length === 0 && ownership.format === OWNERSHIP_FORMAT;
  return { ...base, status: isSame ? 'unchanged' : 'update', changes };
}

function unreadable(id: string, desired: DesiredSchedule | null, reason: string): Difference {
  return {
    id,
    name: nameIn(id),
    status: 'unreadable',
    changes: [],
    byHand: [],
    paused: false,
    desired,
    seen: null,
    reason,
  };
}

function nameIn(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}

function differenceOfOther(id: string, seen: ScheduleDescription): Difference {
  const base = { id, name: nameIn(id), desired: null, seen, changes: [], paused: seen.state.paused };
  const ownership = ownershipOf(seen);
  if (ownership === null) return { ...base, status: 'foreign', byHand: [] };
  const byHand = changedByHand(ownership, seen);
  return { ...base, status: byHand.length > 0 ? 'changed-by-hand' : 'delete', byHand };
}

/** In the server's own terms. */
export function changedByHand({ applied }: Ownership, seen: ScheduleDescription): Change[] {
  return changesBetween(applied, describedForm(seen));
}
