/** Problems of values: what was found, and what would be right there, with an example. */
import { didYouMean, suggest } from '../domain/text/suggest.js';
import { valueAt } from './schema-keys.js';
import type { Path, PathProblem } from './yaml-document.js';
import type { z } from 'zod';

/** A problem of the shape, and what the author meant where that is plain. */
export interface ShapeProblem extends PathProblem {
  /** The key or value that was meant. */
  readonly meant?: string;
  /** The key under which a misplaced key belongs. */
  readonly under?: string;
}

/** More keys than that are better looked up. */
const MOST_KEYS_LISTED = 12;

/** A value that is none of those allowed. */
export function oneOf(path: Path, value: unknown, values: readonly unknown[]): ShapeProblem {
  const names = values.map(String);
  const [meant] = suggest(textOf(value), names);
  const remedy = `Use one of: ${names.join(', ')}.${didYouMean(textOf(value), names)}`;
  return { ...wrong(path, value, remedy), ...(meant === undefined ? {} : { meant }) };
}

/** Whether the message comes from the field, and not from zod. */
export function hasOwnWords({ message }: Pick<z.core.$ZodIssue, 'message'>): boolean {
  return !message.startsWith('Invalid input');
}

/** The field's own message, else the kind of value that belongs there. */
export function typeRemedy(
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

/** Values of keys that are required, as an author writes them. Kept here, since two or three kinds of files share most of these keys. */
const EXAMPLES: Readonly<Record<string, string>> = {
  http: '"https://shop.example.com/health"',
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
export function emptyRemedy(path: Path, raw: unknown): string | null {
  const example = exampleAt(path, raw);
  return example === null ? null : `Write it out, as in ${example}`;
}

/** A key that is required. @param word what belongs there, where no example is known */
export function missing(path: Path, word: string, raw: unknown): ShapeProblem {
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
export function wrong(path: Path, value: unknown, remedy: string): ShapeProblem {
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

/** What people call a type. */
export function wordFor(expected: string): string {
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

/** Some of the keys, for a message. */
export function listed(keys: readonly string[]): string {
  const more = keys.length - MOST_KEYS_LISTED;
  return `${keys.slice(0, MOST_KEYS_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
