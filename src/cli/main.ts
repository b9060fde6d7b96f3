#!/usr/bin/env node
/** The `runbook` command. Commands load Temporal only when they need it, so that `--help` is quick. */
import { endUnlessAnswered } from '../files/last-resort.js';
import { hint } from './output.js';
import { runCommandLine } from './run-command-line.js';

// A pipe that was closed early (`runbook list | head -1`) is not a failure, and neither is a closed terminal (EIO):
// its SIGHUP ends the wait.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  if (error.code !== 'EIO') throw error;
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2));
endUnlessAnswered(({ folders }) => hint(`runbook: ${folders.join(', ')} does not answer; this process ends by force`));
