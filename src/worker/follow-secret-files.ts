/** Notices replaced files of secrets and of encryption keys in a worker that has no work, too: anyone who rotates a key waits for the line in the log before the old one is deleted. */
import type { Logger } from 'pino';
import type { SecretFiles } from '../config/secret-files.js';
import type { WorkerHealth } from './health.js';

/** Chosen: an access key and its secret key are two small reads. */
const CHECK_EVERY_MS = 2_000;

/** The files of a worker. */
export interface FollowedByWorker {
  readonly secretFiles: Pick<SecretFiles, 'check' | 'reportTo'>;
  /** Reads the file of encryption keys if it is time to; what happens to it is reported elsewhere. */
  readonly checkKeys: () => void;
}

/**
 * Logs what happens to the files of secrets, and has the next probe ask whether a new value is accepted.
 * @param everyMs how often they are checked. Default: 2 s
 * @returns ends it
 */
export function followSecretFiles(
  { secretFiles, checkKeys }: FollowedByWorker,
  health: Pick<WorkerHealth, 'secretChanged'>,
  log: Pick<Logger, 'info' | 'warn'>,
  everyMs: number = CHECK_EVERY_MS,
): () => void {
  secretFiles.reportTo(({ level, text }) => {
    log[level]({ what: text }, 'secret file');
    if (level === 'info') health.secretChanged();
  });
  const timer = setInterval(() => {
    secretFiles.check();
    checkKeys();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
