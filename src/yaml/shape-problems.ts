/** zod's issues in words: what was found, where, and what would be right there. One fault gives one problem. */
import type { z } from 'zod';
import { noKind, unknownKeys, wrongName } from './key-problems.js';
import { isObject, keysAt, kindsAt, valueAt } from './schema-keys.js';
import {
  emptyRemedy,
  hasOwnWords,
  missing,
  oneOf,
  typeRemedy,
  wordFor,
  wrong,
  type ShapeProblem,
} from './value-problems.js';
import type { Path } from './yaml-document.js';

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

/** `Write a whole number, or ${{ inputs.name }}`. */
function inOneSentence([first = 'Write another value', ...others]: readonly string[]): string {
  return [first, ...others.map((each) => each.replace(/^Write /, ''))].join(', or ');
}
