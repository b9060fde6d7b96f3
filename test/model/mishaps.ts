/** When a scenario's mishaps are due: requests are counted where they are made, and blows wait for their moment. */
import type { Blow, Fault, Mischief, Moment, Scenario, Site } from './scenario.js';

type Counter<Name extends string> = Partial<Record<Name, number>>;

/** Counts requests and moments, and says what strikes. */
export class Mishaps {
  readonly #requests: Counter<Site> = {};
  readonly #moments: Counter<Moment> = {};
  readonly #sites = new Set<Site>();
  readonly #watched = new Set<Moment>();

  constructor(
    private readonly scenario: Pick<Scenario, 'faults' | 'blows'>,
    private readonly strike: (delayMs: number, blow: Blow) => void,
  ) {
    for (const { site } of scenario.faults) this.#sites.add(site);
    for (const { after } of scenario.blows) this.#watched.add(after);
  }

  /** One more request at a site. @returns what strikes it */
  at(site: Site): Mischief | null {
    if (!this.#sites.has(site)) return null;
    const nth = (this.#requests[site] ?? 0) + 1;
    this.#requests[site] = nth;
    const fault = this.scenario.faults.find((candidate) => strikes(candidate, site, nth));
    return fault?.what ?? null;
  }

  /** A moment has come: blows that are timed by it are struck after their delay. */
  passed(moment: Moment): void {
    if (!this.#watched.has(moment)) return;
    const nth = (this.#moments[moment] ?? 0) + 1;
    this.#moments[moment] = nth;
    for (const timed of this.scenario.blows)
      if (timed.after === moment && timed.nth === nth) this.strike(timed.delayMs, timed.blow);
  }
}

function strikes(fault: Fault, site: Site, nth: number): boolean {
  return fault.site === site && nth >= fault.nth && nth < fault.nth + fault.times;
}
