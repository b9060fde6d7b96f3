/** The calendars of change freezes, as far as the command line needs them: which names there are, and what is frozen when. Local files. */
import type { ReadFreezes } from '../schedules/occurrences.js';

export interface Calendars {
  /** `null`: there is no folder of calendars here, so names of calendars in schedule files are not checked. */
  readonly names: readonly string[] | null;
  readonly readFreezes: ReadFreezes;
}

/** @throws ConfigurationError */
export async function readCalendars(): Promise<Calendars> {
  // Late, as in every command: the configuration loads Temporal's, and `--help` is quick.
  const [{ freezesBetween, listCalendars }, { loadClientConfig }] = await Promise.all([
    import('../calendars/calendars.js'),
    import('../config.js'),
  ]);
  const { calendarDirectories } = loadClientConfig(process.env);
  if (calendarDirectories.length === 0) return { names: null, readFreezes: notReadHere };
  const { names } = await listCalendars(calendarDirectories);
  return { names, readFreezes: (wanted, fromMs, toMs) => freezesBetween(calendarDirectories, wanted, fromMs, toMs) };
}

const notReadHere: ReadFreezes = (names) =>
  Promise.resolve({
    freezes: [],
    problems: names.map((name) => ({
      code: 'calendar-not-read',
      place: name,
      found: 'there is no folder of calendars here',
      remedy: 'Set RUNBOOK_CALENDARS to the folder that the workers read',
    })),
  });
