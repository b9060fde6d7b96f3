/** Commands that bring something up: worker, simulator, demo. */
import { InvalidArgumentError, type Command } from 'commander';
import { numberBetween } from './number-option.js';
import { hint, print, printJsonLine } from './output.js';

type Done = (exitCode: number) => void;

export function addStackCommands(program: Command, done: Done): void {
  program
    .command('worker')
    .description('run the worker against what the environment names, until it is told to stop')
    .action(async () => {
      const { main } = await import('../worker.js');
      done(await main(process.env));
    });
  program
    .command('simulator')
    .description('run a simulated ServiceStage with a small world in it')
    .option('--port <number>', '0 takes a free one', numberBetween(0, 65_535), 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--seed <number>', 'the same seed gives the same ids and durations', numberBetween(0, 2 ** 31), 1)
    .option('--time-scale <factor>', 'cloud jobs run that many times faster', numberBetween(0.001, 100_000), 1)
    .option('--json', 'the first line is one JSON object with addresses, credentials and the world')
    .action(simulate);
  program
    .command('demo')
    .description('a Temporal server, a simulated ServiceStage, a worker, and one run shown live')
    .option('--keep', 'stay up until Ctrl-C')
    .option(
      '--fail <action>',
      'let the cloud job of this action fail, to see the undo',
      oneOf(['stop', 'rollback', 'start']),
    )
    .option('--schedule', 'show a schedule that fires, in the place of a run started by hand')
    .action(async (options: { keep?: boolean; fail?: string; schedule?: boolean }) => {
      const { runDemo } = await import('../embedded/demo-stack.js');
      const { keep, fail = null, schedule } = options;
      done(await runDemo({ keep: keep === true, fail, schedule: schedule === true }));
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
      `ServiceStage is simulated at ${simulator.url} (control: ${simulator.controlUrl}); --json shows credentials and the world. Ctrl-C ends it`,
    );
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await simulator.close();
  hint('The simulator has ended');
}

function oneOf(values: readonly string[]) {
  return (text: string): string => {
    if (!values.includes(text)) throw new InvalidArgumentError(`Use one of: ${values.join(', ')}.`);
    return text;
  };
}
