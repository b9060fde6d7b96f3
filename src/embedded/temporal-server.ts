/**
 * A local Temporal dev server for the demo and the tests, with our search attributes. It ends when its owner ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { ClosableConnection } from '../temporal/connection.js';
import { GRPC_WITHOUT_PROXY } from '../network/proxies.js';
import { OPTIONAL_SEARCH_ATTRIBUTES, SEARCH_ATTRIBUTES } from '../domain/contract.js';
import { findTemporalProgram, type Say } from './find-temporal.js';
import { freePorts } from './ports.js';

/** How to start the server. */
export interface TemporalServerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: Say;
  readonly ui?: boolean;
  /** Stores the server's state in this file; default: in memory. */
  readonly databaseFile?: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Only with `ui`. Default: a free port. */
  readonly uiPort?: number;
  /** Where `/metrics` counts the calls and the writes. Default: a random port. */
  readonly metricsPort?: number;
  /** Settings of the server by name, each as JSON. */
  readonly dynamicConfig?: Readonly<Record<string, string>>;
}

/** A running dev server. */
export interface TemporalServer {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | null;
  /** Resolves when the process has ended. `SIGKILL` leaves it no time to clean up. Default: `SIGTERM`. */
  close(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const NAMESPACE = 'default';
const START_DEADLINE_MS = 60_000;
/** The server also picks free ports for its own services, and another process can take one of them first. */
const MOST_STARTS = 3;

/** The server process ended before it answered. */
class EndedEarly extends Error {
  override readonly name = 'EndedEarly';
}

/** Uses the server at `TEMPORAL_ADDRESS` and leaves it running; otherwise finds a program and starts one. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { env, say } = options;
  const given = env['TEMPORAL_ADDRESS'];
  if (given !== undefined && given !== '') {
    return { address: given, namespace: env['TEMPORAL_NAMESPACE'] || NAMESPACE, uiUrl: null, close: async () => {} };
  }
  const program = await findTemporalProgram({ env, say });
  for (let start = 1; ; start++) {
    try {
      return await startProgram(program, options);
    } catch (error) {
      if (!(error instanceof EndedEarly) || start === MOST_STARTS) throw error;
    }
  }
}

async function startProgram(program: string, options: TemporalServerOptions): Promise<TemporalServer> {
  const ports = await freePorts(2);
  const port = options.port ?? ports[0] ?? 0;
  const uiPort = options.ui === true ? (options.uiPort ?? ports[1] ?? 0) : null;
  const address = `127.0.0.1:${port}`;
  const child = spawn(program, serverArguments(port, uiPort, options), {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const stop = endWithUs(child);
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => (lastWords = `${lastWords}${chunk.toString()}`.slice(-2_000)));
  try {
    await untilItAnswers(address, child, () => lastWords);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, namespace: NAMESPACE, uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`, close: stop };
}

function serverArguments(
  port: number,
  uiPort: number | null,
  { databaseFile, metricsPort, dynamicConfig = {} }: TemporalServerOptions,
): string[] {
  return [
    ...[
      'server',
      'start-dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      '--namespace',
      NAMESPACE,
      '--log-level',
      'error',
    ],
    ...(uiPort === null ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]),
    ...(databaseFile === undefined ? [] : ['--db-filename', databaseFile]),
    ...(metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)]),
    ...Object.entries(dynamicConfig).flatMap(([name, json]) => ['--dynamic-config-value', `${name}=${json}`]),
    ...[...SEARCH_ATTRIBUTES, ...OPTIONAL_SEARCH_ATTRIBUTES].flatMap(({ name, type }) => [
      '--search-attribute',
      `${name}=${type}`,
    ]),
  ];
}

/** Kills the child when this process ends, unless this process is killed itself. */
function endWithUs(child: ChildProcess): TemporalServer['close'] {
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return async (signal = 'SIGTERM') => {
    process.removeListener('exit', onExit);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(hard);
  };
}

async function untilItAnswers(address: string, child: ChildProcess, lastWords: () => string): Promise<void> {
  const giveUpAtMs = Date.now() + START_DEADLINE_MS;
  let failed: Error | undefined;
  child.once('error', (error) => (failed = error));
  while (Date.now() < giveUpAtMs) {
    if (failed !== undefined) throw failed;
    if (child.exitCode !== null)
      throw new EndedEarly(`The Temporal dev server ended with ${child.exitCode}: ${lastWords()}`);
    try {
      const connection = await ClosableConnection.connect({
        address,
        connectTimeout: 1_000,
        channelArgs: GRPC_WITHOUT_PROXY,
      });
      try {
        await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
      } finally {
        await connection.close();
      }
      return;
    } catch {
      await delay(100); // Not up yet.
    }
  }
  throw new Error(`The Temporal dev server did not answer within ${START_DEADLINE_MS / 1_000} s: ${lastWords()}`);
}
