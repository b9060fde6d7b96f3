/** Problems of keys: unknown ones, with what the author probably meant, and keys that are not valid names. */
import { MOST_PROBLEMS } from '../domain/failures.js';
import { suggest } from '../domain/text/suggest.js';
import { isObject, keysAt, valueAt } from './schema-keys.js';
import { listed, type ShapeProblem } from './value-problems.js';
import type { Path } from './yaml-document.js';
import type { z } from 'zod';

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

/** Keys that the shape does not know. @param parent the place of the object that has them */
export function unknownKeys(
  parent: Path,
  keys: readonly string[],
  { raw, shape }: { readonly raw: unknown; readonly shape: z.ZodType },
): ShapeProblem[] {
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

/** An object whose keys do not show which kind it is. */
export function noKind(path: Path, value: Record<string, unknown>, kinds: readonly string[]): ShapeProblem {
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
