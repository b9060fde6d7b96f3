/** Every file operation of ours goes through here, so that a file system that does not answer costs one thread of Node's pool and not all four. */

/** Node has four threads for files, names and cryptography (UV_THREADPOOL_SIZE): two are left for the rest. */
const MOST_AT_ONCE = 2;

/** Why a file could not be read. `missing`: there is none of that name. */
export type FileErrorCode = 'missing' | 'notAFile' | 'tooLarge' | 'unanswered' | 'unreadable';

/**
 * A file or folder that could not be read. The message continues a sentence and names no path, which may itself be a secret:
 * `is a named pipe, not a regular file`.
 */
export class FileError extends Error {
  override readonly name = 'FileError';

  constructor(
    readonly code: FileErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

interface Job {
  readonly folder: string;
  begin(): void;
}

/**
 * Queues file operations: one for each folder, two altogether. Node cannot end a call that the kernel does not answer, as on a
 * network file system whose server is unreachable; an operation that outlives its time limit keeps its place until it is answered,
 * and meanwhile every other operation in the same folder is refused at once.
 */
export class FileAccess {
  readonly #busy = new Set<string>();
  readonly #unanswered = new Set<string>();
  readonly #waiting = new Set<Job>();

  /** Folders with an operation beyond its time limit, sorted. */
  unanswered(): string[] {
    return [...this.#unanswered].sort();
  }

  /** @returns what the operation returns. @throws FileError `unanswered` after `timeoutMs`, which includes the wait for a place; else what the operation throws */
  run<Value>(folder: string, timeoutMs: number, operation: () => Promise<Value>): Promise<Value> {
    if (this.#unanswered.has(folder) || this.#unanswered.size >= MOST_AT_ONCE)
      return Promise.reject(new FileError('unanswered', 'is on a file system that does not answer'));
    return new Promise((resolve, reject) => {
      const job: Job = { folder, begin: () => void operation().then(resolve, reject).finally(end) };
      const timer = setTimeout(() => {
        if (!this.#waiting.delete(job)) this.#unanswered.add(folder);
        reject(new FileError('unanswered', `was not read within ${timeoutMs / 1_000} s`));
      }, timeoutMs);
      const end = () => {
        clearTimeout(timer);
        this.#busy.delete(folder);
        this.#unanswered.delete(folder);
        this.#beginNext();
      };
      this.#waiting.add(job);
      this.#beginNext();
    });
  }

  #beginNext(): void {
    for (const job of this.#waiting) {
      if (this.#busy.size >= MOST_AT_ONCE) return;
      if (this.#busy.has(job.folder)) continue;
      this.#waiting.delete(job);
      this.#busy.add(job.folder);
      job.begin();
    }
  }
}

/** The process has one pool of threads, and so one queue. */
export const fileAccess = new FileAccess();
