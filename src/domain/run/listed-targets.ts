/**
 * The value of the search attribute `RunbookTarget`. Temporal terminates a run whose attribute is too long, so paths that do not fit are
 * replaced by short keys. Every target can be found by its path or by its key, and a mark shows people that the list is cut.
 */
import { jsonBytes } from '../text/json-bytes.js';
import { SEARCH_ATTRIBUTE_BYTES, SEARCH_ATTRIBUTE_ITEM_CHARACTERS } from '../sizes.js';

/**
 * @returns the paths in their order. Where they do not all fit: as many as fit, then the keys of the others and the mark `+12 more`. With up
 * to 120 targets, whatever their paths, it has at most `SEARCH_ATTRIBUTE_BYTES` bytes as JSON
 */
export function listedTargets(paths: readonly string[]): string[] {
  if (paths.every(canBeListed) && jsonBytes(paths) <= SEARCH_ATTRIBUTE_BYTES) return [...paths];
  const keys = paths.map(targetKey);
  // The mark never gets longer, because its number falls with each path that is listed.
  let bytes = jsonBytes([...keys, markOf(paths.length)]);
  const listed: string[] = [];
  const others: string[] = [];
  for (const [index, path] of paths.entries()) {
    const key = keys[index] ?? '';
    const longer = jsonBytes(path) - jsonBytes(key);
    const fits = canBeListed(path) && bytes + longer <= SEARCH_ATTRIBUTE_BYTES;
    if (fits) bytes += longer;
    (fits ? listed : others).push(fits ? path : key);
  }
  return [...listed, ...others, markOf(others.length)];
}

/** The path and the key of a target. A query for runs on it asks for both, since their attribute holds one of them. */
export function namesOfTarget(path: string): readonly [string, string] {
  return [path, targetKey(path)];
}

/** Does this value of the attribute name the target? */
export function isListed(list: readonly string[], path: string): boolean {
  return list.includes(path) || list.includes(targetKey(path));
}

/** The paths and keys of a value of the attribute, without the mark. */
export function namedTargets(list: readonly string[]): string[] {
  return list.filter((each) => !MARK.test(each));
}

/** Is the path short enough for the attribute? A visibility store may refuse a longer item, and then never shows the run. */
export function canBeListed(path: string): boolean {
  return path.length <= SEARCH_ATTRIBUTE_ITEM_CHARACTERS;
}

const MARK = /^\+\d+ more$/;

function markOf(others: number): string {
  return `+${others} more`;
}

/** `#` and 11 characters. It cannot be mistaken for a path, which has slashes. */
function targetKey(path: string): string {
  return `#${hash53(path).toString(36).padStart(11, '0')}`;
}

/** 53 bits, enough that no two targets of an installation share a key by chance. Not for secrets: workflow code has no cryptography. */
function hash53(text: string): number {
  let high = 0xdead_beef;
  let low = 0x41c6_ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}
