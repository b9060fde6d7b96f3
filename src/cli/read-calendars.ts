/** The calendars of change freezes, as far as the command line needs them: which names there are, and what is frozen when. Local files. */
import type { Calendars } from '../calendars/calendars.js';

export interface LocalCalendars extends Pick<Calendars, 'freezesBetween'> {
  /** `null`: there is no folder of calendars here, so names of calendars in files are not checked. */
  readonly names: readonly string[] | null;
}

/** @throws ConfigurationError */
export async function readCalendars(): Promise<LocalCalendars> {
  // Late, as in every command: the configuration loads Temporal's, and `--help` is quick.
  const [{ calendarsIn }, { loadClientConfig }] = await Promise.all([
    import('../calendars/calendars.js'),
    import('../config.js'),
  ]);
  const { calendarDirectories } = loadClientConfig(process.env);
  if (calendarDirectories.length === 0) return { names: null, freezesBetween: notReadHere };
  const calendars = calendarsIn(calendarDirectories);
  const { names } = await calendars.list();
  return { names, freezesBetween: (...asked) => calendars.freezesBetween(...asked) };
}

const notReadHere: Calendars['freezesBetween'] = (names) =>
  Promise.resolve({
    freezes: [],
    problems: names.map((name) => ({
      code: 'calendar-not-read',
      place: name,
      found: 'there is no folder of calendars here',
      remedy: 'Set RUNBOOK_CALENDARS to the folder that the workers read',
    })),
  });
