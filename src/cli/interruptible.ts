/** Ctrl-C, SIGTERM and a closed terminal while a command waits: the wait ends with a word, not the process without one. */

/** What ends a wait, and the exit code that shells expect of a command that ended by it: 128 and the signal's number. */
const EXIT_CODES_OF_SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type EndingSignal = keyof typeof EXIT_CODES_OF_SIGNALS;

/** A wait that a signal of the operating system ended. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(readonly signal: EndingSignal) {
    super(`Interrupted by ${signal}`);
  }

  get exitCode(): number {
    return EXIT_CODES_OF_SIGNALS[this.signal];
  }
}

/**
 * Waits with a signal that the first Ctrl-C, SIGTERM or SIGHUP aborts; the second one ends the process. The listeners stay until the wait
 * is over: log-update's own one ends the process when it finds no other. @throws Interrupted, and what `wait` throws
 */
export async function interruptible<Value>(wait: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const signals = Object.keys(EXIT_CODES_OF_SIGNALS) as EndingSignal[];
  const interrupt = (signal: EndingSignal) => {
    if (controller.signal.aborted) process.exit(EXIT_CODES_OF_SIGNALS[signal]);
    controller.abort(new Interrupted(signal));
  };
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await wait(controller.signal);
  } finally {
    for (const signal of signals) process.removeListener(signal, interrupt);
  }
}
