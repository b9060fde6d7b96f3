/** Commands that start servers: worker, simulator, demo. */
import { InvalidArgumentError, type Command } from 'commander';
import { untilStopped } from './interruptible.js';
import { integerBetween, numberBetween } from './options.js';
import { hint, print, printJsonLine, type SetExitCode } from './output.js';

/** Adds `worker`, `simulator` and `demo`. */
export function addStackCommands(program: Command, setExitCode: SetExitCode): void {
  program
    .command('worker')
    .description('run the worker until it is stopped')
    .action(async () => {
      const { main } = await import('../worker.js');
      setExitCode(await main(process.env));
    });
  program
    .command('simulator')
    .description('run a simulated ServiceStage with a few components')
    .option('--port <number>', '0 picks a free port', integerBetween(0, 65_535), 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--seed <number>', 'the same seed gives the same ids and durations', integerBetween(0, 2 ** 31), 1)
    .option('--time-scale <factor>', 'how many times faster cloud jobs run', numberBetween(0.001, 100_000), 1)
    .option('--json', 'print addresses, credentials and components as one line of JSON')
    .action(simulate);
  program
    .command('demo')
    .description('start a Temporal server, a simulated ServiceStage and a worker, and show one run live')
    .option('--keep', 'keep everything running until Ctrl-C')
    .option(
      '--fail <action>',
      'make the cloud job of this action fail, to see the undo',
      oneOf(['stop', 'rollback', 'start']),
    )
    .option('--schedule', 'show a schedule that fires instead of a run started by hand')
    .action(async (options: { keep?: boolean; fail?: string; schedule?: boolean }) => {
      const { runDemo } = await import('../embedded/demo-stack.js');
      const { keep, fail = null, schedule } = options;
      setExitCode(await runDemo({ keep: keep === true, fail, schedule: schedule === true }));
    });
}

async function simulate({
  port,
  host,
  seed,
  timeScale,
  json,
}: {
  port: number;
  host: string;
  seed: number;
  timeScale: number;
  json?: boolean;
}): Promise<void> {
  const { announcement, startSimulator } = await import('../simulator/server.js');
  const simulator = await startSimulator({ port, host, seed, timeScale, log: print });
  if (json === true) printJsonLine(announcement(simulator));
  else
    print(
      `ServiceStage is simulated at ${simulator.url} (control: ${simulator.controlUrl}); --json shows credentials and components. Stop it with Ctrl-C`,
    );
  await untilStopped();
  await simulator.close();
  hint('The simulator has stopped');
}

function oneOf(values: readonly string[]) {
  return (text: string): string => {
    if (!values.includes(text)) throw new InvalidArgumentError(`Use one of: ${values.join(', ')}.`);
    return text;
  };
}
