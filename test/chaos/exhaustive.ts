/** The exhaustive part of the chaos suite: every fault at every request, against the table kept in the repository. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { casesOf, scenarios } from './exhaustive-cases.js';
import { lineOf, violationsOf } from './exhaustive-judgement.js';
import { runCases, type CaseResult, type TemporalPlace } from './exhaustive-runner.js';
import { differences, tableOf } from './exhaustive-table.js';

/** Beside this file, in the sources. */
const TABLE = fileURLToPath(new URL('exhaustive-outcomes.txt', import.meta.url));
const SAY_EVERY = 100;

export interface ExhaustiveOptions {
  readonly temporal: TemporalPlace;
  /** Writes the table anew instead of comparing with it. */
  readonly write: boolean;
  readonly say: (line: string) => void;
  /** Default: the table beside this file; to be given where this file runs from somewhere else than the sources. */
  readonly tableFile?: string;
  /** Only cases whose id begins with this, for a closer look; compared with nothing. */
  readonly only?: string;
}

export interface ExhaustiveEnd {
  readonly cases: number;
  readonly results: readonly CaseResult[];
  /** Lines that differ from the table; empty after writing. */
  readonly different: readonly string[];
  /** Promises that did not hold, whatever the table says. */
  readonly violations: readonly string[];
}

export async function runExhaustive(options: ExhaustiveOptions): Promise<ExhaustiveEnd> {
  const { temporal, write, say, tableFile = TABLE, only = '' } = options;
  const cases = scenarios()
    .flatMap(casesOf)
    .filter(({ id }) => id.startsWith(only));
  const beganAtMs = Date.now();
  const seconds = () => Math.round((Date.now() - beganAtMs) / 1_000);
  let ended = 0;
  const results = await runCases(cases, temporal, () => {
    if (++ended % SAY_EVERY === 0) say(`${ended} of ${cases.length} cases, ${seconds()} s`);
  });
  say(`${results.length} cases in ${seconds()} s`);
  const violations = results.flatMap(violationsOf);
  if (only !== '') {
    for (const result of results) say(`${result.case.id} -> ${lineOf(result)}`);
    return { cases: results.length, results, different: [], violations };
  }
  const table = tableOf(results.map((result) => ({ case: result.case, line: lineOf(result) })));
  if (write) await writeFile(tableFile, table);
  const kept = await readFile(tableFile, 'utf8').catch(() => '');
  return { cases: results.length, results, different: differences(kept, table), violations };
}
