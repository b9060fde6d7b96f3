/** Whether a process can do its work: all its checks, each with its reason. */
import { CachedCheck, type Check, type Verdict } from './checks.js';

/** What `/readyz` answers. */
export interface Readiness {
  /** True if every check is ok. */
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, Verdict>>;
}

/** The checks of one process, by name. */
export class ReadinessChecks<Name extends string> {
  readonly #checks: readonly (readonly [Name, CachedCheck])[];

  /** @param clock monotonic milliseconds */
  constructor(checks: Readonly<Record<Name, Check>>, clock?: () => number) {
    this.#checks = (Object.entries(checks) as [Name, Check][]).map(([name, check]) => [
      name,
      new CachedCheck(check, clock),
    ]);
  }

  /** Never throws, and answers within half a second. */
  async read(): Promise<Readiness> {
    const found = await Promise.all(this.#checks.map(async ([name, check]) => [name, await check.verdict()] as const));
    return { ready: found.every(([, { ok }]) => ok), checks: Object.fromEntries(found) };
  }
}
