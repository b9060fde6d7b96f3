/** Counts of known faults that may only shrink: a text file with one line `path fault count` for each, sorted. */
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * A merge may leave two lines for one file and fault: the larger count is used, and the next write leaves one line.
 *
 * @returns {Map<string, number>} by `path<tab>fault`
 */
export function readCounts(file) {
  const counts = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const [path, fault, count] = line.split('\t');
    const key = `${path}\t${fault}`;
    counts.set(key, Math.max(counts.get(key) ?? 0, Number(count)));
  }
  return counts;
}

export function writeCounts(file, counts) {
  const lines = [...counts].map(([key, count]) => `${key}\t${count}\n`);
  writeFileSync(file, lines.sort().join(''));
}

/** @returns the sum for each `fault` over all paths */
function totals(counts) {
  const sums = new Map();
  for (const [key, count] of counts) {
    const fault = key.split('\t')[1];
    sums.set(fault, (sums.get(fault) ?? 0) + count);
  }
  return sums;
}

/**
 * What keeps the written counts from being replaced by the real ones. A file that is new to the list may bring faults
 * with it, because it may have been moved, as long as the total of each fault does not grow.
 */
export function growth(written, real) {
  const paths = new Set([...written.keys()].map((key) => key.split('\t')[0]));
  const grown = [...real].filter(([key, count]) => count > (written.get(key) ?? 0) && paths.has(key.split('\t')[0]));
  const before = totals(written);
  const more = [...totals(real)].filter(([fault, count]) => count > (before.get(fault) ?? 0));
  return [
    ...grown.map(([key, count]) => `${key.replace('\t', ': ')}: ${count}, at most ${written.get(key) ?? 0} allowed`),
    ...more.map(([fault, count]) => `${fault}: ${count} in all, at most ${before.get(fault) ?? 0} allowed`),
  ];
}

/** @returns `path<tab>fault` of each count that is not as written */
export function differences(written, real) {
  const keys = new Set([...written.keys(), ...real.keys()]);
  return [...keys].filter((key) => (written.get(key) ?? 0) !== (real.get(key) ?? 0)).sort();
}
