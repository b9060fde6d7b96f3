#!/usr/bin/env node
/** The `runbook` command. Temporal is loaded late, inside the commands that need it, so that `--help` is quick. */
import { CommanderError } from 'commander';
import { endUnlessAnswered } from '../files/last-resort.js';
import { fail, hint, USAGE_EXIT_CODE } from './output.js';
import { createProgram } from './program.js';

/** Runs one command line. @returns the exit code */
export async function main(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    // commander has printed its own usage errors; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
    return fail(error, words.includes('--json'));
  }
}

// A reader that has seen enough (`runbook list | head -1`) is no failure; nor is a terminal that was closed (EIO): its SIGHUP ends the wait.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  if (error.code !== 'EIO') throw error;
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
});

process.exitCode = await main(process.argv.slice(2));
endUnlessAnswered(({ folders }) => hint(`runbook: ${folders.join(', ')} does not answer; this process ends by force`));
