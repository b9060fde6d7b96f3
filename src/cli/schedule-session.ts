/** What every `runbook schedule` command needs: the configuration, a connection, and a file that is read whole before anything is asked. */
import type { Client } from '@temporalio/client';
import type { ReadSchedules } from '../schedules/read-schedules.js';
import { CommandError, hint, USAGE_EXIT_CODE } from './output.js';
import type { LocalCalendars } from './read-calendars.js';

export interface ScheduleOptions {
  readonly json?: boolean;
  readonly taskQueue?: string;
}

/** How far ahead is looked: more than a year, so that both changes of the clocks are in it. */
export const HORIZON_MS = 400 * 86_400_000;

export interface Session {
  readonly client: Client;
  readonly taskQueue: string;
}

/** @throws ConfigurationError, ServerUnreachable */
export async function withServer<Value>(
  options: ScheduleOptions,
  act: (session: Session) => Promise<Value>,
): Promise<Value> {
  const [{ RunbookClient }, { loadClientConfig }] = await Promise.all([
    import('../client/runbook-client.js'),
    import('../config/config.js'),
  ]);
  const { temporal, taskQueue, warnings } = loadClientConfig(process.env);
  for (const warning of warnings) hint(`! ${warning}`);
  const connected = await RunbookClient.connect({ ...temporal.connectionOptions, namespace: temporal.namespace });
  try {
    return await act({ client: connected.client, taskQueue: options.taskQueue ?? taskQueue });
  } finally {
    await connected.close();
  }
}

/** Without a server: a file with problems is told about also when there is none. @throws CommandError with every problem */
export async function readFileOrTell(file: string, { names }: LocalCalendars): Promise<ReadSchedules> {
  const [{ readScheduleFile }, { findRunbook }, { loadClientConfig }] = await Promise.all([
    import('../schedules/read-schedules.js'),
    import('../runbooks/catalogue.js'),
    import('../config/config.js'),
  ]);
  const { runbookDirectories } = loadClientConfig(process.env);
  const read = await readScheduleFile(file, {
    findRunbook: (name) => findRunbook(runbookDirectories, name),
    calendars: names,
  });
  if (!Array.isArray(read)) return read;
  const message = 'The schedule file has problems; nothing was applied:';
  throw new CommandError('InvalidSchedules', message, USAGE_EXIT_CODE, read);
}
