/** Ctrl-C, SIGTERM and a closed terminal end what a command waits for, or serves, instead of killing the process. */

/** Exit codes that shells expect from a command that a signal ended: 128 plus the number of the signal. */
const EXIT_CODES_OF_SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type EndingSignal = keyof typeof EXIT_CODES_OF_SIGNALS;

/** Thrown when an operating system signal ended a wait. */
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
 * Runs `wait` with a signal that the first Ctrl-C, SIGTERM or SIGHUP aborts; the second one ends the process.
 * The listeners stay until the wait is over, so that the first one ends no process that still has to restore its terminal.
 * @throws Interrupted, and what `wait` throws
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

/** Resolves at the first Ctrl-C or SIGTERM, for commands that serve until they are stopped. A second one of the same kind ends the process. */
export async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
