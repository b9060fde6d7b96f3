/** One iCalendar file → its freezes within a time, or every problem with its line. Gives way to other work in between. */
import { setImmediate } from 'node:timers/promises';
import type { Freeze } from '../domain/gates.js';
import { readComponents, type IcsComponent, type LineProblem } from './content-lines.js';
import { readEvent, type IcsEvent } from './ics-events.js';
import { IcsZones } from './ics-zones.js';
import { Occurrences } from './occurrences.js';

/** Longest stretch of work before others in the process have their turn. */
const STRETCH_MS = 25;
/** Each event with recurrences may take up to a second; a file of them must not take the worker's day. */
const LONGEST_MS = 5_000;

/** TRANSP is not looked at: an event of a freeze calendar freezes, whether it shows its people as busy or as free. */
export async function icsFreezes(
  text: string,
  calendar: string,
  fromMs: number,
  toMs: number,
): Promise<{ freezes: Freeze[]; problems: LineProblem[] }> {
  const { calendars, problems } = readComponents(text);
  if (problems.length > 0) return { freezes: [], problems };
  const pause = pauses();
  const freezes: Freeze[] = [];
  for (const part of calendars) {
    const events = await readEvents(part, fromMs, problems, pause);
    const occurrences = new Occurrences(events, calendar, fromMs, toMs);
    const giveUpAtMs = Date.now() + LONGEST_MS;
    for (const event of events) {
      await pause();
      const found = occurrences.of(event);
      if (!Array.isArray(found)) problems.push(found);
      else freezes.push(...found);
      if (Date.now() < giveUpAtMs) continue;
      problems.push(tooSlow(event));
      break;
    }
  }
  return { freezes, problems };
}

async function readEvents(
  part: IcsComponent,
  fromMs: number,
  problems: LineProblem[],
  pause: () => Promise<void>,
): Promise<IcsEvent[]> {
  const zones = new IcsZones(part, fromMs);
  problems.push(...zones.problems);
  const events: IcsEvent[] = [];
  for (const component of part.parts.filter(({ name }) => name === 'VEVENT')) {
    await pause();
    const event = readEvent(component, zones);
    if (Array.isArray(event)) problems.push(...event);
    else events.push(event);
  }
  return events;
}

function pauses(): () => Promise<void> {
  let begunAtMs = Date.now();
  return async () => {
    if (Date.now() - begunAtMs < STRETCH_MS) return;
    await setImmediate();
    begunAtMs = Date.now();
  };
}

function tooSlow({ line }: IcsEvent): LineProblem {
  return {
    line,
    code: 'too-many-occurrences',
    found: `the recurrences up to here take more than ${LONGEST_MS / 1_000}s to work out`,
    remedy: 'Split the calendar, or take its past events out',
  };
}
