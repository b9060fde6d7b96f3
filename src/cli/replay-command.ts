/** `runbook replay`: before an upgrade, replays the newest histories of production with the workflow code of this version. */
import type { Command } from 'commander';
import { createColors } from './colors.js';
import { integerBetween, withSessionOptions, type SessionOptions } from './options.js';
import { CommandError, NOT_REPLAYED_EXIT_CODE, printJson, printPainted, type SetExitCode } from './output.js';
import { renderReplay, shownReplay } from './render-replay.js';
import { withSession, type Place } from './session.js';

const LIMIT = 200;
const MOST = 100_000;

interface ReplayCommandOptions extends SessionOptions, Place {
  readonly limit: number;
}

/** Adds `replay`. */
export function addReplayCommand(program: Command, setExitCode: SetExitCode): void {
  withSessionOptions(program.command('replay'))
    .description(
      'before an upgrade: replay the newest histories of a namespace with the workflow code of this version. Changes nothing; exit code 5 if one does not replay',
    )
    .option('--address <host:port>', 'default: TEMPORAL_ADDRESS')
    .option('--namespace <name>', 'default: TEMPORAL_NAMESPACE or default')
    .option(
      '--limit <number>',
      'replay at most this many open executions, and as many closed ones',
      integerBetween(1, MOST),
      LIMIT,
    )
    .action(async (options: ReplayCommandOptions) => setExitCode(await replay(options)));
}

/** @returns the exit code */
async function replay(options: ReplayCommandOptions): Promise<number> {
  const [{ replayTaskQueue }, { workflowCode }] = await Promise.all([
    import('../replay/replay-task-queue.js'),
    import('../worker/workflow-code.js'),
  ]);
  await installQuietRuntime();
  return withSession(options, async ({ client, taskQueue }) => {
    const { namespace } = client.options;
    const replayed = await replayTaskQueue({ client, code: workflowCode() }, { taskQueue, limit: options.limit });
    if (replayed.replays.length === 0)
      throw new CommandError(
        'NothingToReplay',
        `The namespace ${namespace} keeps no execution of the task queue ${taskQueue}, so nothing was checked. Name the ones of production: --namespace, --task-queue`,
      );
    const shown = shownReplay(replayed, { namespace, taskQueue });
    if (options.json === true) printJson(shown);
    else printPainted(renderReplay(shown, createColors()));
    return shown.results.failed + shown.results.unread === 0 ? 0 : NOT_REPLAYED_EXIT_CODE;
  });
}

/** The report lists the histories that do not replay, so the SDK's own log of them is left out. Signals end this process as always. */
async function installQuietRuntime(): Promise<void> {
  const { DefaultLogger, makeTelemetryFilterString, Runtime } = await import('@temporalio/worker');
  if (Runtime._instance !== undefined) return;
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => {}),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
}
