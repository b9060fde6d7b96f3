/** The exhaustive part without vitest: brings its own server and workflow bundle. */
import { fileURLToPath } from 'node:url';
import { startTemporalServer } from '../../src/embedded/temporal-server.js';
import { installQuietRuntime } from '../support/quiet-runtime.js';
import { runExhaustive } from './exhaustive.js';

const BUNDLE = fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url));

/** @returns true if every outcome matches the table and no promise was broken */
export async function exhaustive(write: boolean, say: (line: string) => void): Promise<boolean> {
  installQuietRuntime();
  const server = await startTemporalServer({ env: process.env, say });
  try {
    const { cases, different, violations } = await runExhaustive({
      temporal: { address: server.address, bundlePath: BUNDLE },
      write,
      say,
    });
    for (const line of [...different, ...violations]) say(line);
    say(`${cases} cases, ${different.length} lines differ, ${violations.length} violations`);
    return different.length === 0 && violations.length === 0;
  } finally {
    await server.close();
  }
}
