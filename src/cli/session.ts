/** A connection to Temporal for one command. */
import type { Client } from '@temporalio/client';
import type { RunbookClient } from '../client/runbook-client.js';
import type { SessionOptions } from './options.js';
import { hint } from './output.js';

/** Where a command finds Temporal, if not as the environment configures it. */
export interface Place {
  readonly address?: string;
  readonly namespace?: string;
}

/** A connected client and the task queue to use. */
export interface Session {
  readonly runbooks: RunbookClient;
  readonly client: Client;
  readonly taskQueue: string;
}

/** Connects as the environment configures, runs `act` and closes the connection. @throws ConfigurationError, ServerUnreachable */
export async function withSession<Value>(
  options: SessionOptions & Place,
  act: (session: Session) => Promise<Value>,
): Promise<Value> {
  const [{ RunbookClient }, { loadClientConfig }, { dataConverterOf }, { traceCommand }] = await Promise.all([
    import('../client/runbook-client.js'),
    import('../config/config.js'),
    import('../config/data-converter.js'),
    import('./trace-command.js'),
  ]);
  const config = loadClientConfig(environmentWith(options));
  const { temporal, warnings } = config;
  const warn = (text: string) => hint(`! ${text}`);
  for (const warning of warnings) warn(warning);
  const taskQueue = options.taskQueue ?? config.taskQueue;
  const { connectionOptions, namespace } = temporal;
  const converter = await dataConverterOf(config.codec, ({ level, text }) =>
    level === 'warn' ? warn(text) : hint(text),
  );
  const tracing = await traceCommand(config, 'runbook-cli');
  const { clientInterceptors } = tracing;
  try {
    const runbooks = await RunbookClient.connect({
      ...connectionOptions,
      ...converter,
      namespace,
      taskQueue,
      clientInterceptors,
    });
    try {
      return await act({ runbooks, client: runbooks.client, taskQueue });
    } finally {
      await runbooks.close();
    }
  } finally {
    await tracing.stop();
  }
}

/** The environment, with the values that the command line gives instead. */
function environmentWith({ address, namespace }: Place): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...(address === undefined ? {} : { TEMPORAL_ADDRESS: address }),
    ...(namespace === undefined ? {} : { TEMPORAL_NAMESPACE: namespace }),
  };
}
