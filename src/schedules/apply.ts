/**
 * Carries out a difference. Each schedule is written in one call, together with what the server will describe of it: an apply that
 * dies leaves each schedule as it was or as the file has it, and whatever differs from that later was changed by hand.
 */
import { randomUUID } from 'node:crypto';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import pMap from 'p-map';
import { changesBetween, toJson } from './changes.js';
import { changedByHand, type Difference } from './compare.js';
import { CALLS_AT_A_TIME, describe, ScheduleReader } from './describe.js';
import { namedError, ScheduleChangedMeanwhile, ScheduleUnreadable } from './errors.js';
import { describedForm, ownershipOf } from './ownership.js';
import type { DesiredSchedule } from './read-schedules.js';
import { toScheduleOptions } from './to-schedule-options.js';

type Result = 'created' | 'updated' | 'overwritten' | 'deleted' | 'unchanged' | 'left-alone' | 'failed';

/** What became of one schedule. */
export interface Applied {
  readonly id: string;
  readonly name: string;
  readonly result: Result;
  readonly error?: { readonly kind: string; readonly message: string };
}

/** What keeps the whole file from being applied: changes by hand that were not named (by name or id), and foreign schedules in the way. */
export function refusals(differences: readonly Difference[], overwrite: readonly string[]): Difference[] {
  return differences.filter(
    ({ status, id, name, desired }) =>
      (status === 'changed-by-hand' && !overwrite.includes(name) && !overwrite.includes(id)) ||
      (status === 'foreign' && desired !== null),
  );
}

/** Carries out every difference, a few at a time; one that fails does not stop the others. Call `refusals` before. */
export async function applyDifferences(
  client: Client,
  differences: readonly Difference[],
  taskQueue: string,
): Promise<Applied[]> {
  const apply = async (difference: Difference): Promise<Applied> => {
    const { id, name } = difference;
    try {
      return { id, name, result: await applyOne(client, difference, taskQueue) };
    } catch (error) {
      const named = namedError(error, id);
      const { name: kind, message } = named instanceof Error ? named : new Error(String(named));
      return { id, name, result: 'failed', error: { kind, message } };
    }
  };
  return pMap(differences, apply, { concurrency: CALLS_AT_A_TIME });
}

async function applyOne(client: Client, difference: Difference, taskQueue: string): Promise<Result> {
  const { id, status, desired, reason } = difference;
  if (status === 'unchanged') return 'unchanged';
  if (status === 'foreign') return 'left-alone';
  if (status === 'unreadable') throw new ScheduleUnreadable(id, new Error(reason));
  if (desired === null) {
    await deleteSeen(client, difference);
    return 'deleted';
  }
  const writing = { taskQueue, applyId: randomUUID() };
  await write(client, difference, toScheduleOptions(desired, writing));
  // The server accepts a late write and silently drops it: only reading shows which one won.
  const after = await describe(client, desired.id);
  const ownership = after === null ? null : ownershipOf(after);
  if (after === null || ownership?.applyId !== writing.applyId) throw new ScheduleChangedMeanwhile(desired.id);
  if (changedByHand(ownership, after).length > 0) await accept(client, difference, desired, writing);
  if (status === 'create') return 'created';
  return status === 'update' ? 'updated' : 'overwritten';
}

interface Writing {
  readonly taskQueue: string;
  readonly applyId: string;
}

/** Writes what is in the file, in one call. @throws ScheduleChangedMeanwhile when it is not as it was seen */
async function write(
  client: Client,
  { id, seen }: Difference,
  options: ReturnType<typeof toScheduleOptions>,
): Promise<void> {
  if (seen !== null) {
    await updateIf(
      client,
      id,
      (now) => isAsSeen(seen, now),
      (now) => ({ ...options, state: stateKept(now) }),
    );
    return;
  }
  try {
    await client.schedule.create({ ...options, scheduleId: id });
  } catch (error) {
    throw error instanceof ScheduleAlreadyRunning ? new ScheduleChangedMeanwhile(id, { cause: error }) : error;
  }
}

/**
 * Called when the server describes a schedule otherwise than it was just written: somebody has changed it since, or this server returns a form that
 * we do not know. Such a form would count as changed by hand for ever, so an apply that overwrites accepts the server's description.
 *
 * @throws ScheduleChangedMeanwhile
 */
async function accept(
  client: Client,
  { id, status }: Difference,
  desired: DesiredSchedule,
  writing: Writing,
): Promise<void> {
  if (status !== 'changed-by-hand') throw new ScheduleChangedMeanwhile(id);
  await updateIf(
    client,
    id,
    (now) => ownershipOf(now)?.applyId === writing.applyId,
    (now) => ({ ...toScheduleOptions(desired, { ...writing, applied: describedForm(now) }), state: stateKept(now) }),
  );
}

/** Whether a schedule is paused is the operators' business, so an apply keeps it. */
function stateKept({ state: { paused, note } }: ScheduleDescription) {
  return { paused, ...(note === undefined ? {} : { note }) };
}

function isAsSeen(seen: ScheduleDescription, now: ScheduleDescription): boolean {
  const [before, after] = [seen, now].map((each) => toJson([describedForm(each), ownershipOf(each)]));
  return changesBetween(before ?? null, after ?? null).length === 0;
}

/** Updates only what is as expected, and only if no one else writes between reading and writing. */
async function updateIf(
  client: Client,
  id: string,
  isExpected: (now: ScheduleDescription) => boolean,
  change: (now: ScheduleDescription) => ScheduleUpdateOptions,
): Promise<void> {
  const token: { value?: Uint8Array } = {};
  try {
    await withConflictToken(client, token)
      .getHandle(id)
      .update((now) => {
        if (!isExpected(now)) throw new ScheduleChangedMeanwhile(id);
        if (now.raw.conflictToken) token.value = now.raw.conflictToken;
        return change(now);
      });
  } catch (error) {
    throw error instanceof ScheduleNotFoundError ? new ScheduleChangedMeanwhile(id, { cause: error }) : error;
  }
}

/** The SDK's update reads a schedule, lets it be changed and writes it, but without the token that guards the write. */
function withConflictToken(client: Client, token: { value?: Uint8Array }): ScheduleReader {
  const { connection } = client;
  const { workflowService } = connection;
  const guarded = Object.create(workflowService, {
    updateSchedule: {
      value: (request: Parameters<typeof workflowService.updateSchedule>[0]) =>
        workflowService.updateSchedule({ ...request, conflictToken: token.value ?? null }),
    },
  }) as typeof workflowService;
  const guardedConnection = Object.create(connection, { workflowService: { value: guarded } }) as typeof connection;
  return new ScheduleReader({ ...client.schedule.options, connection: guardedConnection });
}

async function deleteSeen(client: Client, { id, seen }: Difference): Promise<void> {
  const now = await describe(client, id);
  if (now === null) return;
  if (seen === null || !isAsSeen(seen, now)) throw new ScheduleChangedMeanwhile(id);
  await client.schedule.getHandle(id).delete();
}
