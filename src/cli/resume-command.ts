/** `runbook resume`: lets a paused run continue, or starts a new run where an ended one failed. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { collect, userName, withSessionOptions } from './options.js';
import { CommandError, USAGE_EXIT_CODE, type SetExitCode } from './output.js';
import { plan, start, type ShowOptions } from './run-commands.js';
import { resumeRequestFrom, withTerms, type RequestOptions } from './run-request.js';
import { withSession } from './session.js';
import { printAnswer } from './steering-commands.js';
import type { RunbookClient } from '../client/runbook-client.js';

interface ResumeOptions extends ShowOptions, RequestOptions {
  readonly plan?: boolean;
  readonly actor?: string;
  readonly key?: string;
}

/** Adds the command. */
export function addResumeCommand(program: Command, setExitCode: SetExitCode): void {
  withTerms(withSessionOptions(program.command('resume').argument('<id>', 'id of a run')))
    .description(
      'let a paused run continue; or, if the run has ended, start a new one where it failed, on the targets that did not succeed, with the same values',
    )
    .option('--actor <name>', 'who lets a paused run continue; default: your login name')
    .option('--key <text>', 'makes a repeat harmless: a command with the same key is carried out once')
    .option('-t, --target <application/component/instance>', 'only this one of them; may be repeated', collect)
    .addOption(new Option('--plan', 'show what is left and what would be refused; changes nothing').conflicts('id'))
    .option('--id <id>', 'id of the new run; an id never starts a second run')
    .addOption(new Option('--wait', 'wait for the end and print the report').conflicts('plan'))
    .addOption(
      new Option('--watch', 'show the run live, with keys to steer it, then its report').conflicts(['plan', 'wait']),
    )
    .action(async (id: string, options: ResumeOptions) => {
      const terms = await resumeRequestFrom(options);
      await withSession(options, async ({ runbooks }) => {
        if (options.plan !== true && (await isOpen(runbooks, id))) return continueRun(runbooks, id, options);
        const { runbook, request } = await runbooks.resumption(id, { ...terms, targets: options.target });
        const act = options.plan === true ? plan : start;
        setExitCode(await act(runbooks, runbook, request, options));
      });
    });
}

async function isOpen(runbooks: RunbookClient, id: string): Promise<boolean> {
  const { run } = await runbooks.progress(id);
  return run.phase !== 'finished';
}

async function continueRun(runbooks: RunbookClient, id: string, options: ResumeOptions): Promise<void> {
  const { reason, actor = options.requestedBy ?? userName(), key } = options;
  if (reason === undefined)
    throw new CommandError('MissingReason', 'The run is open, so it would continue: add --reason', USAGE_EXIT_CODE);
  printAnswer(await runbooks.resume(id, { reason, actor, ...(key === undefined ? {} : { key }) }), id, options);
}
