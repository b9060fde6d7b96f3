/** The calendars of change freezes, as far as the command line needs them: which names there are, and what is frozen when. Local files. */
import type { Calendars } from '../calendars/calendars.js';
import { describeProblem } from '../domain/failures.js';
import { hint } from './output.js';

export interface LocalCalendars extends Pick<Calendars, 'freezesBetween'> {
  /** `null`: there is no folder of calendars here, so names of calendars in files are not checked. */
  readonly names: readonly string[] | null;
}

/** Tells at once which folders cannot be read and which names stand twice. @throws ConfigurationError */
export async function readCalendars(): Promise<LocalCalendars> {
  // Late, as in every command: the configuration loads Temporal's, and `--help` is quick.
  const [{ calendarsIn }, { loadClientConfig }] = await Promise.all([
    import('../calendars/calendars.js'),
    import('../config/config.js'),
  ]);
  const { calendarDirectories } = loadClientConfig(process.env);
  if (calendarDirectories.length === 0) return { names: null, freezesBetween: notReadHere };
  const calendars = calendarsIn(calendarDirectories);
  const { names, problems } = await calendars.list();
  for (const problem of problems) hint(`! ${describeProblem(problem)}`);
  return { names, freezesBetween: (...asked) => calendars.freezesBetween(...asked) };
}

const NO_FOLDER = 'there is no folder of calendars here';
const SET_FOLDER = 'Set RUNBOOK_CALENDARS to the folder that the workers read';

/** Where there is no folder of calendars, a mistyped name is first seen when a run is refused for it. */
export function hintIfNotChecked({ names }: LocalCalendars, named: Iterable<string>): void {
  const all = [...new Set(named)];
  if (names === null && all.length > 0) hint(`! ${all.join(', ')}: not checked, ${NO_FOLDER}. ${SET_FOLDER}`);
}

const notReadHere: Calendars['freezesBetween'] = (names) =>
  Promise.resolve({
    freezes: [],
    problems: names.map((name) => ({
      code: 'calendar-not-read',
      place: name,
      found: NO_FOLDER,
      remedy: SET_FOLDER,
    })),
  });
