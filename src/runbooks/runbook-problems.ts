/** Everything that is wrong with a runbook file, at once: its shape in words, and what is proved of the rest; nothing that only follows from another fault. */
import { namesUsed } from '../domain/runbook/interpolate.js';
import { suggest } from '../domain/text/suggest.js';
import { checkRunbook } from '../domain/runbook/runbook-checks.js';
import type { Runbook, RunbookProblem } from '../domain/runbook/runbook.js';
import type { Path, PathProblem } from '../yaml/yaml-document.js';
import { unknownCalendars } from './lookups.js';
import { begins, repair } from './repair.js';
import { isObject, valueAt } from '../yaml/schema-keys.js';
import type { ShapeProblem } from '../yaml/value-problems.js';
import { removeUnsupported } from './unsupported.js';

/**
 * @param raw the document; @param fileName its last part; @param calendars those that are known, `null`: not checked
 * @returns the runbook, which is sound where there are no problems
 */
export function readRunbook(
  raw: object,
  fileName: string,
  calendars: readonly string[] | null,
): { problems: PathProblem[]; runbook: Runbook | null } {
  const { supported, problems: unsupported } = removeUnsupported(raw);
  const { runbook, written, ...repaired } = repair(supported, inWordsOfRunbooks);
  const touched = [...repaired.touched, ...unsupported.map(({ path }) => path)];
  const checked =
    runbook === null
      ? []
      : [
          ...checkRunbook(runbook, fileName),
          ...unknownCalendars(['guards', 'freeze'], runbook.guards?.freeze ?? [], calendars),
        ];
  const found = checked.map((problem) => ({ ...problem, path: written(problem.path) }));
  const all = [...unsupported, ...repaired.problems, ...found.filter((each) => !follows(each, found, raw, touched))];
  return { problems: all, runbook };
}

/** Whether a problem only follows from another one: a check proves nothing about a part that was removed or replaced. */
function follows(
  problem: RunbookProblem | PathProblem,
  all: readonly (RunbookProblem | PathProblem)[],
  raw: object,
  touched: readonly Path[],
): boolean {
  const { code, path } = problem;
  const isTouched = (place: Path) => touched.some((each) => begins(each, place) || begins(place, each));
  const unknown = all
    .filter((each) => each.code === 'unknown-name')
    .flatMap((each) => namesUsed(valueAt(raw, each.path)));
  switch (code) {
    case 'irreversible-not-declared':
      return isWhole(path, touched) || isTouched([...path, 'compensation']);
    case 'duplicate-step-id':
      return isWhole(path, touched) || isTouched([...path, 'id']);
    case 'unused-input': {
      const name = String(path.at(-1));
      const keys = unknown.map((each) => each.split('.').at(-1) ?? '');
      return usesOf(raw).includes(`inputs.${name}`) || keys.some((key) => suggest(key, [name]).length > 0);
    }
    case 'unknown-name':
    case 'invalid-input-type': {
      const names = namesUsed(valueAt(raw, path));
      return isTouched(path) || names.some((name) => isNotJudged(name, raw, touched));
    }
    case 'unused-restores':
      return isTouched(path) || usesOf(raw).some((name) => name.startsWith('captured'));
    case 'captured-without-restores':
      return Object.hasOwn(raw, 'restores');
    case 'deadline-too-short':
      return (
        isTouched(path) || (path.length === 1 && isTouched(['steps'])) || isTouched([...path.slice(0, -1), 'verify'])
      );
    default:
      return isTouched(path);
  }
}

/** The step itself is a placeholder. */
function isWhole(path: Path, touched: readonly Path[]): boolean {
  return touched.some((each) => begins(path, each));
}

/** An input whose declaration has problems of its own. */
function isNotJudged(name: string, raw: object, touched: readonly Path[]): boolean {
  const [scope, input = ''] = name.split('.');
  if (scope !== 'inputs') return false;
  if (touched.some((each) => each.length === 1 && each[0] === 'inputs')) return true;
  const inputs = valueAt(raw, ['inputs']);
  return isObject(inputs) && Object.hasOwn(inputs, input) && touched.some((each) => begins(each, ['inputs', input]));
}

/** Names in expressions anywhere in the file, also in parts that cannot be judged. */
function usesOf(raw: object): string[] {
  const seen = new Set<unknown>();
  const textsIn = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    // YAML has values that hold themselves.
    if (typeof value !== 'object' || value === null || seen.has(value)) return [];
    seen.add(value);
    return Object.values(value).flatMap(textsIn);
  };
  return namesUsed(Object.entries(raw).flatMap(([key, value]) => (key === 'inputs' ? [] : textsIn(value))));
}

/** What a newcomer is likely to have meant, where the field that is wrong does not show it. */
function inWordsOfRunbooks(problem: ShapeProblem, raw: unknown): ShapeProblem {
  const { code, path } = problem;
  if (path[0] === 'steps' && code === 'unknown-key') return inWordsOfSteps(problem, valueAt(raw, path.slice(0, -1)));
  if (path[0] === 'inputs' && path.length === 3 && path[2] === 'type')
    return withOtherType(problem, valueAt(raw, path));
  return problem;
}

function inWordsOfSteps(problem: ShapeProblem, parent: unknown): ShapeProblem {
  const key = String(problem.path.at(-1));
  const action = isObject(parent) && typeof parent['action'] === 'string' ? parent['action'] : null;
  const { meant: _meant, under: _under, ...rest } = problem;
  const kinds = isObject(parent) ? KINDS.filter((kind) => Object.hasOwn(parent, kind)) : [];
  if (KINDS.includes(key) && kinds.length > 1)
    return {
      ...rest,
      found: `a step is one of action, wait and check, not ${kinds.join(' and ')}`,
      remedy: 'Write two steps',
    };
  if (action === null) return problem;
  if (key === 'with') return { ...rest, found: `${action} takes no parameters`, remedy: 'Remove "with"' };
  return problem;
}

const KINDS: readonly string[] = ['action', 'wait', 'check'];

const OTHER_TYPES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int: 'integer',
  number: 'integer',
  str: 'string',
  text: 'string',
  time: 'duration',
};

function withOtherType(problem: ShapeProblem, value: unknown): ShapeProblem {
  const meant = typeof value === 'string' && Object.hasOwn(OTHER_TYPES, value) ? OTHER_TYPES[value] : undefined;
  return meant === undefined
    ? problem
    : { ...problem, remedy: `${problem.remedy.replace(/ Did you mean.*$/, '')} Did you mean ${meant}?`, meant };
}
