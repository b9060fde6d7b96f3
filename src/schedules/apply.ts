/**
 * Carries out a difference. Each schedule is written twice: first what the file says, with `applied: null`; then, once the server
 * has normalised it, the same with what the server made of it. An apply that dies in between is seen by the next one and finished.
 */
import { randomUUID } from 'node:crypto';
import {
  ScheduleAlreadyRunning,
  ScheduleClient,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import { changesBetween, toJson, type Json } from './changes.js';
import { describe, type Difference } from './compare.js';
import { namedError, ScheduleChangedMeanwhile } from './errors.js';
import { CALLS_AT_A_TIME, inParallel } from './in-parallel.js';
import { describedForm, ownershipOf } from './ownership.js';
import type { WishedSchedule } from './read-schedules.js';
import { toScheduleOptions } from './to-schedule-options.js';

/** A schedule that was made and not finished is paused with this note: nothing of it runs before it is whole. */
export const UNFINISHED_NOTE = 'runbook schedule apply: not finished yet';

type Result = 'created' | 'updated' | 'finished' | 'overwritten' | 'deleted' | 'unchanged' | 'left-alone' | 'failed';

export interface Applied {
  readonly id: string;
  readonly name: string;
  readonly result: Result;
  readonly error?: { readonly kind: string; readonly message: string };
}

/** What keeps the whole file from being applied: changes by hand that nobody named, and foreign schedules in the way. */
export function refusals(differences: readonly Difference[], overwrite: readonly string[]): Difference[] {
  return differences.filter(
    ({ status, name, wished }) =>
      (status === 'changed-by-hand' && !overwrite.includes(name)) || (status === 'foreign' && wished !== null),
  );
}

/** Carries out every difference, a few at a time; one that fails does not stop the others. Call `refusals` before. */
export async function applyDifferences(
  client: Client,
  differences: readonly Difference[],
  taskQueue: string,
): Promise<Applied[]> {
  return inParallel(differences, CALLS_AT_A_TIME, async (difference) => {
    const { id, name } = difference;
    try {
      return { id, name, result: await applyOne(client, difference, taskQueue) };
    } catch (error) {
      const named = namedError(error, id);
      const { name: kind, message } = named instanceof Error ? named : new Error(String(named));
      return { id, name, result: 'failed', error: { kind, message } };
    }
  });
}

async function applyOne(client: Client, difference: Difference, taskQueue: string): Promise<Result> {
  const { status, wished } = difference;
  if (status === 'unchanged') return 'unchanged';
  if (status === 'foreign') return 'left-alone';
  if (wished === null) {
    await deleteSeen(client, difference);
    return 'deleted';
  }
  const applyId = randomUUID();
  await writeFirst(client, difference, wished, { taskQueue, applyId });
  await writeSecond(client, wished, { taskQueue, applyId });
  if (status === 'create') return 'created';
  if (status === 'update') return 'updated';
  return status === 'interrupted' ? 'finished' : 'overwritten';
}

interface Writing {
  readonly taskQueue: string;
  readonly applyId: string;
}

/** What the file says, with `applied: null`. One that is new is made paused. @throws ScheduleChangedMeanwhile */
export async function writeFirst(
  client: Client,
  { id, seen }: Pick<Difference, 'id' | 'seen'>,
  wished: WishedSchedule,
  writing: Writing,
): Promise<void> {
  const options = toScheduleOptions(wished, { ...writing, applied: null });
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
    await client.schedule.create({ ...options, scheduleId: id, state: { paused: true, note: UNFINISHED_NOTE } });
  } catch (error) {
    throw error instanceof ScheduleAlreadyRunning ? new ScheduleChangedMeanwhile(id, { cause: error }) : error;
  }
}

/** The same, with what the server made of it. @throws ScheduleChangedMeanwhile */
async function writeSecond(client: Client, wished: WishedSchedule, writing: Writing): Promise<void> {
  const { id } = wished;
  const isOurs = (now: ScheduleDescription) => ownershipOf(now)?.applyId === writing.applyId;
  let applied: Json = null;
  await updateIf(client, id, isOurs, (now) => {
    applied = describedForm(now);
    return { ...toScheduleOptions(wished, { ...writing, applied }), state: stateFinished(now) };
  });
  // The server takes a late write without a word and drops it: only reading tells whose came through.
  const after = await describe(client, id);
  if (after === null || !isOurs(after) || changesBetween(applied, describedForm(after)).length > 0)
    throw new ScheduleChangedMeanwhile(id);
}

/** Paused or not is operation: an apply keeps it. */
function stateKept({ state: { paused, note } }: ScheduleDescription) {
  return { paused, ...(note === undefined ? {} : { note }) };
}

function stateFinished(now: ScheduleDescription) {
  return now.state.note === UNFINISHED_NOTE ? { paused: false, note: '' } : stateKept(now);
}

function isAsSeen(seen: ScheduleDescription, now: ScheduleDescription): boolean {
  const [before, after] = [seen, now].map((each) => toJson([describedForm(each), ownershipOf(each)]));
  return changesBetween(before ?? null, after ?? null).length === 0;
}

/** Updates only what is as expected, and only if nobody writes between that look and the write. */
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
function withConflictToken(client: Client, token: { value?: Uint8Array }): ScheduleClient {
  const { connection } = client;
  const { workflowService } = connection;
  const guarded = Object.create(workflowService, {
    updateSchedule: {
      value: (request: Parameters<typeof workflowService.updateSchedule>[0]) =>
        workflowService.updateSchedule({ ...request, conflictToken: token.value ?? null }),
    },
  }) as typeof workflowService;
  const guardedConnection = Object.create(connection, { workflowService: { value: guarded } }) as typeof connection;
  return new ScheduleClient({ ...client.schedule.options, connection: guardedConnection });
}

async function deleteSeen(client: Client, { id, seen }: Difference): Promise<void> {
  const now = await describe(client, id);
  if (now === null) return;
  if (seen === null || !isAsSeen(seen, now)) throw new ScheduleChangedMeanwhile(id);
  await client.schedule.getHandle(id).delete();
}
