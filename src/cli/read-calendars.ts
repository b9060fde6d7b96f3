/**
 * Calendars of change freezes as the command line needs them: their names, and what is frozen when. Reads local
 * files.
 */
import type { Calendars } from '../calendars/calendars.js';
import { describeProblem } from '../domain/failures.js';
import { hint } from './output.js';

/** The calendars in the folders of RUNBOOK_CALENDARS. */
export interface LocalCalendars extends Pick<Calendars, 'freezesBetween'> {
  /** `null` if there is no folder of calendars, in which case the names that files use are not checked. */
  readonly names: readonly string[] | null;
}

/**
 * Reads the names and prints a hint for each folder that cannot be read and each name used twice.
 * @throws ConfigurationError
 */
export async function readCalendars(): Promise<LocalCalendars> {
  // Loaded late: the configuration loads Temporal's code, and `--help` must be quick.
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

const NO_FOLDER = 'RUNBOOK_CALENDARS is not set';
const SET_FOLDER = 'Set it to the folder that the workers read';

/** Warns that names of calendars were not checked, because a mistyped one is noticed only when a run is refused. */
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
