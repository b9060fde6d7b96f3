/** Reads one schedule from the server, also one that another SDK wrote. */
import { ScheduleClient, ScheduleNotFoundError, type Client, type ScheduleDescription } from '@temporalio/client';
import { grpcCodeOf, ranOutOfTime } from '../temporal/calls.js';
import { namedError, ScheduleUnreadable } from './errors.js';

/** How many schedules are read or written at a time. Chosen: a schedule is a workflow on the server, and each call a task of it. */
export const CALLS_AT_A_TIME = 10;

/** The server asks the schedule's own workflow, and a busy one may lose the question: it answers the next one at once. Chosen. */
const DESCRIBE_MS = 10_000;
const DESCRIBE_ATTEMPTS = 3;

/** Where a schedule has no summary or no details, the Python SDK writes a payload without an encoding. This reader treats that as none. */
export class ScheduleReader extends ScheduleClient {
  protected override async _describeSchedule(id: string): Promise<ScheduleDescription['raw']> {
    const answer = await super._describeSchedule(id);
    const metadata = answer.schedule?.action?.startWorkflow?.userMetadata;
    if (metadata && isEmpty(metadata.summary)) metadata.summary = null;
    if (metadata && isEmpty(metadata.details)) metadata.details = null;
    return answer;
  }
}

interface Payload {
  readonly metadata?: object | null;
  readonly data?: Uint8Array | null;
}

function isEmpty(payload: Payload | null | undefined): boolean {
  return Object.keys(payload?.metadata ?? {}).length === 0 && (payload?.data?.length ?? 0) === 0;
}

/** `null` when the server has none of that id. @throws ScheduleUnreadable for what it describes and we cannot decode */
export async function describe(client: Client, id: string): Promise<ScheduleDescription | null> {
  try {
    return await ask(client, id);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    const named = error instanceof TypeError ? error : namedError(error, id);
    const isAnswered = named === error && error instanceof Error && grpcCodeOf(error) === null;
    throw isAnswered ? new ScheduleUnreadable(id, error) : named;
  }
}

async function ask(client: Client, id: string): Promise<ScheduleDescription> {
  const handle = new ScheduleReader({ ...client.schedule.options, connection: client.connection }).getHandle(id);
  for (let attempt = 1; ; attempt++)
    try {
      return await client.withDeadline(Date.now() + DESCRIBE_MS, () => handle.describe());
    } catch (error) {
      if (!ranOutOfTime(error) || attempt === DESCRIBE_ATTEMPTS) throw error;
    }
}

/** A schedule as the server has it, or why it cannot be decoded. */
export type Described =
  | { readonly kind: 'described'; readonly seen: ScheduleDescription | null }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** One that cannot be read must not hide the others. */
export async function describeOrReason(client: Client, id: string): Promise<Described> {
  try {
    return { kind: 'described', seen: await describe(client, id) };
  } catch (error) {
    if (error instanceof ScheduleUnreadable) return { kind: 'unreadable', reason: error.reason };
    throw error;
  }
}
