/** `readFreezes`: the named calendars, read anew. A calendar that cannot be read is told as such, never left out. */
import type { Calendars } from '../calendars/calendars.js';
import { describeProblem, type Problem } from '../domain/failures.js';
import { relevantFreezes, type ReadFreezes } from '../domain/gates/gates.js';

/** One is enough to know that it is frozen, and what is told stands in the history of each look. */
const MOST_TOLD = 3;
const LONGEST_TEXT = 300;

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

export function unreadableLines(problems: readonly Problem[]): string[] {
  return problems.slice(0, MOST_TOLD).map((problem) => describeProblem(problem).slice(0, LONGEST_TEXT));
}
