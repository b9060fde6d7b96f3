/** One Temporal dev server and one workflow bundle for the whole test run; the tests fail, never skip, without a server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';
import { startTemporalServer } from '../../src/embedded/temporal-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    workflowBundlePath: string;
  }
}

interface Shared {
  readonly temporalAddress: string;
  readonly workflowBundlePath: string;
  readonly close: () => Promise<void>;
}

/**
 * Vitest sets up each project separately. They share one server, so that the replay at the end finds the histories
 * of all.
 */
const shared = globalThis as typeof globalThis & {
  sharedTemporal?: { users: number; readonly started: Promise<Shared> };
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const slot = (shared.sharedTemporal ??= { users: 0, started: start() });
  slot.users++;
  const { temporalAddress, workflowBundlePath, close } = await slot.started;
  project.provide('temporalAddress', temporalAddress);
  project.provide('workflowBundlePath', workflowBundlePath);
  return async () => {
    if (--slot.users === 0) await close();
  };
}

async function start(): Promise<Shared> {
  // The server is a Go program: with more room it collects garbage less often, which takes a tenth of its CPU.
  process.env['GOGC'] ??= '400';
  const server = await startTemporalServer({ env: process.env, say: (line) => process.stderr.write(`${line}\n`) });
  const folder = await mkdtemp(join(tmpdir(), 'runbooks-test-'));
  const workflowsPath = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath: fileURLToPath(new URL('../../src/workflows/payload-converter.ts', import.meta.url)),
    workflowInterceptorModules: ['./quick-timers.ts', '../../src/workflows/interceptors.ts'].map((module) =>
      fileURLToPath(new URL(module, import.meta.url)),
    ),
    logger: new DefaultLogger('WARN'),
  });
  const workflowBundlePath = join(folder, 'workflow-bundle.js');
  await writeFile(workflowBundlePath, code);
  return {
    temporalAddress: server.address,
    workflowBundlePath,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
