/** Decides when the mishaps of a scenario happen: it counts requests at each site, and triggers disruptions at their moments. */
import type { Disruption, Fault, FaultEffect, Moment, Scenario, Site } from './scenario.js';

type Counter<Name extends string> = Partial<Record<Name, number>>;

/** Counts requests and moments, and finds the faults and disruptions that are due. */
export class Mishaps {
  readonly #requests: Counter<Site> = {};
  readonly #moments: Counter<Moment> = {};
  readonly #sites = new Set<Site>();
  readonly #watched = new Set<Moment>();

  constructor(
    private readonly scenario: Pick<Scenario, 'faults' | 'disruptions'>,
    private readonly disrupt: (delayMs: number, disruption: Disruption) => void,
  ) {
    for (const { site } of scenario.faults) this.#sites.add(site);
    for (const { after } of scenario.disruptions) this.#watched.add(after);
  }

  /** Counts one more request at a site. @returns the effect of the fault that hits it */
  at(site: Site): FaultEffect | null {
    if (!this.#sites.has(site)) return null;
    const nth = (this.#requests[site] ?? 0) + 1;
    this.#requests[site] = nth;
    const fault = this.scenario.faults.find((candidate) => hits(candidate, site, nth));
    return fault?.what ?? null;
  }

  /** Counts a moment. Disruptions that it triggers follow after their delay. */
  passed(moment: Moment): void {
    if (!this.#watched.has(moment)) return;
    const nth = (this.#moments[moment] ?? 0) + 1;
    this.#moments[moment] = nth;
    for (const timed of this.scenario.disruptions)
      if (timed.after === moment && timed.nth === nth) this.disrupt(timed.delayMs, timed.disruption);
  }
}

function hits(fault: Fault, site: Site, nth: number): boolean {
  return fault.site === site && nth >= fault.nth && nth < fault.nth + fault.times;
}
