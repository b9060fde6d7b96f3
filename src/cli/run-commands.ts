/** Commands about runs: plan, start, watch, report, cancel. Each talks to Temporal through `RunbookClient`. */
import { Option, type Command } from 'commander';
import type { RunbookClient } from '../client/runbook-client.js';
import type { StartedRun } from '../client/start-run.js';
import { EXIT_CODES, type RunReport } from '../domain/report/report.js';
import { explainSilence } from '../domain/run/run-facts.js';
import { printable } from '../domain/text/text.js';
import { accompanied } from './accompany.js';
import { Interrupted, interruptible } from './interruptible.js';
import { CommandError, hint, print, printJson, printPainted, USAGE_EXIT_CODE } from './output.js';
import { paintForOutput } from './paint.js';
import { planningVerdict, type PlanningVerdict } from './planning-verdict.js';
import { renderPlan, renderReport } from './render-report.js';
import { requestFrom, withRequest, type RequestOptions } from './run-request.js';
import { hintNote, showUntilItEnds } from './show-run.js';

type Done = (exitCode: number) => void;

interface CommonOptions {
  readonly json?: boolean;
  readonly taskQueue?: string;
}

type Request = Awaited<ReturnType<typeof requestFrom>>;
type PlanOptions = CommonOptions & RequestOptions;

interface StartOptions extends CommonOptions, RequestOptions {
  readonly id?: string;
  readonly wait?: boolean;
  readonly watch?: boolean;
}

export function addRunCommands(program: Command, done: Done): void {
  withRequest(withCommon(program.command('plan').argument('<name>', 'name of a runbook')))
    .description('show exactly what a run would do; a worker plans it, nothing is touched')
    .action(async (name: string, options: PlanOptions) => {
      const request = await requestFrom(options);
      await withClient(options, async (client) => done(await plan(client, name, request, options)));
    });
  withRequest(withCommon(program.command('start').argument('<name>', 'name of a runbook')))
    .description('start a run')
    .option('--id <id>', 'id of the run; the same id never starts a second run')
    .option('--wait', 'wait for the end and print the report')
    .addOption(new Option('--watch', 'show the run live, then its report').conflicts('wait'))
    .action(async (name: string, options: StartOptions) => {
      const request = await requestFrom(options);
      await withClient(options, async (client) => done(await start(client, name, request, options)));
    });
  withCommon(program.command('watch').argument('<id>', 'id of a run'))
    .description('show a run live, then its report')
    .action((id: string, options: CommonOptions) =>
      withClient(options, async (client) => done(await watch(client, id, options))),
    );
  withCommon(program.command('report').argument('<id>', 'id of a run'))
    .description('print the report of a run that has ended; needs no worker')
    .action((id: string, options: CommonOptions) =>
      withClient(options, async (client) => done(await report(client, id, options))),
    );
  withCommon(program.command('cancel').argument('<id>', 'id of a run'))
    .description('ask a run to stop: what is in flight is finished, then its onCancel applies')
    .action((id: string, options: CommonOptions) =>
      withClient(options, async (client) => {
        const cancel = await client.cancel(id);
        if (options.json === true) printJson({ workflowId: id, cancel });
        else if (cancel === 'alreadyEnded') print(`${id} has ended already. Its report: runbook report ${id}`);
        else print(`Cancel of ${id} is requested. Follow it with: runbook watch ${id}`);
      }),
    );
}

function withCommon(command: Command): Command {
  return command.option('--task-queue <name>', 'default: RUNBOOK_TASK_QUEUE or runbooks').option('--json', 'as JSON');
}

async function withClient(options: CommonOptions, act: (client: RunbookClient) => Promise<void>): Promise<void> {
  const [{ RunbookClient }, { loadClientConfig }] = await Promise.all([
    import('../client/runbook-client.js'),
    import('../config/config.js'),
  ]);
  const { temporal, taskQueue, warnings } = loadClientConfig(process.env);
  for (const warning of warnings) hint(`! ${warning}`);
  const client = await RunbookClient.connect({
    ...temporal.connectionOptions,
    namespace: temporal.namespace,
    taskQueue: options.taskQueue ?? taskQueue,
  });
  try {
    await act(client);
  } finally {
    await client.close();
  }
}

async function plan(client: RunbookClient, name: string, request: Request, { json }: PlanOptions): Promise<number> {
  let workflowId: string | null = null;
  const onStarted = (id: string) => {
    workflowId = id;
  };
  const planning = interruptible((signal) =>
    accompanied({ client, awaited: 'plan', workflowId: () => workflowId, show: hintNote }, () =>
      client.plan(name, request, { signal, onStarted }),
    ),
  );
  const planned = await orInterrupted(planning, 'No longer planning; nothing was touched, and nothing goes on');
  if (planned instanceof Interrupted) return planned.exitCode;
  if (json === true) printJson(planned);
  else printPainted(renderPlan(planned, paintForOutput()));
  return 0;
}

async function start(client: RunbookClient, name: string, request: Request, options: StartOptions): Promise<number> {
  const { json, id, wait, watch: live } = options;
  const started = await client.start(name, { ...request, id });
  const { workflowId } = started;
  const words =
    started.started === 'started'
      ? `Started run ${workflowId}`
      : `A run of the id ${workflowId} was there already; nothing new was started`;
  if (wait !== true && live !== true) return afterStart(client, started, words, json === true);
  if (json !== true) hint(words);
  if (live === true) return watch(client, workflowId, options);
  const waiting = interruptible((signal) =>
    accompanied({ client, awaited: 'run', workflowId: () => workflowId, show: hintNote }, () =>
      client.result(workflowId, { signal }),
    ),
  );
  const ended = await orInterrupted(waiting, `No longer waiting; ${followWords(workflowId)}`);
  return ended instanceof Interrupted ? ended.exitCode : showReport(ended, json === true);
}

/** A run that ends at once is shown as one that was waited for; any other is left to itself. @returns the exit code */
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
    hint('It has ended already and has no report: it was terminated, or is no run of a runbook');
    return exitCode;
  }
  print(
    `${words}\nFollow it:   runbook watch ${workflowId}\nIts report:  runbook report ${workflowId}\nStop it:     runbook cancel ${workflowId}`,
  );
  if (verdict.kind !== 'planning') return 0;
  hint('It is still being planned, and goes on by itself');
  explainSilence(verdict.facts, Date.now())?.lines.forEach((line) => hint(printable(line)));
  return 0;
}

async function watch(client: RunbookClient, id: string, { json }: CommonOptions): Promise<number> {
  // A run that is over needs no worker to be shown.
  const over = await client.report(id);
  if (over !== null) return showReport(over, json === true);
  const watching = interruptible(async (signal) => {
    const ended = await showUntilItEnds(client, id, json === true, signal);
    if (!ended) signal.throwIfAborted();
    return client.result(id, { signal });
  });
  const ended = await orInterrupted(watching, `No longer watching; ${followWords(id)}`);
  if (!(ended instanceof Interrupted)) return showReport(ended, json === true);
  // Whoever watches ends the watching by Ctrl-C: nothing went wrong.
  return ended.signal === 'SIGINT' ? 0 : ended.exitCode;
}

function followWords(id: string): string {
  return `the run goes on. Follow it with: runbook watch ${id}. Stop it with: runbook cancel ${id}`;
}

/** A wait that a signal ended says so. */
async function orInterrupted<Value>(wait: Promise<Value>, words: string): Promise<Value | Interrupted> {
  try {
    return await wait;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    hint(words);
    return error;
  }
}

async function report(client: RunbookClient, id: string, { json }: CommonOptions): Promise<number> {
  const found = await client.report(id);
  if (found === null)
    throw new CommandError(
      'NoReport',
      `${id} has no report: it is under way, was terminated, or is no run of a runbook. See: runbook watch ${id}`,
    );
  return showReport(found, json === true);
}

/** Prints the report and gives the exit code of its outcome. */
function showReport(found: RunReport, asJson: boolean): number {
  if (asJson) printJson(found);
  else printPainted(renderReport(found, paintForOutput()));
  return EXIT_CODES[found.outcome];
}
