/** Paths into JSON, such as `data.items[0].state`: names and numbers only, no wildcards and no expressions. Pure. */

/** A name, or the index of a list. */
export type PathPart = string | number;

const PATH = /^(?:[\w-]{1,100}|\[\d{1,6}\])(?:\.[\w-]{1,100}|\[\d{1,6}\])*$/;
const PART = /([\w-]+)|\[(\d+)\]/g;
const LONGEST_PATH = 500;

/** @returns `null` for a text that is not a path */
export function parseJsonPath(text: string): PathPart[] | null {
  if (text.length > LONGEST_PATH || !PATH.test(text)) return null;
  return [...text.matchAll(PART)].map(([, name, index]) => name ?? Number(index));
}

/** @returns `undefined` if there is nothing at the path */
export function valueAtPath(json: unknown, path: readonly PathPart[]): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined;
    // A list has no names: its length is not part of the document.
    if (Array.isArray(value)) return typeof part === 'number' ? value[part] : undefined;
    return Object.hasOwn(value, part) ? Reflect.get(value, part) : undefined;
  }, json);
}
