// Holds the figures of a bench against those kept in baseline.json. `--write` as the last word keeps the new ones.
import { readFile, writeFile } from 'node:fs/promises';

const FILE = new URL('baseline.json', import.meta.url);
const isWriting = process.argv.at(-1) === '--write';

/** The words of the command line without `--write`. */
export const words = process.argv.slice(2, isWriting ? -1 : undefined);

/**
 * Prints each figure beside its baseline and its limit.
 *
 * Every figure is better when it is lower. Figures that depend on the speed of the machine are ratios to something measured in the same run.
 * A figure without a limit in baseline.json is shown only.
 *
 * @param {string} bench the name under which baseline.json keeps the figures
 * @param {Record<string, number>} figures names end with their unit: `allEndedSeconds`, `workerCpuRatio`, `sentTwice`
 * @returns {Promise<boolean>} whether no figure is over its limit
 */
export async function compareWithBaseline(bench, figures) {
  const kept = JSON.parse(await readFile(FILE, 'utf8'));
  const before = kept[bench] ?? {};
  let isWithinLimits = true;
  for (const [name, value] of Object.entries(figures)) {
    const { baseline = null, limit = null } = before[name] ?? {};
    const isOver = limit !== null && value > limit;
    if (isOver) isWithinLimits = false;
    console.log(
      `  ${name.padEnd(28)} ${shown(value).padStart(9)}   baseline ${shown(baseline).padStart(9)}   limit ${shown(limit).padStart(9)}${isOver ? '   OVER' : ''}`,
    );
  }
  if (isWriting) {
    const entries = Object.entries(figures).map(([name, value]) => [
      name,
      { baseline: Number(shown(value)), limit: before[name]?.limit ?? null },
    ]);
    const next = { ...kept, [bench]: { ...before, ...Object.fromEntries(entries) } };
    await writeFile(FILE, `${JSON.stringify(next, null, 2)}\n`);
  }
  return isWithinLimits;
}

function shown(value) {
  if (value === null) return '–';
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
