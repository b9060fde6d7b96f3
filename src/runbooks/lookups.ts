/** What is wrong with the names of runbooks and calendars that a file uses. */
import { didYouMean } from '../domain/text/suggest.js';
import type { RunbookLookup } from './catalogue.js';
import type { Path, PathProblem as FoundProblem } from '../yaml/yaml-document.js';

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
