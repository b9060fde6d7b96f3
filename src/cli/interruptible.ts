/** Ctrl-C and SIGTERM while a command waits: the wait ends with a word, not the process without one. */

/** A wait that a signal of the operating system ended. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(readonly signal: 'SIGINT' | 'SIGTERM') {
    super(`Interrupted by ${signal}`);
  }

  /** What shells expect of a command that a signal ended: 128 and its number. */
  get exitCode(): number {
    return this.signal === 'SIGINT' ? 130 : 143;
  }
}

/** Waits with a signal that the first Ctrl-C or SIGTERM aborts; the second one ends the process. @throws Interrupted, and what `wait` throws */
export async function interruptible<Value>(wait: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const abort = (signal: 'SIGINT' | 'SIGTERM') => {
    remove();
    controller.abort(new Interrupted(signal));
  };
  const remove = () => {
    process.removeListener('SIGINT', abort);
    process.removeListener('SIGTERM', abort);
  };
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  try {
    return await wait(controller.signal);
  } finally {
    remove();
  }
}
