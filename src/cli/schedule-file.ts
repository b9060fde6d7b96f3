/** What the `runbook schedule` commands share: a schedule file that is checked completely before the server is asked. */
import type { ReadSchedules } from '../schedules/read-schedules.js';
import { CommandError, USAGE_EXIT_CODE } from './output.js';
import type { LocalCalendars } from './read-calendars.js';

/** How far ahead warnings are computed: more than a year, so that both clock changes are included. */
export const HORIZON_MS = 400 * 86_400_000;

/**
 * Reads a schedule file without a server, so that its problems are reported even if none is reachable.
 * @throws CommandError with every problem
 */
export async function loadScheduleFile(file: string, { names }: LocalCalendars): Promise<ReadSchedules> {
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
