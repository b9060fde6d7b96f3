/** Runs one command line in this process. `main.ts` is the process around it; tests call it directly. */
import { CommanderError } from 'commander';
import { fail, USAGE_EXIT_CODE } from './output.js';
import { createProgram } from './program.js';

/**
 * Parses and runs `words`, reads `process.env` and writes to the standard streams. Errors of commands are reported,
 * not thrown.
 * @returns the exit code
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    // commander has already printed its usage errors; help and version are not errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
    return fail(error, words.includes('--json'));
  }
}
