/** `runbook resume`: goes on where a run failed. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { collect, withSessionOptions } from './options.js';
import type { SetExitCode } from './output.js';
import { plan, start, type ShowOptions } from './run-commands.js';
import { resumeRequestFrom, withTerms, type RequestOptions } from './run-request.js';
import { withSession } from './session.js';

interface ResumeOptions extends ShowOptions, RequestOptions {
  readonly plan?: boolean;
}

/** Adds the command. */
export function addResumeCommand(program: Command, setExitCode: SetExitCode): void {
  withTerms(withSessionOptions(program.command('resume').argument('<id>', 'id of a run that has ended')))
    .description('start a new run where this one failed, on the targets that did not succeed, with the same values')
    .option('-t, --target <application/component/instance>', 'only this one of them; may be repeated', collect)
    .addOption(new Option('--plan', 'show what is left and what would be refused; changes nothing').conflicts('id'))
    .option('--id <id>', 'id of the new run; an id never starts a second run')
    .addOption(new Option('--wait', 'wait for the end and print the report').conflicts('plan'))
    .addOption(new Option('--watch', 'show the run live, then its report').conflicts(['plan', 'wait']))
    .action(async (id: string, options: ResumeOptions) => {
      const terms = await resumeRequestFrom(options);
      await withSession(options, async ({ runbooks }) => {
        const { runbook, request } = await runbooks.resumption(id, { ...terms, targets: options.target });
        const act = options.plan === true ? plan : start;
        setExitCode(await act(runbooks, runbook, request, options));
      });
    });
}
