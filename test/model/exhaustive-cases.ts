/** The cases of the exhaustive suite in virtual time: every fault at every request, and every second fault at every request after it. */
import { findRunbook } from '../../src/runbooks/catalogue.js';
import { ACTIONS, ACTION_NAMES, type ActionName } from '../../src/domain/target/actions.js';
import { planSteps } from '../../src/domain/plan/plan-steps.js';
import type { Observation } from '../../src/domain/target/target.js';
import type { InstanceState } from '../../src/simulator/effects.js';
import { CLOUD_JOB_ENDS } from '../chaos/exhaustive-faults.js';
import { scenarios, type Scenario } from '../chaos/exhaustive-cases.js';
import { heardAs, ofEnd, STRIKES, type StruckSite } from './exhaustive-faults.js';
import { plainId, playCase, type Asked, type PlayedCase, type PlayedRun, type Strike } from './exhaustive-play.js';
import type { Mischief, PlannedAction } from './scenario.js';
import { TARGET } from './step-flow.js';
import type { Machine } from './world.js';

/** A run, and how it goes when nothing is struck. */
export interface Untouched {
  readonly id: string;
  readonly run: PlayedRun;
  readonly played: PlayedCase;
  /** Requests from this one on are struck; those before are met in `recover` itself. */
  readonly from: number;
}

/** Cases that the machine cannot tell apart, since it hears the same of them: played once for all. */
export interface StruckCase {
  /** `recover/rollback/instance#2/reset`: stable, and unique; of a pair, both with ` + ` between. */
  readonly id: string;
  readonly untouched: Untouched;
  readonly strikes: readonly Strike[];
  /** The heading of its table. */
  readonly where: string;
  /** Of its newest fault. */
  readonly kinds: readonly string[];
  /** How many cases it stands for. */
  readonly weight: number;
}

/** Two verifying readings, always. */
const VERIFY = { withinMs: 30_000, stableMs: 20 };
/** Longer than any of these runs takes. */
const RUN_DEADLINE_MS = 5 * 3_600_000;
/** For a step whose cloud job never ends: a few polls, and its time is over. */
const SHORT_DEADLINE_MS = 60_000;

/** Each scenario of the suite on a real server, planned by the product. */
export async function untouchedRuns(machine?: Machine): Promise<Untouched[]> {
  return Promise.all(scenarios().map((scenario) => untouched(scenario, machine)));
}

async function untouched(scenario: Scenario, machine?: Machine): Promise<Untouched> {
  const armed = new Map(
    scenario.outcomes.map(({ action, outcome }) => [scenario.steps.indexOf(action) + 1, ofEnd(outcome)]),
  );
  const run: PlayedRun = { ...(await planOf(scenario)), armed };
  const played = playCase(run, [], machine);
  const lastArmed = Math.max(0, ...armed.keys());
  const from = lastArmed === 0 ? 0 : nthOf(played.asked, 'job', lastArmed) + 1;
  return { id: scenario.id, run, played, from };
}

function nthOf(asked: readonly Asked[], site: StruckSite, nth: number): number {
  return asked.findIndex((one, index) => one.site === site && ordinalOf(asked, index, ['site']) === nth);
}

async function planOf({ runbook, inputs, initialStatus }: Scenario): Promise<Omit<PlayedRun, 'armed'>> {
  const found = await findRunbook([], runbook);
  if (found.kind !== 'found') throw new TypeError(`There is no runbook ${runbook}`);
  const initial: InstanceState = {
    status: initialStatus,
    version: '1.4.1',
    replica: 2,
    availableReplica: initialStatus === 'RUNNING' ? 2 : 0,
    hosts: [],
  };
  const facts = { target: TARGET, seen: seenOf(initial), snapshotVersions: ['1.4.0', '1.3.2'] };
  const usualDurationsMs = Object.fromEntries(ACTION_NAMES.map((name) => [name, ACTIONS[name].usualDurationMs]));
  const rules = { inputs, usualDurationsMs: usualDurationsMs as Record<ActionName, number>, verify: VERIFY };
  const { steps, problems } = planSteps(found.runbook, facts, rules);
  if (problems.length > 0) throw new TypeError(`${runbook} cannot be planned: ${JSON.stringify(problems)}`);
  const actions = steps.flatMap((step): PlannedAction[] =>
    step.kind === 'action' ? [{ ...step, stableMs: step.verify.stableMs }] : [],
  );
  const { onCancel } = found.runbook;
  return { plan: { steps: actions, onCancel, deadlineMs: RUN_DEADLINE_MS, startsAfterMs: 0 }, initial };
}

function seenOf({ status, version, replica, availableReplica }: InstanceState): Observation {
  return {
    observedAtMs: 0,
    status,
    version,
    replicaCount: replica,
    availableReplicaCount: availableReplica,
    hosts: null,
    lastJobId: 'J0',
    lastJobStatus: 'SUCCEEDED',
    failDetail: null,
  };
}

/** Every fault at every request, and every end of every cloud job. */
export function singlesOf(one: Untouched): StruckCase[] {
  const { id, played, from } = one;
  return strikesAfter(played.asked, from).map(({ name, where, kinds, strike }) => ({
    ...{ id: `${id}/${name}/${kinds[0]}`, untouched: one, strikes: [strike], where, kinds, weight: kinds.length },
  }));
}

/**
 * A second fault at every request that comes after the first one, up to the end of the run as the first one makes it. A request that is
 * made again comes after it too, and so does what becomes of the cloud job of a POST that was struck.
 */
export function pairsOf(first: StruckCase, { asked }: PlayedCase): StruckCase[] {
  const { id, untouched: one, strikes, weight } = first;
  const [{ order } = { order: 0 }] = strikes;
  return strikesAfter(asked, order).map(({ name, where, kinds, strike }) => ({
    ...{ id: `${id} + ${name}/${kinds[0]}`, untouched: one, strikes: [...strikes, strike], where, kinds },
    weight: weight * kinds.length,
  }));
}

interface NamedStrike {
  readonly strike: Strike;
  /** `rollback/instance#2` */
  readonly name: string;
  readonly where: string;
  readonly kinds: readonly string[];
}

function strikesAfter(asked: readonly Asked[], from: number): NamedStrike[] {
  return asked.flatMap((one, index) => {
    if (index < from || isAmid(asked, index)) return [];
    const { site, by, phase } = one;
    const name = `${plainId(by)}/${SITE_NAMES[site]}#${ordinalOf(asked, index, ['site', 'by'])}`;
    const where = `${name}: ${SITE_MEANS[site] ?? phase}`;
    return HEARD[site].map(({ what, kinds }) => ({ name, where, kinds, strike: { order: index + 1, site, what } }));
  });
}

interface Heard {
  readonly what: Mischief;
  readonly kinds: readonly string[];
}

/** The kinds of each site, by what the machine hears of them. */
const HEARD = Object.fromEntries(
  Object.entries(STRIKES).map(([site, kinds]) => {
    const alike = new Map<string, { what: Mischief; kinds: string[] }>();
    for (const [kind, what] of Object.entries(kinds)) {
      const key = heardAs(what);
      const heard = alike.get(key) ?? { what, kinds: [] };
      heard.kinds.push(kind);
      alike.set(key, heard);
    }
    return [site, [...alike.values()]];
  }),
) as unknown as Readonly<Record<StruckSite, readonly Heard[]>>;

/** The first few requests of one wait, and its last: what comes between is as they are. */
const STRUCK_OF_A_WAIT = 7;

function isAmid(asked: readonly Asked[], index: number): boolean {
  const isAlike = (other: Asked | undefined) => ALIKE.every((key) => other?.[key] === asked[index]?.[key]);
  const isLast = !isAlike(asked[index + 1]);
  return (
    !isLast && asked.slice(Math.max(0, index - STRUCK_OF_A_WAIT), index).filter(isAlike).length === STRUCK_OF_A_WAIT
  );
}

const ALIKE = ['site', 'by', 'phase'] as const;

/** Its number among those before it that are alike. */
function ordinalOf(asked: readonly Asked[], index: number, by: readonly (keyof Asked)[]): number {
  const alike = (other: Asked) => by.every((key) => other[key] === asked[index]?.[key]);
  return asked.slice(0, index + 1).filter(alike).length;
}

/** As the API's routes are called elsewhere. */
const SITE_NAMES: Readonly<Record<StruckSite, string>> = {
  observe: 'instance',
  read: 'instance',
  poll: 'job',
  inspect: 'inspection',
  connect: 'connection',
  post: 'action',
  job: 'cloud job',
};

/** What a heading says; else the phase of the machine. */
const SITE_MEANS: Partial<Readonly<Record<StruckSite, string>>> = {
  observe: 'first reading under the lease',
  connect: 'connection of the POST',
  post: 'POST',
  job: 'what becomes of it',
};

/** A step whose cloud job cannot end otherwise than by its deadline gets a short one. */
export function runOf({ untouched: { run }, strikes }: StruckCase): PlayedRun {
  const isEndless = strikes.some(({ site, what }) => site === 'job' && ENDLESS.has(heardAs(what)));
  if (!isEndless) return run;
  const steps = run.plan.steps.map((step) => ({ ...step, deadlineMs: SHORT_DEADLINE_MS }));
  return { ...run, plan: { ...run.plan, steps } };
}

const ENDLESS = new Set(
  Object.values(CLOUD_JOB_ENDS).flatMap(({ outcome, needsShortDeadline }) =>
    needsShortDeadline === true ? [heardAs(ofEnd(outcome))] : [],
  ),
);
