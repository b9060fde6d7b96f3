/** Commands about runs: plan, start, watch, report, cancel. Each talks to Temporal through `RunbookClient`. */
import type { Command } from 'commander';
import type { RunbookClient } from '../client/runbook-client.js';
import { EXIT_CODES, type RunReport } from '../domain/report.js';
import { CommandError, hint, print, printJson, printPainted } from './output.js';
import { paintFor } from './paint.js';
import { renderPlan, renderReport } from './render-report.js';
import { requestFrom, withRequest, type RequestOptions } from './run-request.js';
import { showUntilItEnds } from './show-run.js';

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

/** After this long without a worker a waiting command says so. */
const NO_WORKER_HINT_MS = 3_000;

export function addRunCommands(program: Command, done: Done): void {
  withRequest(withCommon(program.command('plan').argument('<name>', 'name of a runbook')))
    .description('show exactly what a run would do; a worker plans it, nothing is touched')
    .action(async (name: string, options: PlanOptions) => {
      const request = await requestFrom(options);
      await withClient(options, (client) => plan(client, name, request, options));
    });
  withRequest(withCommon(program.command('start').argument('<name>', 'name of a runbook')))
    .description('start a run')
    .option('--id <id>', 'id of the run; the same id never starts a second run')
    .option('--wait', 'wait for the end and print the report')
    .option('--watch', 'show the run live, then its report')
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
    import('../config.js'),
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

async function plan(client: RunbookClient, name: string, request: Request, { json }: PlanOptions): Promise<void> {
  const planned = await hintingAtWorkers(client, () => client.plan(name, request));
  if (json === true) printJson(planned);
  else printPainted(renderPlan(planned, paint()));
}

async function start(client: RunbookClient, name: string, request: Request, options: StartOptions): Promise<number> {
  const { json, id, wait, watch: live } = options;
  const started = await client.start(name, { ...request, id });
  const words =
    started.started === 'started'
      ? `Started run ${started.workflowId}`
      : `A run of the id ${started.workflowId} was there already; nothing new was started`;
  if (wait !== true && live !== true) {
    if (json === true) printJson(started);
    else
      print(
        `${words}\nFollow it:   runbook watch ${started.workflowId}\nIts report:  runbook report ${started.workflowId}\nStop it:     runbook cancel ${started.workflowId}`,
      );
    return 0;
  }
  if (json !== true) hint(words);
  if (live === true) return watch(client, started.workflowId, options);
  return tell(await hintingAtWorkers(client, () => client.result(started.workflowId)), json === true);
}

async function watch(client: RunbookClient, id: string, { json }: CommonOptions): Promise<number> {
  // A run that is over needs no worker to be shown.
  const over = await client.report(id);
  if (over !== null) return tell(over, json === true);
  const ended = await hintingAtWorkers(client, () => showUntilItEnds(client, id, json === true));
  if (!ended) {
    hint(`No longer watching; the run goes on. Stop it with: runbook cancel ${id}`);
    return 0;
  }
  return tell(await client.result(id), json === true);
}

async function report(client: RunbookClient, id: string, { json }: CommonOptions): Promise<number> {
  const found = await client.report(id);
  if (found === null)
    throw new CommandError(
      'NoReport',
      `${id} has no report: it is under way, was terminated, or is no run of a runbook. See: runbook watch ${id}`,
    );
  return tell(found, json === true);
}

/** Prints the report and gives the exit code of its outcome. */
function tell(found: RunReport, asJson: boolean): number {
  if (asJson) printJson(found);
  else printPainted(renderReport(found, paint()));
  return EXIT_CODES[found.outcome];
}

function paint() {
  return paintFor(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
}

/** Says so, once, when nobody works on the task queue: the command would wait for ever without a word. */
async function hintingAtWorkers<Value>(client: RunbookClient, act: () => Promise<Value>): Promise<Value> {
  const timer = setTimeout(() => {
    client.hasWorker().then(
      (working) => {
        if (!working)
          hint(`No worker polls the task queue "${client.taskQueue}"; start one with: runbook worker. Still waiting`);
      },
      () => {}, // Only a hint: the command itself tells when Temporal is gone.
    );
  }, NO_WORKER_HINT_MS);
  try {
    return await act();
  } finally {
    clearTimeout(timer);
  }
}
