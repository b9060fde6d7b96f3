/** Commands about runs: plan, start, watch, report, cancel. All use `RunbookClient`. */
import { Option, type Command } from 'commander';
import type { RunbookClient } from '../client/runbook-client.js';
import type { StartOptions as ClientOptions } from '../client/start-request.js';
import type { StartedRun } from '../client/start-run.js';
import { EXIT_CODES, type RunReport } from '../domain/report/report.js';
import { explainSilence } from '../domain/run/run-facts.js';
import { printable } from '../domain/text/text.js';
import { withExplanations } from './explain-wait.js';
import { Interrupted, interruptible } from './interruptible.js';
import { CommandError, hint, print, printJson, printPainted, USAGE_EXIT_CODE, type SetExitCode } from './output.js';
import { DOCUMENT_FORMATS } from '../rendering/report-formats.js';
import { createColors } from './colors.js';
import { planningVerdict, type PlanningVerdict } from './planning-verdict.js';
import { renderPlan } from './render-plan.js';
import { renderReport } from './render-report.js';
import { userName, withSessionOptions, type SessionOptions } from './options.js';
import { requestFrom, withRequest, type RequestOptions } from './run-request.js';
import { withSession } from './session.js';
import { hintNote, showUntilItEnds } from './show-run.js';

type Request = ClientOptions & { readonly inputs?: Readonly<Record<string, string>> };
type PlanOptions = SessionOptions & RequestOptions;

/** `json` is the same as `--json`. */
const REPORT_FORMATS = [
  'text',
  'json',
  ...(Object.keys(DOCUMENT_FORMATS) as (keyof typeof DOCUMENT_FORMATS)[]),
] as const;

interface ReportOptions extends SessionOptions {
  readonly format: (typeof REPORT_FORMATS)[number];
}

interface WatchOptions extends SessionOptions {
  readonly actor?: string;
  readonly requestedBy?: string;
}

/** How `start` shows the run. */
export interface ShowOptions extends WatchOptions {
  readonly id?: string;
  readonly wait?: boolean;
  readonly watch?: boolean;
}
type StartOptions = ShowOptions & RequestOptions;

/** Adds the commands about runs. */
export function addRunCommands(program: Command, setExitCode: SetExitCode): void {
  withRequest(withSessionOptions(program.command('plan').argument('<name>', 'name of a runbook')))
    .description('show exactly what a run would do; needs a worker, changes nothing')
    .action(async (name: string, options: PlanOptions) => {
      const request = await requestFrom(options);
      await withSession(options, async ({ runbooks }) => setExitCode(await plan(runbooks, name, request, options)));
    });
  withRequest(withSessionOptions(program.command('start').argument('<name>', 'name of a runbook')))
    .description('start a run')
    .option('--id <id>', 'id of the run; an id never starts a second run')
    .option('--wait', 'wait for the end and print the report')
    .addOption(new Option('--watch', 'show the run live, with keys to steer it, then its report').conflicts('wait'))
    .action(async (name: string, options: StartOptions) => {
      const request = await requestFrom(options);
      await withSession(options, async ({ runbooks }) => setExitCode(await start(runbooks, name, request, options)));
    });
  withSessionOptions(program.command('watch').argument('<id>', 'id of a run'))
    .description('show a run live, with keys to steer it, then its report')
    .option('--actor <name>', 'who commands by the keys; default: your login name')
    .action((id: string, options: WatchOptions) =>
      withSession(options, async ({ runbooks }) => setExitCode(await watch(runbooks, id, options))),
    );
  withSessionOptions(program.command('report').argument('<id>', 'id of a run'))
    .description('print the report of a run that has ended; needs no worker')
    .addOption(
      new Option('--format <format>', 'html: one file with a timeline; markdown: for a document')
        .choices(REPORT_FORMATS)
        .default('text')
        .conflicts('json'),
    )
    .action((id: string, options: ReportOptions) =>
      withSession(options, async ({ runbooks }) => setExitCode(await report(runbooks, id, options))),
    );
  withSessionOptions(program.command('cancel').argument('<id>', 'id of a run'))
    .description('ask a run to stop: it finishes the cloud job in flight, then follows onCancel')
    .action((id: string, options: SessionOptions) =>
      withSession(options, async ({ runbooks }) => {
        const cancel = await runbooks.cancel(id);
        if (options.json === true) printJson({ workflowId: id, cancel });
        else if (cancel === 'alreadyEnded') print(`${id} has already ended. Its report: runbook report ${id}`);
        else print(`Requested the cancellation of ${id}. Follow it with: runbook watch ${id}`);
      }),
    );
}

/** Plans and prints the plan. @returns the exit code */
export async function plan(
  client: RunbookClient,
  name: string,
  request: Request,
  { json }: SessionOptions,
): Promise<number> {
  let workflowId: string | null = null;
  const onStarted = (id: string) => {
    workflowId = id;
  };
  const planning = interruptible((signal) =>
    withExplanations({ client, awaited: 'plan', workflowId: () => workflowId, show: hintNote }, () =>
      client.plan(name, request, { signal, onStarted }),
    ),
  );
  const planned = await orInterrupted(planning, 'Planning was stopped; nothing was changed');
  if (planned instanceof Interrupted) return planned.exitCode;
  if (json === true) printJson(planned);
  else printPainted(renderPlan(planned, createColors()));
  return 0;
}

/** Starts a run, and waits or watches if the options ask for it. @returns the exit code */
export async function start(
  client: RunbookClient,
  name: string,
  request: Request,
  options: ShowOptions,
): Promise<number> {
  const { json, id, wait, watch: live } = options;
  const started = await client.start(name, { ...request, id });
  const { workflowId } = started;
  const words =
    started.started === 'started'
      ? `Started run ${workflowId}`
      : `Run ${workflowId} exists already; nothing new was started`;
  if (wait !== true && live !== true) return afterStart(client, started, words, json === true);
  if (json !== true) hint(words);
  if (live === true) return watch(client, workflowId, options);
  const waiting = interruptible((signal) =>
    withExplanations({ client, awaited: 'run', workflowId: () => workflowId, show: hintNote }, () =>
      client.result(workflowId, { signal }),
    ),
  );
  const ended = await orInterrupted(waiting, `No longer waiting; ${followWords(workflowId)}`);
  return ended instanceof Interrupted ? ended.exitCode : showReport(ended, json === true);
}

/** Shows the report if the run ends at once; otherwise leaves the run alone. @returns the exit code */
async function afterStart(client: RunbookClient, started: StartedRun, words: string, asJson: boolean): Promise<number> {
  const { workflowId } = started;
  const verdict = await planningVerdict(client, workflowId).catch((): PlanningVerdict => ({ kind: 'unknown' }));
  const report = verdict.kind === 'ended' ? verdict.report : null;
  const exitCode = report !== null ? EXIT_CODES[report.outcome] : verdict.kind === 'ended' ? USAGE_EXIT_CODE : 0;
  if (asJson) {
    const state = report?.outcome === 'refused' ? 'refused' : verdict.kind;
    printJson({ ...started, state, ...(report === null ? {} : { report }) });
    return exitCode;
  }
  if (verdict.kind === 'ended') {
    hint(words);
    if (report !== null) return showReport(report, false);
    hint('It has already ended without a report: it was terminated, or it is not a run of a runbook');
    return exitCode;
  }
  print(
    `${words}\nFollow it:   runbook watch ${workflowId}\nIts report:  runbook report ${workflowId}\nStop it:     runbook cancel ${workflowId}`,
  );
  if (verdict.kind !== 'planning') return 0;
  hint('It is still being planned, and continues by itself');
  explainSilence(verdict.facts, Date.now())?.lines.forEach((line) => hint(printable(line)));
  return 0;
}

async function watch(client: RunbookClient, id: string, options: WatchOptions): Promise<number> {
  const { json, requestedBy = userName(), actor = requestedBy } = options;
  // A run that has ended can be shown without a worker.
  const over = await client.report(id);
  if (over !== null) return showReport(over, json === true);
  const watching = interruptible(async (signal) => {
    const ended = await showUntilItEnds(client, id, { asJson: json === true, actor }, signal);
    if (!ended) signal.throwIfAborted();
    return client.result(id, { signal });
  });
  const ended = await orInterrupted(watching, `No longer watching; ${followWords(id)}`);
  if (!(ended instanceof Interrupted)) return showReport(ended, json === true);
  // Ctrl-C is the normal way to stop watching, so it is not a failure.
  return ended.signal === 'SIGINT' ? 0 : ended.exitCode;
}

function followWords(id: string): string {
  return `the run continues. Follow it with: runbook watch ${id}. Stop it with: runbook cancel ${id}`;
}

/** Adds to the error what became of the run when a signal ended the wait. */
async function orInterrupted<Value>(wait: Promise<Value>, words: string): Promise<Value | Interrupted> {
  try {
    return await wait;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    hint(words);
    return error;
  }
}

async function report(client: RunbookClient, id: string, { json, format }: ReportOptions): Promise<number> {
  const found = await client.report(id);
  if (found === null)
    throw new CommandError(
      'NoReport',
      `${id} has no report: it is still running, was terminated, or is not a run of a runbook. See: runbook watch ${id}`,
    );
  if (format === 'text' || format === 'json') return showReport(found, json === true || format === 'json');
  print(DOCUMENT_FORMATS[format](found).trimEnd());
  return EXIT_CODES[found.outcome];
}

/** Prints the report. @returns the exit code of its outcome */
function showReport(found: RunReport, asJson: boolean): number {
  if (asJson) printJson(found);
  else printPainted(renderReport(found, createColors()));
  return EXIT_CODES[found.outcome];
}
