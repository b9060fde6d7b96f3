/** What is wrong with a runbook file, in words: keys of later versions, and zod's issues turned into found and remedy. */
import type { z } from 'zod';
import { ACTION_NAMES } from './domain/actions.js';
import { didYouMean } from './domain/nearest.js';
import type { RunbookLookup } from './catalogue.js';
import type { Path, PathProblem as FoundProblem } from './yaml-document.js';

type Json = Record<string, unknown>;

/** Keys of the runbook language that later versions bring: refused by name, never silently accepted. */
const LATER_KEYS = ['rollout', 'notify'];
const LATER_GUARDS = ['approval', 'onBusy'];
const LATER_STEPS = ['check', 'approval', 'notify', 'parallel'];
const LATER_INPUT_TYPES = ['countOrPercent'];

/** Takes out what is not supported yet, with a problem for each, so that the rest can be checked as well. */
export function takeOutUnsupported(raw: object): { supported: Json; problems: FoundProblem[] } {
  const problems: FoundProblem[] = [];
  const later = (path: Path, what: string) => {
    problems.push({
      code: 'not-supported-yet',
      path,
      found: `${what} is not supported yet`,
      remedy: 'Take it out',
      onKey: true,
    });
  };
  const supported: Json = { ...raw };
  for (const key of LATER_KEYS.filter((name) => name in supported)) {
    later([key], `"${key}"`);
    delete supported[key];
  }
  if (isObject(supported['guards'])) {
    const guards: Json = { ...supported['guards'] };
    for (const key of LATER_GUARDS.filter((name) => name in guards)) {
      later(['guards', key], `"${key}"`);
      delete guards[key];
    }
    supported['guards'] = guards;
  }
  if (supported['risk'] === 'high') {
    later(['risk'], 'risk: high, which needs an approval,');
    delete supported['risk'];
  }
  if (isObject(supported['targets']) && supported['targets']['order'] === 'least-healthy-first') {
    later(['targets', 'order'], 'order: least-healthy-first');
    supported['targets'] = { ...supported['targets'], order: 'name' };
  }
  // zod passes over it without a word, as it would over the prototype.
  if (isObject(supported['inputs']) && Object.hasOwn(supported['inputs'], '__proto__'))
    problems.push(wrongName(['inputs', '__proto__']));
  if (isObject(supported['inputs'])) supported['inputs'] = withoutLaterInputs(supported['inputs'], later);
  if (Array.isArray(supported['steps']))
    supported['steps'] = supported['steps'].map((step: unknown, index) => withoutLaterParts(step, index, later));
  return { supported, problems };
}

function withoutLaterInputs(inputs: Json, later: (path: Path, what: string) => void): Json {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => {
      if (!isObject(input) || !LATER_INPUT_TYPES.includes(textOf(input['type']))) return [name, input];
      later(['inputs', name, 'type'], `the input type ${textOf(input['type'])}`);
      return [name, { type: 'string' }];
    }),
  );
}

/** A step of a later kind is replaced by a short wait, so that the other steps keep their numbers. */
function withoutLaterParts(step: unknown, index: number, later: (path: Path, what: string) => void): unknown {
  if (!isObject(step)) return step;
  const kind = LATER_STEPS.find((name) => name in step);
  if (kind !== undefined) {
    later(['steps', index, kind], `a step of kind "${kind}"`);
    return { wait: '1s' };
  }
  if (step['onFailure'] !== 'pause') return step;
  later(['steps', index, 'onFailure'], 'onFailure: pause');
  const { onFailure: _later, ...rest } = step;
  return rest;
}

/** A file names a runbook, at its key `runbook`, that cannot be used. */
export function problemsOfLookup(name: string, lookup: Exclude<RunbookLookup, { kind: 'found' }>): FoundProblem[] {
  if (lookup.kind === 'broken') {
    const [first] = lookup.problems;
    const found = `the runbook ${name} has problems${first === undefined ? '' : `: ${first.place}: ${first.found}`}`;
    return [{ code: 'broken-runbook', path: ['runbook'], found, remedy: 'Mend it; `runbook validate` shows all' }];
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

/** Names of calendars, listed at `path`, that nobody knows; none where `known` is `null`. */
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

export function problemsOfIssues(issues: readonly z.core.$ZodIssue[], raw: unknown): FoundProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, raw, []));
}

function problemsOfIssue(issue: z.core.$ZodIssue, raw: unknown, parent: Path): FoundProblem[] {
  const path = [...parent, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  const value = valueAt(raw, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        code: 'unknown-key',
        path: [...path, key],
        found: `unknown key "${key.slice(0, 80)}"`,
        remedy: `Take it out.${didYouMean(key, KNOWN_KEYS)}`,
        onKey: true,
      }));
    case 'invalid_union':
      return problemsOfUnion(issue, raw, path, value);
    case 'invalid_value':
      return [
        wrong(
          path,
          value,
          `Use one of: ${issue.values.map(String).join(', ')}.${didYouMean(textOf(value), issue.values.map(String))}`,
        ),
      ];
    case 'invalid_type':
      return [value === undefined ? missing(path, issue.expected) : wrong(path, value, typeRemedy(issue))];
    case 'invalid_key':
      return [wrongName(path)];
    case 'too_small':
    case 'too_big':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'custom':
      return [wrong(path, value, issue.message)];
  }
}

/** Only the alternative that the author meant is told about, by the key that names it. */
function problemsOfUnion(
  issue: Extract<z.core.$ZodIssue, { code: 'invalid_union' }>,
  raw: unknown,
  path: Path,
  value: unknown,
): FoundProblem[] {
  const last = path.at(-1);
  if (last === 'action')
    return [wrong(path, value, `Use one of: ${ACTION_NAMES.join(', ')}.${didYouMean(textOf(value), ACTION_NAMES)}`)];
  if (last === 'type') return [wrong(path, value, 'Use one of: string, integer, boolean, duration')];
  if (isObject(value) && (typeof last === 'number' || last === 'compensation')) {
    const keys = last === 'compensation' ? ['none', 'irreversible', 'action'] : ['action', 'wait'];
    const meant = keys.findIndex((key) => key in value);
    if (meant < 0)
      return [
        wrong(
          path,
          Object.keys(value).join(', '),
          `Say what it is with one of the keys ${keys.join(', ')}.${didYouMean(Object.keys(value)[0] ?? '', keys)}`,
        ),
      ];
    return (issue.errors[meant] ?? []).flatMap((inner) => problemsOfIssue(inner, raw, path));
  }
  const messages = issue.errors
    .flat()
    .map((inner) => (inner.code === 'invalid_type' ? typeRemedy(inner) : inner.message));
  return [value === undefined ? missing(path, 'value') : wrong(path, value, [...new Set(messages)].join('; or: '))];
}

function wrongName(path: Path): FoundProblem {
  return {
    code: 'wrong-name',
    path,
    found: `"${String(path.at(-1)).slice(0, 80)}" is not a valid name`,
    remedy: 'Use letters, digits and underscores, beginning with a letter',
    onKey: true,
  };
}

/** What the shape itself says, else the kind of value. */
function typeRemedy({ message, expected }: Extract<z.core.$ZodIssue, { code: 'invalid_type' }>): string {
  return message.startsWith('Invalid input') ? `Write ${wordFor(expected)}` : message;
}

function missing(path: Path, expected: string): FoundProblem {
  return {
    code: 'missing',
    path,
    found: `"${String(path.at(-1))}" is missing`,
    remedy: `Add it: ${wordFor(expected)}`,
  };
}

function wrong(path: Path, value: unknown, remedy: string): FoundProblem {
  const shown = typeof value === 'string' ? `"${value.slice(0, 80)}"` : textOf(value).slice(0, 80);
  return { code: 'wrong-value', path, found: `${shown} does not fit`, remedy };
}

/** For people. YAML brings values that JSON cannot write (a list that holds itself) and objects that are no text. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'a value that holds itself';
  }
}

function wordFor(expected: string): string {
  const words: Record<string, string> = {
    string: 'text',
    int: 'a whole number',
    number: 'a number',
    array: 'a list',
    object: 'keys and values',
    record: 'keys and values',
    boolean: 'true or false',
  };
  return words[expected] ?? `a ${expected}`;
}

function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (Array.isArray(value) ? value[Number(key)] : isObject(value) ? value[String(key)] : undefined),
    raw,
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const KNOWN_KEYS = [
  ...['name', 'title', 'description', 'risk', 'inputs', 'targets', 'restores', 'deadline', 'steps', 'onCancel'],
  ...['guards', 'window', 'cutoff', 'freeze', 'waitAtMost'],
  ...['type', 'default', 'minLength', 'maxLength', 'minimum', 'maximum', 'enum', 'max', 'order'],
  ...[
    'action',
    'with',
    'id',
    'verify',
    'within',
    'stable',
    'onFailure',
    'compensation',
    'none',
    'irreversible',
    'wait',
  ],
  ...['replica', 'hosts', 'version'],
];
