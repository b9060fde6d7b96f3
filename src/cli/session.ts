/** A connection to Temporal for one command. */
import type { Client } from '@temporalio/client';
import type { RunbookClient } from '../client/runbook-client.js';
import type { SessionOptions } from './options.js';
import { hint } from './output.js';

/** A connected client and the task queue to use. */
export interface Session {
  readonly runbooks: RunbookClient;
  readonly client: Client;
  readonly taskQueue: string;
}

/** Connects as the environment configures, runs `act` and closes the connection. @throws ConfigurationError, ServerUnreachable */
export async function withSession<Value>(
  options: SessionOptions,
  act: (session: Session) => Promise<Value>,
): Promise<Value> {
  const [{ RunbookClient }, { loadClientConfig }, { dataConverterOf }] = await Promise.all([
    import('../client/runbook-client.js'),
    import('../config/config.js'),
    import('../config/data-converter.js'),
  ]);
  const { temporal, warnings, ...config } = loadClientConfig(process.env);
  const warn = (text: string) => hint(`! ${text}`);
  for (const warning of warnings) warn(warning);
  const taskQueue = options.taskQueue ?? config.taskQueue;
  const { connectionOptions, namespace } = temporal;
  const converter = await dataConverterOf(config.codec, warn);
  const runbooks = await RunbookClient.connect({ ...connectionOptions, ...converter, namespace, taskQueue });
  try {
    return await act({ runbooks, client: runbooks.client, taskQueue });
  } finally {
    await runbooks.close();
  }
}
