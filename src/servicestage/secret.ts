/** A string that must not be shown: it prints as `***`, and only `reveal` returns its value. */
import { inspect } from 'node:util';

const HIDDEN = '***';

/** Wraps a credential. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
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
