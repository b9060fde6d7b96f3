/** Every command of `runbook` as a commander program. `main` runs it, and tests compare the docs with it. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { EXIT_CODES } from '../domain/report/report.js';
import { printableLines } from '../domain/text/text.js';
import { addAlarmCommands } from './alarm-commands.js';
import { addCodecCommands } from './codec-commands.js';
import { addDoctorCommand } from './doctor-command.js';
import { addGatewayCommands } from './gateway-commands.js';
import { addListCommands } from './list-commands.js';
import { addNewCommands } from './new-commands.js';
import { addNotifyCommands } from './notify-commands.js';
import { OTHER_EXIT_CODES, type SetExitCode } from './output.js';
import { addReplayCommand } from './replay-command.js';
import { addResumeCommand } from './resume-command.js';
import { addRunCommands } from './run-commands.js';
import { addRunbookCommands } from './runbook-commands.js';
import { addScheduleCommands } from './schedule-commands.js';
import { addStackCommands } from './stack-commands.js';
import { addSteeringCommands } from './steering-commands.js';
import { addTargetCommands } from './target-commands.js';
import { suggestHarmless } from './suggestions.js';

const EXIT_CODE_HELP = [
  'Exit codes:',
  ...Object.entries({ ...EXIT_CODES, ...OTHER_EXIT_CODES })
    .sort(([, left], [, right]) => left - right)
    .map(([meaning, code]) => `  ${String(code).padStart(3)}  ${meaning}`),
].join('\n');

/**
 * Creates the program with all commands.
 * @param setExitCode receives the exit code of a command that did not throw
 */
export function createProgram(setExitCode: SetExitCode): Command {
  const program = new Command('runbook')
    .description('Run operational runbooks against Huawei Cloud ServiceStage component instances')
    .showHelpAfterError('(--help shows the options)')
    .version(versionOfPackage(), '-V, --version', 'show the version')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(printableLines(text)) })
    .addHelpText('after', `\n${EXIT_CODE_HELP}`);
  addRunbookCommands(program, setExitCode);
  addNewCommands(program);
  addRunCommands(program, setExitCode);
  addSteeringCommands(program);
  addResumeCommand(program, setExitCode);
  addListCommands(program);
  addTargetCommands(program);
  addScheduleCommands(program, setExitCode);
  addGatewayCommands(program);
  addCodecCommands(program);
  addAlarmCommands(program);
  addNotifyCommands(program, setExitCode);
  addDoctorCommand(program, setExitCode);
  addStackCommands(program, setExitCode);
  addReplayCommand(program, setExitCode);
  suggestHarmless(program);
  return program;
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
