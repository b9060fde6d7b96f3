#!/usr/bin/env node
/** The `runbook` command. Temporal is loaded late, inside the commands that need it, so that `--help` is quick. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT_CODES } from '../domain/report.js';
import { printableLines } from '../domain/text.js';
import { addAlarmCommands } from './alarm-commands.js';
import { addGatewayCommands } from './gateway-commands.js';
import { fail, HAND_CHANGE_EXIT_CODE, UNREACHABLE_EXIT_CODE, USAGE_EXIT_CODE } from './output.js';
import { addRunCommands } from './run-commands.js';
import { addRunbookCommands } from './runbook-commands.js';
import { addScheduleCommands } from './schedule-commands.js';
import { addStackCommands } from './stack-commands.js';
import { suggestHarmless } from './suggestions.js';

const EXIT_CODE_HELP = [
  'Exit codes:',
  ...Object.entries({
    ...EXIT_CODES,
    'usage or configuration': USAGE_EXIT_CODE,
    'Temporal cannot be reached': UNREACHABLE_EXIT_CODE,
    'a schedule was changed by hand; nothing was applied': HAND_CHANGE_EXIT_CODE,
  })
    .sort(([, left], [, right]) => left - right)
    .map(([meaning, code]) => `  ${String(code).padStart(2)}  ${meaning}`),
].join('\n');

/** Runs one command line. @returns the exit code */
export async function main(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = new Command('runbook')
    .description('Run operational runbooks against Huawei Cloud ServiceStage component instances')
    .showHelpAfterError('(--help shows what can be given)')
    .version(versionOfPackage(), '-V, --version', 'show the version')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(printableLines(text)) })
    .addHelpText('after', `\n${EXIT_CODE_HELP}`);
  const done = (code: number) => {
    exitCode = code;
  };
  addRunbookCommands(program, done);
  addRunCommands(program, done);
  addScheduleCommands(program, done);
  addGatewayCommands(program);
  addAlarmCommands(program);
  addStackCommands(program, done);
  suggestHarmless(program);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    // commander has printed its own usage errors; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
    return fail(error, words.includes('--json'));
  }
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

// A reader that has seen enough (`runbook list | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2));
