/** A string that must not be shown: it prints as `***`, and only `reveal` returns its value. */
import { inspect } from 'node:util';

const HIDDEN = '***';

/** A value that may change while the process runs, such as the text of a mounted file. */
export interface ChangingValue {
  /** The value as of now. */
  read(): string;
  /** The value, not from any cache. Default: `read`. */
  readAgain?(): string;
}

/** Wraps a credential. Reveal it at the time of use, and keep no copy: it may change. */
export class Secret {
  readonly #value: ChangingValue;

  constructor(value: string | ChangingValue) {
    this.#value = typeof value === 'string' ? { read: () => value } : value;
  }

  reveal(): string {
    return this.#value.read();
  }

  /** The same, read from its source now: for a credential that was just refused. */
  revealAgain(): string {
    return this.#value.readAgain?.() ?? this.#value.read();
  }

  /** The same secret in another form. A value that has no such form is passed over: the last one that has it stays. @throws what `change` throws for the first value */
  as(change: (value: string) => string | null): Secret {
    let last = change(this.reveal()) ?? '';
    return new Secret({ read: () => (last = change(this.reveal()) ?? last) });
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
