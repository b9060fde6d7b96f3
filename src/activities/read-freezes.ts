/**
 * `readFreezes`: reads the named calendars at each call. A calendar that cannot be read is reported, never left out.
 */
import type { Calendars } from '../calendars/calendars.js';
import { describeProblem, type Problem } from '../domain/failures.js';
import { relevantFreezes, type ReadFreezes } from '../domain/gates/gates.js';

/** One is enough to know that the gate is closed, and the answer is stored in the history of each check. */
const MOST_REPORTED = 3;
const LONGEST_TEXT = 300;

/** Returns the freezes in `[fromMs, toMs)` and the calendars that cannot be read. */
export async function readFreezes(
  calendars: Calendars,
  names: readonly string[],
  fromMs: number,
  toMs: number,
): Promise<ReadFreezes> {
  try {
    const { freezes, problems } = await calendars.freezesBetween(names, fromMs, toMs);
    return { freezes: relevantFreezes(freezes), unreadable: unreadableLines(problems) };
  } catch (error) {
    return { freezes: [], unreadable: [String(error).slice(0, LONGEST_TEXT)] };
  }
}

/** Problems of calendars as lines for people, at most three. */
export function unreadableLines(problems: readonly Problem[]): string[] {
  return problems.slice(0, MOST_REPORTED).map((problem) => describeProblem(problem).slice(0, LONGEST_TEXT));
}
