/** Workers, clients and commands that encrypt, each configured as in production: by the variable that names its file of keys. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { loadClientConfig } from '../../src/config/config.js';
import { dataConverterOf } from '../../src/config/data-converter.js';
import type { TestTemporal } from './temporal.js';

/** A line of a file of keys. */
export function newKey(id: string): string {
  return `${id} ${randomBytes(32).toString('base64')}`;
}

export interface Encrypted {
  /** The same server, with a client and workers that encrypt. Use it inside a test. */
  readonly temporal: TestTemporal;
  /** For commands. */
  readonly env: Record<string, string>;
  /** Writes a file of keys. @returns its path */
  keys(...lines: readonly string[]): Promise<string>;
}

/**
 * Call once at the top of a test file, after `useTemporal`. The task queue is not one of those that are replayed at the end, by
 * a worker that has no keys.
 */
export function useEncryption(temporal: TestTemporal, ...lines: readonly string[]): Encrypted {
  const taskQueue = `encrypted-${randomUUID()}`;
  const env: Record<string, string> = { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: taskQueue };
  let folder = '';
  let encrypted: TestTemporal | undefined;
  let runbooks: RunbookClient | undefined;
  const keys = async (...written: readonly string[]) => {
    const path = join(folder, randomUUID());
    await writeFile(path, `${written.join('\n')}\n`);
    return path;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbooks-encryption-'));
    env['RUNBOOK_ENCRYPTION_KEYS'] = await keys(...lines);
    const converter = await dataConverterOf(loadClientConfig(env).codec, ({ text }) => console.warn(text));
    runbooks = await RunbookClient.connect({ address: temporal.address, ...converter, taskQueue });
    const worker: TestTemporal['worker'] = (options) => temporal.worker({ ...converter, taskQueue, ...options });
    encrypted = { ...temporal, client: runbooks.client, taskQueue, worker };
  });
  afterAll(async () => {
    await runbooks?.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    get temporal() {
      if (encrypted === undefined) throw new Error('Use it inside a test');
      return encrypted;
    },
    env,
    keys,
  };
}
