/** The thread that reads calendars: whatever a file asks for, the thread can be ended and the worker continues. */
import { parentPort } from 'node:worker_threads';
import { MOST_PROBLEMS, type Problem } from '../domain/failures.js';
import type { Freeze } from '../domain/gates/gates.js';
import { icsFreezes } from './ics-file.js';
import { listFreezes } from './list-file.js';

/** The text of a calendar file, as it is sent to the thread. Times are epoch milliseconds. */
export interface ReadingRequest {
  readonly file: string;
  readonly text: string;
  readonly calendar: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What the file contains, as the thread answers it. */
export interface CalendarReading {
  readonly freezes: Freeze[];
  readonly problems: Problem[];
}

/** What crosses between threads holds up both: so many freezes are copied in some 10 ms. */
const MOST_FREEZES = 10_000;

parentPort?.on('message', (request: ReadingRequest) => parentPort?.postMessage(readCalendar(request)));

/** Freezes that overlap the time asked for, problems with file and line, and no more of either than somebody reads. */
function readCalendar(request: ReadingRequest): CalendarReading {
  const { freezes, problems } = /\.ics$/i.test(request.file) ? fromIcs(request) : fromList(request);
  const kept = freezes.length > MOST_FREEZES ? withoutCovered(freezes) : freezes;
  if (kept.length <= MOST_FREEZES) return { freezes: kept, problems };
  const tooMany = {
    code: 'too-many-occurrences',
    place: request.file,
    found: `more than ${MOST_FREEZES} freezes lie in the time asked for`,
    remedy: 'Write longer events that recur less often',
  };
  return { freezes: kept.slice(0, MOST_FREEZES), problems: [...problems, tooMany] };
}

function fromIcs({ file, text, calendar, fromMs, toMs }: ReadingRequest): CalendarReading {
  const { freezes, problems } = icsFreezes(text, calendar, fromMs, toMs);
  const first = problems
    .slice(0, MOST_PROBLEMS)
    .map(({ line, ...rest }): Problem => ({ ...rest, place: `${file}:${line}` }));
  const more = problems.length - first.length;
  const remedy = 'Correct those above first';
  if (more > 0) first.push({ code: 'more-problems', place: file, found: `${more} more problems were found`, remedy });
  return { freezes, problems: first };
}

function fromList({ file, text, calendar, fromMs, toMs }: ReadingRequest): CalendarReading {
  const { freezes, problems } = listFreezes(text, file, calendar);
  return { freezes: freezes.filter((freeze) => freeze.toMs > fromMs && freeze.fromMs < toMs), problems: [...problems] };
}

/** Without those that lie wholly within one that began before. */
function withoutCovered(freezes: readonly Freeze[]): Freeze[] {
  let coveredUntilMs = -Infinity;
  return [...freezes]
    .sort((left, right) => left.fromMs - right.fromMs || right.toMs - left.toMs)
    .filter(({ toMs }) => {
      if (toMs <= coveredUntilMs) return false;
      coveredUntilMs = toMs;
      return true;
    });
}
