/**
 * Which cases a real server plays: the rules are tested in virtual time (`test/model/exhaustive.ts`), so here it is enough to show that each
 * kind of fault reaches them.
 */
import { effectKey, effectAt } from '../model/exhaustive-faults.js';
import { casesOf, scenarios, type Case } from './exhaustive-cases.js';

/** Planning does not reach the once machine, and this runbook makes each of its requests. */
const PLANNED_BY = 'recover';
/** The first case of each kind of wiring is played. A restart is never sent twice, so it shows the most. */
const FIRST_CHOICE = 'restart';

/** Each run without a fault, each fault while planning, and one case for each kind of wiring. */
export function wiredCases(): Case[] {
  const all = scenarios().flatMap(casesOf);
  const chosen = new Set(all.filter(isPlayedAnyway));
  const wirings = new Set<string>();
  for (const one of all.filter(({ scenario }) => scenario.id === FIRST_CHOICE)) {
    const wiring = wiringOf(one);
    if (wiring === null || wirings.has(wiring)) continue;
    wirings.add(wiring);
    chosen.add(one);
  }
  return all.filter((one) => chosen.has(one));
}

function isPlayedAnyway({ kind, place, scenario }: Case): boolean {
  return kind === 'untouched' || (place === 'planning' && scenario.id === PLANNED_BY);
}

/** The request, the code that makes it, and the effect of the fault; or how the cloud job ends. `null`: not part of any wiring. */
function wiringOf({ kind, fault, place }: Case): string | null {
  if (kind === 'untouched' || place === 'planning') return null;
  if (fault === null) return `cloud job ${kind}`;
  const route = fault.on?.route ?? '';
  return `${place === 'observation' ? place : 'step'} ${route} ${effectKey(effectAt(route, fault.fault))}`;
}
