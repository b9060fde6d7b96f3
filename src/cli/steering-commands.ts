/** Commands that steer a run in progress: pause, resume, abort, approvals, and decisions about a blocked step. */
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { RunbookClient } from '../client/runbook-client.js';
import type { ApprovalRequest } from '../client/send-command.js';
import {
  COMMAND_WORDS,
  type ApprovalCommandName,
  type RunCommandName,
  type TargetCommandName,
} from '../domain/steering/command-names.js';
import type { CommandAnswer } from '../domain/steering/commands.js';
import { readSmallFile } from '../files/read-file.js';
import { userName, withSessionOptions, type SessionOptions } from './options.js';
import { print, printJson } from './output.js';
import { answerWords } from './render-steering.js';
import { withSession } from './session.js';

interface CommandOptions extends SessionOptions {
  readonly reason: string;
  readonly actor?: string;
  readonly key?: string;
}

interface DecisionOptions extends CommandOptions {
  readonly step?: string;
}

interface ApprovalOptions extends DecisionOptions {
  readonly target?: string;
  readonly planHash?: string;
  readonly tokenFile?: string;
}

const APPROVAL_COMMANDS: Readonly<Record<ApprovalCommandName, string>> = {
  approve: 'approve what a run, or a step of it, waits for',
  reject: 'reject what a run, or a step of it, waits for: it ends, or its step fails',
};

/** `resume` is in resume-command.ts: it also starts a new run where an ended one failed. */
const RUN_COMMANDS: Readonly<Record<Exclude<RunCommandName, 'resume'>, string>> = {
  pause: 'let no further step begin; what is in flight is finished first',
  abort: 'stop a run: it finishes the cloud job in flight, then follows onCancel',
};

const TARGET_COMMANDS: Readonly<Record<TargetCommandName, string>> = {
  retryStep: 'carry a blocked step out once more; reads the instance first, and sends nothing that is done',
  skipStep: 'continue without a blocked step',
  markSucceeded: 'count a blocked step as carried out, as you have seen yourself',
};

/** Adds the commands. Each waits until a worker has answered. */
export function addSteeringCommands(program: Command): void {
  for (const [name, description] of Object.entries(RUN_COMMANDS) as [keyof typeof RUN_COMMANDS, string][])
    withCommandOptions(program.command(name).argument('<id>', 'id of a run'))
      .description(description)
      .action((id: string, options: CommandOptions) =>
        answered(options, id, (runbooks) => runbooks[name](id, requestOf(options))),
      );
  for (const [name, description] of Object.entries(APPROVAL_COMMANDS) as [ApprovalCommandName, string][])
    withCommandOptions(program.command(name).argument('<id>', 'id of a run'))
      .option('--step <id>', 'the step that is meant; default: whatever waits')
      .option('--target <path>', 'application/component/instance of the step; default: whatever waits')
      .option(
        '--plan-hash <hash>',
        'refuse if the run has another plan; its first 16 characters are enough; default: the plan that the run has',
      )
      .option('--token-file <path>', 'file with a JSON Web Token that proves who you are; - reads standard input')
      .description(description)
      .action((id: string, options: ApprovalOptions) =>
        answered(options, id, async (runbooks) => runbooks[name](id, await approvalOf(options))),
      );
  for (const [name, description] of Object.entries(TARGET_COMMANDS) as [TargetCommandName, string][])
    withCommandOptions(
      program
        .command(COMMAND_WORDS[name])
        .argument('<id>', 'id of a run')
        .argument('[target]', 'application/component/instance; default: the target that is blocked'),
    )
      .option('--step <id>', 'the step that is meant; default: the one that is blocked')
      .description(description)
      .action((id: string, target: string | undefined, options: DecisionOptions) =>
        answered(options, id, (runbooks) => runbooks[name](id, { ...requestOf(options), target, step: options.step })),
      );
}

function withCommandOptions(command: Command): Command {
  return withSessionOptions(command)
    .requiredOption('--reason <text>', 'why; shown in the report')
    .option('--actor <name>', 'who commands; default: your login name')
    .option('--key <text>', 'makes a repeat harmless: a command with the same key is carried out once');
}

/** Bytes. Longer than any token that a command accepts, so that the command reports one that is too long. */
const LONGEST_TOKEN_FILE = 16 * 1024;

async function readToken(path: string): Promise<string> {
  const read = path === '-' ? text(process.stdin) : readSmallFile(path, { maxBytes: LONGEST_TOKEN_FILE });
  return (await read).trim();
}

async function approvalOf(options: ApprovalOptions): Promise<ApprovalRequest> {
  const { step, target, planHash, tokenFile } = options;
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
  return { ...requestOf(options), step, target, planHash, token };
}

function requestOf({ reason, actor = userName(), key }: CommandOptions) {
  return { reason, actor, ...(key === undefined ? {} : { key }) };
}

async function answered(
  options: CommandOptions,
  id: string,
  command: (runbooks: RunbookClient) => Promise<CommandAnswer>,
): Promise<void> {
  await withSession(options, async ({ runbooks }) => {
    printAnswer(await command(runbooks), id, options);
  });
}

/** What the run answered, and what to type next. */
export function printAnswer(answer: CommandAnswer, id: string, { json }: { readonly json?: boolean }): void {
  if (json === true) printJson({ workflowId: id, ...answer });
  else print(`${answerWords(answer)}\n${nextOf(answer, id)}`);
}

function nextOf({ command }: CommandAnswer, id: string): string {
  return command === 'pause'
    ? `Let it continue:  runbook resume ${id} --reason '…'`
    : `Follow it:  runbook watch ${id}`;
}
