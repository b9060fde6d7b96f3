/**
 * `npm run exhaustive`: checks every fault at every request against the table, then every pair of faults, then the commands of an operator at
 * every moment, about every blocked step and during every retry. `-- --write` writes the table, `-- --case ID` prints one case.
 */
import { parseArgs } from 'node:util';
import {
  playApprovals,
  playChecks,
  playCommands,
  playDecisions,
  playPairs,
  playResumes,
  playRetries,
  playSingles,
  transcriptOf,
  type ExhaustiveEnd,
} from './exhaustive.js';

process.exitCode = await main();

/** @returns the exit code */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false }, case: { type: 'string' } } });
  if (values.case !== undefined) return printCase(values.case);
  const beganAtMs = performance.now();
  const singles = await playSingles(values.write);
  console.log(described('single faults', singles));
  const pairs = await playPairs();
  for (const [id, end] of pairs) console.log(described(`pairs of faults in ${id}`, end));
  const commands = await playCommands();
  console.log(described('commands to a run', commands));
  const decisions = await playDecisions();
  console.log(described('decisions about a blocked step', decisions));
  const retries = await playRetries();
  console.log(described('commands and faults during a retry', retries));
  const approvals = await playApprovals();
  console.log(described('votes on approvals', approvals));
  const checks = await playChecks();
  console.log(described('checks', checks));
  const resumes = await playResumes();
  console.log(described('resumed runs', resumes));
  const ofPeople = [commands, decisions, retries, approvals, checks, resumes];
  const broken = [singles, ...pairs.values(), ...ofPeople].flatMap((end) => end.broken);
  for (const line of [...singles.different, ...broken]) console.log(line);
  const seconds = ((performance.now() - beganAtMs) / 1_000).toFixed(1);
  console.log(`${singles.different.length} lines differ, ${broken.length} promises broken, ${seconds} s`);
  return singles.different.length + broken.length === 0 ? 0 : 1;
}

function described(what: string, { cases, played }: ExhaustiveEnd): string {
  return `${cases} ${what}; the machine can distinguish ${played}`;
}

async function printCase(id: string): Promise<number> {
  const lines = await transcriptOf(id);
  console.log(lines === null ? `There is no case ${id}` : lines.join('\n'));
  return lines === null ? 1 : 0;
}
