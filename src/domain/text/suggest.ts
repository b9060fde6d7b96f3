/**
 * "Did you mean …?" for mistyped names. The distance is written by hand: domain code imports no package but zod, and
 * `fastest-levenshtein` would save only ten lines.
 */

/** Known names within two edits (three for long names), closest first, at most three. */
export function suggest(name: string, known: readonly string[]): string[] {
  // A longer name is not a typing error, and computing distances takes time.
  if (name.length > 100) return [];
  const most = name.length > 8 ? 3 : 2;
  return known
    .map((candidate) => ({ candidate, changes: changesBetween(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, changes }) => changes <= most || (name.length > 2 && candidate.startsWith(name)))
    .sort((left, right) => left.changes - right.changes)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Levenshtein distance. */
function changesBetween(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_item, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** ` Did you mean a or b?`, or an empty text. */
export function didYouMean(name: string, known: readonly string[]): string {
  const found = suggest(name, known);
  return found.length === 0 ? '' : ` Did you mean ${found.join(' or ')}?`;
}
