// Starts the built `runbook` command as a separate process, which is ready once it prints a given line and does not outlive the bench.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export async function startProcess(words, env, isReady) {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const line = await new Promise((resolve) =>
    createInterface({ input: child.stdout }).on('line', (text) => isReady(text) && resolve(text)),
  );
  return { child, line };
}
