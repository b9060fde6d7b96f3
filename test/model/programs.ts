/** Runs a program of the model in a process of its own, as its npm script does. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param program its file in this folder */
export function runProgram(
  program: string,
  options: readonly string[] = [],
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', file, ...options], (error, stdout, stderr) =>
      resolve({
        exitCode: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
        output: stdout + stderr,
      }),
    );
  });
}
