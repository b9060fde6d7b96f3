/** The permanent access keys of the account's user: the first one, and those that a tester creates and deletes. */
import { createHash } from 'node:crypto';

/** An access key. */
export interface SimulatedKey {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Token of temporary keys; if set, it must be sent and signed. */
  readonly securityToken: string | undefined;
}

/** "Each user can have a maximum of two access keys" (IAM user guide, 2025-11). */
const MOST_KEYS = 2;

/** As in IAM: at most two at once, so that one can replace the other. */
export class AccessKeys {
  #keys: SimulatedKey[];

  /** @param newId supplies what new keys are derived from */
  constructor(
    first: SimulatedKey,
    private readonly newId: () => string,
  ) {
    this.#keys = [first];
  }

  /** Their ids, oldest first. */
  get ids(): readonly string[] {
    return this.#keys.map(({ accessKey }) => accessKey);
  }

  find(accessKey: string): SimulatedKey | undefined {
    return this.#keys.find((key) => key.accessKey === accessKey);
  }

  /** Creates a key, which is valid at once beside the other. @returns `null` if there are two already */
  create(): SimulatedKey | null {
    if (this.#keys.length >= MOST_KEYS) return null;
    const id = createHash('sha256').update(this.newId()).digest('hex').slice(0, 12).toUpperCase();
    const key = { accessKey: `SIMKEY02${id}`, secretKey: `simulated-secret-${this.newId()}`, securityToken: undefined };
    this.#keys.push(key);
    return key;
  }

  /** Deletes a key, which is refused from then on. @returns whether there was one */
  delete(accessKey: string): boolean {
    const isThere = this.find(accessKey) !== undefined;
    this.#keys = this.#keys.filter((key) => key.accessKey !== accessKey);
    return isThere;
  }
}
