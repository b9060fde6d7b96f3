/** What an operator changes while the runs of a soak are under way: keys, secrets, and the version that is current. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Arena } from '../arena.js';
import type { SecretFiles } from './secret-files.js';

/** The Worker Deployment of all workers. */
export const DEPLOYMENT = 'soak';

/** A webhook takes a new secret "after a second" (docs/secrets.md), and a message that was signed before it may come later. */
const BOTH_SECRETS_MS = 15_000;
/** Longer than any soak. */
const LAST_KEY_SECONDS = 7 * 86_400;
const TRIES = 30;

interface Changing {
  readonly arena: Arena;
  readonly files: SecretFiles;
  readonly say: (line: string) => void;
}

/** Each change at its part of the time. */
export async function changeEverything({ arena, files, say }: Changing, endsAtMs: number): Promise<void> {
  const startedAtMs = Date.now();
  const ramp = () => setVersion(arena, 'set-ramping-version', '2', '--percentage', '50');
  const current = (buildId: string) => () => setVersion(arena, 'set-current-version', buildId);
  const changes: readonly (readonly [part: number, what: string, act: () => Promise<void>])[] = [
    [0.25, 'a second encryption key is there', () => files.appendEncryptionKey()],
    [0.3, 'payloads are encrypted with the second key', () => files.encryptWithNewKey()],
    [0.35, 'half of the new runs begin on version 2', ramp],
    [0.45, 'the access key is replaced; the first one expires soon', () => replaceAccessKey(arena, files)],
    [0.5, 'version 2 is current', current('2')],
    [0.6, 'the webhook has a new secret', () => replaceWebhookSecret(files)],
    [0.7, 'back to version 1', current('1')],
  ];
  for (const [part, what, act] of changes) {
    await delay(Math.max(0, startedAtMs + part * (endsAtMs - startedAtMs) - Date.now()));
    await act();
    say(what);
  }
}

/** Makes a version current, or ramps it. @param command of `temporal worker deployment` */
export async function setVersion(
  { temporalProgram, temporalAddress }: Arena,
  command: 'set-current-version' | 'set-ramping-version',
  buildId: string,
  ...words: readonly string[]
): Promise<void> {
  const named = ['--deployment-name', DEPLOYMENT, '--build-id', buildId, '--yes'];
  for (let tries = 1; ; tries++) {
    try {
      const all = ['worker', 'deployment', command, ...named, ...words, '--address', temporalAddress];
      await promisify(execFile)(temporalProgram, all);
      return;
    } catch (error) {
      // A version exists once its worker polls.
      if (tries === TRIES) throw error;
      await delay(1_000);
    }
  }
}

/** The simulator hands out a new key when a sixth of the lifetime is more than what the last one has left. */
async function replaceAccessKey({ control }: Arena, files: SecretFiles): Promise<void> {
  await control.switches({ agencyKeyLifetimeSeconds: LAST_KEY_SECONDS });
  await files.replaceAccessKey();
}

async function replaceWebhookSecret(files: SecretFiles): Promise<void> {
  await files.replaceWebhookSecret();
  await delay(BOTH_SECRETS_MS);
  files.retireWebhookSecret();
}
