/** The cases of the exhaustive suite in virtual time: every fault at every request, and every second fault at every later request. */
import { findRunbook } from '../../src/runbooks/catalogue.js';
import { ACTIONS, ACTION_NAMES, type ActionName } from '../../src/domain/target/actions.js';
import { planSteps } from '../../src/domain/plan/plan-steps.js';
import type { Observation } from '../../src/domain/target/target.js';
import type { InstanceState } from '../../src/simulator/effects.js';
import { CLOUD_JOB_ENDS } from '../chaos/exhaustive-faults.js';
import { scenarios, type Scenario } from '../chaos/exhaustive-cases.js';
import { effectKey, ofEnd, SITE_FAULTS, type FaultSite } from './exhaustive-faults.js';
import {
  plainId,
  playCase,
  type Asked,
  type PlayedCase,
  type PlayedRun,
  type InjectedFault,
} from './exhaustive-play.js';
import type { FaultEffect, PlannedAction } from './scenario.js';
import { TARGET } from './step-flow.js';
import type { Machine } from './world.js';

/** A run, and its course without any fault. */
export interface Untouched {
  readonly id: string;
  readonly run: PlayedRun;
  readonly played: PlayedCase;
  /** Faults are injected from this request on; the requests before it are covered by `recover` itself. */
  readonly from: number;
}

/** Cases that the machine cannot distinguish, because it sees the same answers. They are played once for all. */
export interface FaultCase {
  /** `recover/rollback/instance#2/reset`: stable and unique; a pair has both with ` + ` between. */
  readonly id: string;
  readonly untouched: Untouched;
  readonly faults: readonly InjectedFault[];
  /** The heading of its table. */
  readonly where: string;
  /** The kinds of its newest fault. */
  readonly kinds: readonly string[];
  /** How many cases it covers. */
  readonly weight: number;
}

/** Two verifying readings where the state must hold, always. */
const VERIFY = { withinMs: 30_000, stableMs: 20 };
/** Longer than any of these runs lasts. */
const RUN_DEADLINE_MS = 5 * 3_600_000;
/** For a step whose cloud job never ends: time for a few polls. */
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

function nthOf(asked: readonly Asked[], site: FaultSite, nth: number): number {
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
  const rules = {
    inputs,
    usualDurationsMs: usualDurationsMs as Record<ActionName, number>,
    verify: VERIFY,
    refusalOfUrl: () => null,
  };
  const { steps, problems } = planSteps(found.runbook, facts, rules);
  if (problems.length > 0) throw new TypeError(`${runbook} cannot be planned: ${JSON.stringify(problems)}`);
  const actions = steps.flatMap((step): PlannedAction[] => {
    if (step.kind !== 'action') return [];
    const { id: _named, ...action } = step;
    return [{ ...action, stableMs: step.verify.stableMs }];
  });
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
export function singlesOf(one: Untouched): FaultCase[] {
  const { id, played, from } = one;
  return faultsFrom(played.asked, from).map(({ name, where, kinds, fault }) => ({
    ...{ id: `${id}/${name}/${kinds[0]}`, untouched: one, faults: [fault], where, kinds, weight: kinds.length },
  }));
}

/**
 * A second fault at every request after the first one, up to the end of the run as the first fault changes it. This includes requests that are
 * repeated, and the cloud job of a POST that was hit.
 */
export function pairsOf(first: FaultCase, { asked }: PlayedCase): FaultCase[] {
  const { id, untouched: one, faults, weight } = first;
  const [{ order } = { order: 0 }] = faults;
  return faultsFrom(asked, order).map(({ name, where, kinds, fault }) => ({
    ...{ id: `${id} + ${name}/${kinds[0]}`, untouched: one, faults: [...faults, fault], where, kinds },
    weight: weight * kinds.length,
  }));
}

/** A fault with the name of its request. */
export interface NamedFault {
  readonly fault: InjectedFault;
  /** `rollback/instance#2` */
  readonly name: string;
  readonly where: string;
  readonly kinds: readonly string[];
}

/** @returns `rollback/instance#2`, for the request with this index */
export function requestName(asked: readonly Asked[], index: number, { site, by }: Asked): string {
  return `${plainId(by)}/${SITE_NAMES[site]}#${ordinalOf(asked, index, ['site', 'by'])}`;
}

/** Every fault at every request from this one on. */
export function faultsFrom(asked: readonly Asked[], from: number): NamedFault[] {
  return asked.flatMap((one, index) => {
    if (index < from || isAmid(asked, index)) return [];
    const { site, phase } = one;
    const name = requestName(asked, index, one);
    const where = `${name}: ${SITE_MEANS[site] ?? phase}`;
    return DISTINCT_FAULTS[site].map(({ what, kinds }) => ({
      name,
      where,
      kinds,
      fault: { order: index + 1, site, what },
    }));
  });
}

interface DistinctFault {
  readonly what: FaultEffect;
  readonly kinds: readonly string[];
}

/** The kinds of faults at each site, grouped by their effect on the machine. */
const DISTINCT_FAULTS = Object.fromEntries(
  Object.entries(SITE_FAULTS).map(([site, kinds]) => {
    const byEffect = new Map<string, { what: FaultEffect; kinds: string[] }>();
    for (const [kind, what] of Object.entries(kinds)) {
      const key = effectKey(what);
      const distinct = byEffect.get(key) ?? { what, kinds: [] };
      distinct.kinds.push(kind);
      byEffect.set(key, distinct);
    }
    return [site, [...byEffect.values()]];
  }),
) as unknown as Readonly<Record<FaultSite, readonly DistinctFault[]>>;

/** Only this many requests at the start of one wait are hit, and the last. Those between do not differ. */
const FAULTS_PER_WAIT = 7;

function isAmid(asked: readonly Asked[], index: number): boolean {
  const isSameRequest = (other: Asked | undefined) => SAME_REQUEST.every((key) => other?.[key] === asked[index]?.[key]);
  const isLast = !isSameRequest(asked[index + 1]);
  return (
    !isLast && asked.slice(Math.max(0, index - FAULTS_PER_WAIT), index).filter(isSameRequest).length === FAULTS_PER_WAIT
  );
}

const SAME_REQUEST = ['site', 'by', 'phase'] as const;

/** The number of this request among equal requests, counted from the first. */
function ordinalOf(asked: readonly Asked[], index: number, by: readonly (keyof Asked)[]): number {
  const byEffect = (other: Asked) => by.every((key) => other[key] === asked[index]?.[key]);
  return asked.slice(0, index + 1).filter(byEffect).length;
}

/** The names that the API's routes have elsewhere. */
const SITE_NAMES: Readonly<Record<FaultSite, string>> = {
  observe: 'instance',
  read: 'instance',
  poll: 'job',
  inspect: 'inspection',
  connect: 'connection',
  post: 'action',
  job: 'cloud job',
};

/** The text of a heading; otherwise the phase of the machine. */
const SITE_MEANS: Partial<Readonly<Record<FaultSite, string>>> = {
  observe: 'first reading under the lease',
  connect: 'connection of the POST',
  post: 'POST',
  job: 'what becomes of it',
};

/** A step whose cloud job can end only by its deadline gets a short deadline. */
export function runOf({ untouched: { run }, faults }: FaultCase): PlayedRun {
  const isEndless = faults.some(({ site, what }) => site === 'job' && ENDLESS.has(effectKey(what)));
  if (!isEndless) return run;
  const steps = run.plan.steps.map((step) => ({ ...step, deadlineMs: SHORT_DEADLINE_MS }));
  return { ...run, plan: { ...run.plan, steps } };
}

const ENDLESS = new Set(
  Object.values(CLOUD_JOB_ENDS).flatMap(({ outcome, needsShortDeadline }) =>
    needsShortDeadline === true ? [effectKey(ofEnd(outcome))] : [],
  ),
);
