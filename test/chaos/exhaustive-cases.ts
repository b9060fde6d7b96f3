/** The cases of the exhaustive suite as data: every fault at every request of a run, each once. `exhaustive-wiring.ts` chooses from them. */
import type { ActionName } from '../../src/domain/target/actions.js';
import type { FaultRequest } from '../support/simulator.js';
import { CLOUD_JOB_ENDS, FAULTS, POST_FAULTS, SHOWN_LATE, type ArmedOutcome } from './exhaustive-faults.js';

type Route = 'token' | 'applications' | 'components' | 'instances' | 'instance' | 'snapshots' | 'action' | 'job';

/** A run without a fault: its initial state, and every request it makes. */
export interface Scenario {
  readonly id: string;
  readonly runbook: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly initialStatus: 'RUNNING' | 'STOPPED';
  readonly steps: readonly ActionName[];
  /** Armed in each of its cases. */
  readonly outcomes: readonly { readonly action: ActionName; readonly outcome: ArmedOutcome }[];
  readonly requests: readonly ExpectedRequest[];
  /** Faults are armed from this request on; the requests before it are covered by `recover` itself. */
  readonly faultedFrom: number;
}

interface ExpectedRequest {
  /** `planning`, `observation`, or the step. */
  readonly place: string;
  readonly route: Route;
  /** The number among requests of the same place and route; the first is 1. */
  readonly ordinal: number;
  /** The number among requests of the same route in the whole run, which the simulator counts. */
  readonly nth: number;
  readonly what: string;
}

export interface Case {
  /** `recover/rollback/instance#2/reset`: stable and unique. */
  readonly id: string;
  readonly scenario: Scenario;
  /** The request that is hit, or the cloud job that fails: the table's heading. */
  readonly where: string;
  /** Where the armed fault should hit; `null` without a fault. */
  readonly place: string | null;
  readonly kind: string;
  readonly fault: FaultRequest | null;
  readonly outcomes: Scenario['outcomes'];
  /** A step that can end only by its deadline gets a short one. */
  readonly shortStep: ActionName | null;
}

/** All scenarios: the runbooks, and a recover whose rollback fails, so that its undo meets every fault as well. */
export function scenarios(): Scenario[] {
  const rollback = { version: '1.4.0' };
  return [
    scenario('recover', 'RUNNING', ['stop', 'rollback', 'start'], rollback),
    scenario('start', 'STOPPED', ['start']),
    scenario('stop', 'RUNNING', ['stop']),
    scenario('restart', 'RUNNING', ['restart']),
    scenario('scale', 'RUNNING', ['scale'], { replica: 4 }),
    scenario('rollback', 'RUNNING', ['rollback'], rollback),
    undoneRecover(rollback),
  ];
}

function scenario(
  runbook: string,
  initialStatus: Scenario['initialStatus'],
  steps: readonly ActionName[],
  inputs: Scenario['inputs'] = {},
): Scenario {
  const requests = numbered([
    ...beforeSteps(steps),
    ...steps.flatMap((step, index) => stepRequests(step, index + 1 === steps.length)),
  ]);
  return { id: runbook, runbook, inputs, initialStatus, steps, outcomes: [], requests, faultedFrom: 0 };
}

function undoneRecover(inputs: Scenario['inputs']): Scenario {
  const steps: readonly ActionName[] = ['stop', 'rollback', 'start'];
  const before = [
    ...beforeSteps(steps),
    ...stepRequests('stop', false),
    ...stepRequests('rollback', false).slice(0, 2),
  ];
  const requests = numbered([
    ...before,
    ['rollback', 'job', 'poll of the cloud job, which has FAILED'],
    ['rollback', 'instance', 'reading after the failure'],
    ['rollback', 'job', 'poll while settling'],
    ['rollback', 'instance', 'reading of the settling'],
    ...stepRequests('undo-stop', true),
  ]);
  const outcomes = [{ action: 'rollback', outcome: { executionStatus: 'FAILED' } }] as const;
  return {
    ...{ id: 'undone', runbook: 'recover', inputs, initialStatus: 'RUNNING', steps, outcomes, requests },
    faultedFrom: before.length,
  };
}

type Unnumbered = readonly [place: string, route: Route, what: string];

function beforeSteps(steps: readonly ActionName[]): Unnumbered[] {
  const planning = (route: Route, what: string): Unnumbered => ['planning', route, what];
  return [
    planning('token', 'sign-in'),
    planning('applications', 'list of applications'),
    planning('components', 'list of components'),
    planning('instances', 'list of instances'),
    planning('instance', 'reading'),
    ...(steps.includes('rollback') ? [planning('snapshots', 'list of snapshots')] : []),
    ['observation', 'instance', 'first reading under the lease'],
  ];
}

/** @param holds a step that another action follows ends with the first reading that shows its state */
function stepRequests(step: string, holds: boolean): Unnumbered[] {
  const requests: Unnumbered[] = [
    [step, 'instance', 'entry reading'],
    [step, 'action', 'POST'],
    [step, 'job', 'poll of the cloud job'],
    [step, 'instance', 'first verifying reading'],
  ];
  return holds ? [...requests, [step, 'instance', 'second verifying reading']] : requests;
}

function numbered(requests: readonly Unnumbered[]): ExpectedRequest[] {
  return requests.map(([place, route, what], index) => {
    const until = requests.slice(0, index + 1).filter(([, other]) => other === route);
    return { place, route, what, nth: until.length, ordinal: until.filter(([other]) => other === place).length };
  });
}

/** The run without a fault, then every fault at every request, then every end of every cloud job. */
export function casesOf(scenario: Scenario): Case[] {
  const plain = { scenario, place: null, fault: null, outcomes: scenario.outcomes, shortStep: null };
  const untouched: Case = { ...plain, id: `${scenario.id}/untouched`, where: '', kind: 'untouched' };
  const faulted = scenario.requests.slice(scenario.faultedFrom).flatMap((request) => faultCases(scenario, request));
  // The scenario with an armed failure is about its undo, whose cloud job is the start's.
  const actions: readonly ActionName[] = scenario.outcomes.length === 0 ? scenario.steps : ['start'];
  return [untouched, ...faulted, ...actions.flatMap((action) => cloudJobCases(scenario, action))];
}

function faultCases(scenario: Scenario, { place, route, ordinal, nth, what }: ExpectedRequest): Case[] {
  const faults = Object.entries(route === 'action' ? { ...FAULTS, ...POST_FAULTS, ...SHOWN_LATE } : FAULTS);
  const name = `${place}/${route}#${ordinal}`;
  return faults.map(([kind, fault]) => ({
    id: `${scenario.id}/${name}/${kind}`,
    scenario,
    where: `${name}: ${what}`,
    place,
    kind,
    fault: { on: { route }, nth, fault },
    outcomes: scenario.outcomes,
    shortStep: null,
  }));
}

function cloudJobCases(scenario: Scenario, action: ActionName): Case[] {
  const isUndo = scenario.outcomes.length > 0;
  const place = isUndo ? 'undo-stop' : action;
  // The deadline of an undo is at least the action table's ten minutes, too long to wait for here.
  const ends = Object.entries(CLOUD_JOB_ENDS).filter(([, end]) => !(isUndo && end.needsShortDeadline === true));
  return ends.map(([kind, { outcome, needsShortDeadline }]) => ({
    id: `${scenario.id}/${place}/cloud job/${kind}`,
    scenario,
    where: `${place}: end of the cloud job`,
    place: null,
    kind,
    fault: null,
    outcomes: [...scenario.outcomes, { action, outcome }],
    shortStep: needsShortDeadline === true ? action : null,
  }));
}
