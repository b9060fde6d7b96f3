/** Names of runbooks and calendars that a file uses: what is found under them, and what is wrong with them. */
import type { Problem } from '../domain/failures.js';
import type { Runbook } from '../domain/runbook/runbook.js';
import type { KnownRunbooks } from '../domain/runbook/unknown-runbook.js';
import { didYouMean } from '../domain/text/suggest.js';
import type { Path, PathProblem as FoundProblem } from '../yaml/yaml-document.js';

/** The answer to a name: its runbook, no such runbook, or a file that cannot be used. */
export type RunbookLookup =
  | { readonly kind: 'found'; readonly runbook: Runbook; readonly file: string }
  | ({ readonly kind: 'unknown' } & KnownRunbooks)
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] };

/** A file names a runbook, at its key `runbook`, that cannot be used. */
export function problemsOfLookup(name: string, lookup: Exclude<RunbookLookup, { kind: 'found' }>): FoundProblem[] {
  if (lookup.kind === 'broken') {
    const [first] = lookup.problems;
    const found = `the runbook ${name} has problems${first === undefined ? '' : `: ${first.place}: ${first.found}`}`;
    return [{ code: 'broken-runbook', path: ['runbook'], found, remedy: 'Fix it; `runbook validate` shows all' }];
  }
  return [
    {
      code: 'unknown-runbook',
      path: ['runbook'],
      found: `there is no runbook "${name.slice(0, 80)}"`,
      remedy: `Use one of: ${lookup.known.join(', ')}; read from ${lookup.folders.join(', ')}, and RUNBOOK_DIR names further folders.${didYouMean(name, lookup.known)}`,
    },
  ];
}

/** Names of calendars, listed at `path`, that are unknown; none if `known` is `null`. */
export function unknownCalendars(
  path: Path,
  names: readonly string[],
  known: readonly string[] | null,
): FoundProblem[] {
  if (known === null) return [];
  return names.flatMap((name, index) =>
    known.includes(name)
      ? []
      : [
          {
            code: 'unknown-calendar',
            path: [...path, index],
            found: `there is no calendar "${name.slice(0, 80)}"`,
            remedy: `Use one of: ${known.join(', ') || 'none is known'}; RUNBOOK_CALENDARS names further folders.${didYouMean(name, known)}`,
          },
        ],
  );
}

/** Nothing automatic may start a runbook for emergencies. @param remedy what to write instead */
export function emergencyProblems({ emergency, name }: Runbook, remedy: string): FoundProblem[] {
  if (emergency !== true) return [];
  return [
    {
      code: 'emergency-runbook',
      path: ['runbook'],
      found: `${name} is for emergencies, so only a person starts it`,
      remedy,
    },
  ];
}
