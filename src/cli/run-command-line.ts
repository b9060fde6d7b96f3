/** One command line from its words to its exit code. `main.ts` is the process around it; tests call it in a process of theirs. */
import { CommanderError } from 'commander';
import { fail, USAGE_EXIT_CODE } from './output.js';
import { createProgram } from './program.js';

/** Runs one command line: reads `process.env`, writes to the standard streams. @returns the exit code; never throws what a command throws */
export async function runCommandLine(words: readonly string[]): Promise<number> {
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
