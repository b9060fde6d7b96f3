/** zod's issues in words: what was found, where, and what would be right there. One fault gives one problem. */
import type { z } from 'zod';
import { MOST_PROBLEMS } from '../domain/failures.js';
import { didYouMean, suggest } from '../domain/text/suggest.js';
import type { Path, PathProblem } from './yaml-document.js';
import { isObject, keysAt, kindsAt, valueAt } from './schema-keys.js';

/** A problem of the shape, and what the author meant where that is plain. */
export interface ShapeProblem extends PathProblem {
  /** The key or value that was meant. */
  readonly meant?: string;
  /** The key under which a misplaced key belongs. */
  readonly under?: string;
}

/** What other programs and languages call it. */
const CALLED_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  args: ['with'],
  cancel: ['onCancel'],
  name: ['id'],
  parameters: ['with'],
  params: ['with'],
  schedule: ['cron', 'calendar'],
  timeout: ['deadline'],
  tz: ['timezone'],
  undo: ['compensation'],
};
function calledElsewhere(key: string): readonly string[] {
  return Object.hasOwn(CALLED_ELSEWHERE, key) ? (CALLED_ELSEWHERE[key] ?? []) : [];
}

/** More keys than that are better looked up. */
const MOST_KEYS_LISTED = 12;

/** @param shape of the whole document, which was checked as `raw` */
export function problemsOfIssues(issues: readonly z.core.$ZodIssue[], raw: unknown, shape: z.ZodType): ShapeProblem[] {
  // A value of the wrong type has no other problems: its length, for example, means nothing.
  const mistyped = new Set(issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => keyOf(path as Path)));
  const problems = issues
    .filter(({ code, path }) => code === 'invalid_type' || !mistyped.has(keyOf(path as Path)))
    .flatMap((issue) => problemsOfIssue(issue, { raw, shape, parent: [] }));
  // A key that was mistyped, or is one level too high, is also missed where it belongs.
  const meant = new Set(
    problems.flatMap(({ path, meant, under }) =>
      [meant, under].flatMap((key) => (key === undefined ? [] : [keyOf([...path.slice(0, -1), key])])),
    ),
  );
  return problems.filter(({ code, path }) => code !== 'missing' || !meant.has(keyOf(path)));
}

interface Document {
  readonly raw: unknown;
  readonly shape: z.ZodType;
  readonly parent: Path;
}

function keyOf(path: Path): string {
  return JSON.stringify(path.map(String));
}

function problemsOfIssue(issue: z.core.$ZodIssue, document: Document): ShapeProblem[] {
  const { raw, parent } = document;
  const path = [...parent, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  const value = valueAt(raw, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownKeys(path, issue.keys, document);
    case 'invalid_union':
      return problemsOfUnion(issue, document, path, value);
    case 'invalid_value':
      return [
        value === undefined
          ? missing(path, `one of ${issue.values.join(', ')}`, raw)
          : oneOf(path, value, issue.values),
      ];
    case 'invalid_type':
      return [
        value === undefined
          ? missing(path, wordFor(issue.expected), raw)
          : wrong(
              path,
              value,
              (value === null ? emptyRemedy(path, raw) : null) ??
                typeRemedy(issue, value, () => keysAt(document.shape, path, raw)),
            ),
      ];
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

function unknownKeys(parent: Path, keys: readonly string[], { raw, shape }: Document): ShapeProblem[] {
  const known = keysAt(shape, parent, raw);
  const there = valueAt(raw, parent);
  const free = known.filter((name) => !isObject(there) || !Object.hasOwn(there, name));
  const below = known.map((name) => ({ name, keys: keysAt(shape, [...parent, name], raw) }));
  return keys.map((key, index) => ({
    code: 'unknown-key',
    path: [...parent, key],
    found: `unknown key "${key.slice(0, 80)}"`,
    onKey: true,
    // No one reads that many, and finding what was meant takes its time.
    ...(index < MOST_PROBLEMS ? whatWasMeant(key, known, free, below) : { remedy: 'Remove it' }),
  }));
}

function whatWasMeant(
  key: string,
  known: readonly string[],
  free: readonly string[],
  below: readonly { readonly name: string; readonly keys: readonly string[] }[],
): Pick<ShapeProblem, 'remedy' | 'meant' | 'under'> {
  const [near, ...others] = [...suggest(key, free), ...calledElsewhere(key).filter((name) => free.includes(name))];
  if (near !== undefined)
    return { remedy: `Did you mean ${[near, ...others].join(' or ')}? Otherwise remove it`, meant: near };
  const [present] = suggest(key, known);
  if (present !== undefined) return { remedy: `Remove it; ${present} is there already` };
  const under = below.find(({ keys }) => keys.includes(key))?.name;
  if (under !== undefined) return { remedy: `Write it under ${under}:`, under };
  return { remedy: known.length === 0 ? 'Remove it' : `Remove it; possible keys: ${listed(known)}` };
}

/** Reports problems only of the alternative of a union that the author meant. */
function problemsOfUnion(
  issue: Extract<z.core.$ZodIssue, { code: 'invalid_union' }>,
  document: Document,
  path: Path,
  value: unknown,
): ShapeProblem[] {
  // A key that names the kind, and no kind has that name.
  const kinds = 'options' in issue ? (issue.options as readonly unknown[]) : [];
  if (kinds.length > 0)
    return [
      value === undefined ? missing(path, `one of ${kinds.join(', ')}`, document.raw) : oneOf(path, value, kinds),
    ];
  if (value === undefined) return [missing(path, 'a value', document.raw)];
  const alternatives = flat(issue.errors);
  if (isObject(value)) {
    const closest = closestAlternative(alternatives, value);
    if (closest !== undefined) return closest.flatMap((inner) => problemsOfIssue(inner, { ...document, parent: path }));
    const keys = kindsAt(document.shape, path, document.raw);
    if (keys.length > 0) return [noKind(path, value, keys)];
  }
  if (hasOwnWords(issue)) return [wrong(path, value, issue.message)];
  const keys = () => kindsAt(document.shape, path, document.raw);
  const messages = alternatives
    .flat()
    .filter(({ path: inner }) => inner.length === 0)
    .map((inner) => (inner.code === 'invalid_type' ? typeRemedy(inner, value, keys) : inner.message));
  return [wrong(path, value, inOneSentence([...new Set(messages)]))];
}

type Issues = readonly z.core.$ZodIssue[];

/** Unions of unions as one. */
function flat(alternatives: readonly Issues[]): Issues[] {
  return alternatives.flatMap((issues) => {
    const [only] = issues;
    const isUnion = only?.code === 'invalid_union' && only.path.length === 0 && only.errors.length > 0;
    return isUnion ? flat(only.errors) : [issues];
  });
}

/** The alternative with the fewest issues of those that know a key of the value, and say their kind by it. */
function closestAlternative(alternatives: readonly Issues[], value: Record<string, unknown>): Issues | undefined {
  const unknownIn = (issues: Issues) =>
    issues.flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [])).length;
  const isOther = (issue: z.core.$ZodIssue) =>
    (issue.path.length === 0 && issue.code !== 'unrecognized_keys') ||
    (issue.code === 'invalid_union' && 'options' in issue && !Object.hasOwn(value, String(issue.path[0])));
  const fitting = alternatives.filter(
    (issues) => !issues.some(isOther) && unknownIn(issues) < Object.keys(value).length,
  );
  const size = (issues: Issues) => issues.length + unknownIn(issues);
  return fitting.sort((left, right) => size(left) - size(right))[0];
}

function noKind(path: Path, value: Record<string, unknown>, kinds: readonly string[]): ShapeProblem {
  const remedy = `Use one of the keys ${kinds.join(', ')}`;
  const [key, meant] = Object.keys(value)
    .map((each) => [each, suggest(each, kinds)[0]] as const)
    .find(([, near]) => near !== undefined) ?? [undefined, undefined];
  if (key === undefined || meant === undefined) {
    const keys = Object.keys(value).join(', ').slice(0, 80);
    return {
      code: 'invalid-value',
      path,
      found: keys === '' ? 'there is nothing here' : `"${keys}" shows no kind`,
      remedy,
    };
  }
  const found = `unknown key "${key.slice(0, 80)}"`;
  return {
    code: 'unknown-key',
    path: [...path, key],
    found,
    remedy: `${remedy}. Did you mean ${meant}?`,
    onKey: true,
    meant,
  };
}

/** `Write a whole number, or ${{ inputs.name }}`. */
function inOneSentence([first = 'Write another value', ...others]: readonly string[]): string {
  return [first, ...others.map((each) => each.replace(/^Write /, ''))].join(', or ');
}

function oneOf(path: Path, value: unknown, values: readonly unknown[]): ShapeProblem {
  const names = values.map(String);
  const [meant] = suggest(textOf(value), names);
  const remedy = `Use one of: ${names.join(', ')}.${didYouMean(textOf(value), names)}`;
  return { ...wrong(path, value, remedy), ...(meant === undefined ? {} : { meant }) };
}

/** A key that is not a name. */
export function wrongName(path: Path): ShapeProblem {
  return {
    code: 'invalid-name',
    path,
    found: `"${String(path.at(-1)).slice(0, 80)}" is not a valid name`,
    remedy: 'Use letters, digits and underscores, beginning with a letter',
    onKey: true,
  };
}

/** Whether the message comes from the field, and not from zod. */
function hasOwnWords({ message }: Pick<z.core.$ZodIssue, 'message'>): boolean {
  return !message.startsWith('Invalid input');
}

/** The field's own message, else the kind of value that belongs there. */
function typeRemedy(
  { message, expected }: Extract<z.core.$ZodIssue, { code: 'invalid_type' }>,
  value: unknown,
  keys: () => readonly string[],
): string {
  if (hasOwnWords({ message })) return message;
  const isScalar = typeof value !== 'object';
  // The value is never repeated here: a value in the wrong place may be a secret.
  if (expected === 'string' && isScalar) return 'Write text, in quotes';
  if (expected === 'array' && isScalar)
    return 'Write a list: [in, brackets], or each item on a line of its own after "- "';
  const known = expected === 'object' ? keys() : [];
  return `Write ${wordFor(expected)}${known.length === 0 ? '' : `: ${listed(known)}`}`;
}

function listed(keys: readonly string[]): string {
  const more = keys.length - MOST_KEYS_LISTED;
  return `${keys.slice(0, MOST_KEYS_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Values of keys that are required, as an author writes them. Kept here, since two or three kinds of files share most of these keys. */
const EXAMPLES: Readonly<Record<string, string>> = {
  name: 'restart-twice',
  none: '"nothing depends on it"',
  irreversible: '"the queue is emptied"',
  owner: 'team-shop',
  replica: '2',
  runbook: 'restart',
  steps: '[{ action: restart }]',
  target: 'shop/checkout/prod-1',
  targets: '[shop/checkout/prod-1]',
  timezone: 'Europe/Berlin',
  title: 'Restart an instance',
  version: 'previous',
  wait: '5m',
  window: '2h',
};
const PARAMETERS: Readonly<Record<string, string>> = { rollback: '{ version: previous }', scale: '{ replica: 2 }' };

/** `window: 2h`, or `null` if no one example fits. Guards have a window of another kind. */
function exampleAt(path: Path, raw: unknown): string | null {
  const key = String(path.at(-1));
  if (path[0] === 'guards' || (path[0] === 'inputs' && path.length > 1)) return null;
  const action = valueAt(raw, [...path.slice(0, -1), 'action']);
  const examples = key === 'with' ? PARAMETERS : EXAMPLES;
  const name = key === 'with' ? String(action) : key;
  return Object.hasOwn(examples, name) ? `${key}: ${examples[name] ?? ''}` : null;
}

/** For a key with nothing behind it. */
function emptyRemedy(path: Path, raw: unknown): string | null {
  const example = exampleAt(path, raw);
  return example === null ? null : `Write it out, as in ${example}`;
}

function missing(path: Path, word: string, raw: unknown): ShapeProblem {
  if (path.length === 0) return { code: 'missing', path, found: 'the file is empty', remedy: `Write ${word}` };
  const key = String(path.at(-1));
  const example = exampleAt(path, raw);
  return {
    code: 'missing',
    path,
    found: `"${key}" is missing`,
    remedy: example === null ? `Add ${key}: ${word}` : `Add ${example}`,
  };
}

/** A value that does not fit. */
function wrong(path: Path, value: unknown, remedy: string): ShapeProblem {
  const found = value === null ? 'there is nothing here' : `${shown(value)} does not fit`;
  return { code: 'invalid-value', path, found, remedy };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 80)}"` : textOf(value).slice(0, 80);
}

/** For people. YAML brings values that JSON cannot write (a list that holds itself) and objects that have no text. */
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
