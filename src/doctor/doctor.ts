/** `runbook doctor`: gathers the facts of an installation, all at once and each within its time. */
import type { ClientConfig, OperatorConfig } from '../config/config.js';
import { loadClientConfig, loadOperatorConfig } from '../config/config.js';
import { ConfigurationError, type Environment } from '../config/environment.js';
import type { Problem } from '../domain/failures.js';
import { askFiles } from './ask-files.js';
import { askServiceStage } from './ask-service-stage.js';
import { askTemporal } from './ask-temporal.js';
import type { Facts, FilesRead } from './facts.js';

/** Longest time for one question. Chosen: several times what a healthy service takes. */
const TIMEOUT_MS = 5_000;

/** What the doctor examines. */
export interface Examination {
  readonly env: Environment;
  /** Default: the one of the configuration. */
  readonly taskQueue?: string | undefined;
  /** Reads the files that the command line names; `null`: it names none. */
  readonly givenFiles: (() => Promise<FilesRead>) | null;
  /** Limit of each question, milliseconds. Default: 5 s. */
  readonly timeoutMs?: number | undefined;
}

/** Asks everything that the configuration allows to ask. Never throws for what it finds. */
export async function examine({ env, taskQueue, givenFiles, timeoutMs = TIMEOUT_MS }: Examination): Promise<Facts> {
  const { problems, client, operator } = load(env);
  const [temporal, serviceStage, files] = await Promise.all([
    client && askTemporal({ temporal: client.temporal, taskQueue: taskQueue ?? client.taskQueue }, timeoutMs),
    operator && askServiceStage(operator.serviceStage, timeoutMs),
    client && askFiles(client, givenFiles, timeoutMs),
  ]);
  return {
    nowMs: Date.now(),
    configuration: { problems, warnings: client?.warnings ?? [], secretsInFiles: client?.secretFiles.names ?? [] },
    temporal,
    serviceStage,
    files,
  };
}

interface Loaded {
  readonly problems: readonly Problem[];
  readonly client: ClientConfig | null;
  readonly operator: OperatorConfig | null;
}

/** Without credentials for ServiceStage the rest can be asked all the same. */
function load(env: Environment): Loaded {
  try {
    const operator = loadOperatorConfig(env);
    return { problems: [], client: operator, operator };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { problems } = error;
    try {
      return { problems, client: loadClientConfig(env), operator: null };
    } catch {
      return { problems, client: null, operator: null };
    }
  }
}
