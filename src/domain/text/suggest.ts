/**
 * "Did you mean …?": the known names that are closest to a mistyped one. The distance is written by hand: domain code imports no package but
 * zod, and `fastest-levenshtein` would add one to save ten lines that no user waits for.
 */

/** Known names within two changes (of three for long names), nearest first, at most three. */
export function suggest(name: string, known: readonly string[]): string[] {
  // Nothing that long is a slip of the pen, and the distance takes its time.
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

/** ` Did you mean a or b?`, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const found = suggest(name, known);
  return found.length === 0 ? '' : ` Did you mean ${found.join(' or ')}?`;
}
