/** The calendars of change freezes, as far as the command line needs them: which names there are, and what is frozen when. */
import type { ReadFreezes } from '../schedules/occurrences.js';

export interface Calendars {
  /** `null`: not known, so that names of calendars in schedule files are not checked. */
  readonly names: readonly string[] | null;
  readonly readFreezes: ReadFreezes;
}

/** Calendars are not read yet: whoever asks for freezes is told so. */
export async function readCalendars(): Promise<Calendars> {
  return {
    names: null,
    readFreezes: async (names) => ({
      freezes: [],
      problems: names.map((name) => ({
        code: 'calendar-not-read',
        place: name,
        found: 'calendars are not looked up here',
        remedy: 'Look at the calendar itself',
      })),
    }),
  };
}
