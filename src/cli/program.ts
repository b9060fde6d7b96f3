/** Every command of `runbook`, as commander has it: what `main` carries out, and what the documents are checked against. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { EXIT_CODES } from '../domain/report/report.js';
import { printableLines } from '../domain/text/text.js';
import { addAlarmCommands } from './alarm-commands.js';
import { addGatewayCommands } from './gateway-commands.js';
import { addNewCommands } from './new-commands.js';
import { OTHER_EXIT_CODES } from './output.js';
import { addRunCommands } from './run-commands.js';
import { addRunbookCommands } from './runbook-commands.js';
import { addScheduleCommands } from './schedule-commands.js';
import { addStackCommands } from './stack-commands.js';
import { suggestHarmless } from './suggestions.js';

const EXIT_CODE_HELP = [
  'Exit codes:',
  ...Object.entries({ ...EXIT_CODES, ...OTHER_EXIT_CODES })
    .sort(([, left], [, right]) => left - right)
    .map(([meaning, code]) => `  ${String(code).padStart(3)}  ${meaning}`),
].join('\n');

/** @param done takes the exit code of a command that ends well, or with an outcome of its own */
export function createProgram(done: (exitCode: number) => void): Command {
  const program = new Command('runbook')
    .description('Run operational runbooks against Huawei Cloud ServiceStage component instances')
    .showHelpAfterError('(--help shows what can be given)')
    .version(versionOfPackage(), '-V, --version', 'show the version')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(printableLines(text)) })
    .addHelpText('after', `\n${EXIT_CODE_HELP}`);
  addRunbookCommands(program, done);
  addNewCommands(program);
  addRunCommands(program, done);
  addScheduleCommands(program, done);
  addGatewayCommands(program);
  addAlarmCommands(program);
  addStackCommands(program, done);
  suggestHarmless(program);
  return program;
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
