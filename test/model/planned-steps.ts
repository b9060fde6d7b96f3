/** The steps of a plan as the product has them: the actions, and the approvals and checks between them. */
import type { HttpCheck } from '../../src/domain/checks/check.js';
import type { ActionStep, ApprovalStep, CheckStep, PlannedStep } from '../../src/domain/plan/plan.js';
import type { PlannedAction, PlannedAside, PlannedCheck, PlannedRun } from './scenario.js';

/** How long reaching the desired state may take. Chosen: shorter than the catalogue's, so that a run ends after fewer readings. */
const VERIFY_WITHIN_MS = 30_000;

/** The steps in their order: checks that come before everything first. */
export function plannedSteps(plan: PlannedRun, usualDurationMs: number): readonly PlannedStep[] {
  const actions = plan.steps.map((action, index) => actionStep(action, index, usualDurationMs));
  if (!hasAsides(plan)) return actions;
  const asides = namedAsides(plan);
  const first = asides.filter(isBefore);
  const at = (position: number) => asides.filter((aside) => !isBefore(aside) && aside.at === position);
  const inOrder = [...actions, null].flatMap((step, index): PlannedStep[] => [
    ...at(index).map(asideStep),
    ...(step === null ? [] : [step]),
  ]);
  return [...first.map(asideStep), ...inOrder];
}

/** True if the plan has approvals or checks. Most drawn plans have none, and what is checked about them can be left out. */
export function hasAsides({ asides = [] }: PlannedRun): boolean {
  return asides.length > 0;
}

function isBefore(aside: PlannedAside): boolean {
  return aside.kind === 'check' && aside.before;
}

type Named<Part> = Part & { readonly id: string };

function namedAsides({ asides = [] }: PlannedRun): readonly Named<PlannedAside>[] {
  return asides.map((aside, index) => ({ ...aside, id: aside.id ?? `${aside.kind}-${index + 1}` }));
}

/** The check with this id. @throws TypeError if there is none */
export function checkOf(plan: PlannedRun, id: string): PlannedCheck {
  const found = namedAsides(plan).find((aside) => aside.id === id);
  if (found?.kind !== 'check') throw new TypeError(`There is no check ${id}`);
  return found;
}

function actionStep(planned: PlannedAction, index: number, usualDurationMs: number): ActionStep {
  const { action, deadlineMs, stableMs, holds, onFailure, compensation, expects } = planned;
  const verify = { withinMs: VERIFY_WITHIN_MS, stableMs };
  const id = planned.id ?? `${index + 1}-${action.action}`;
  const step: ActionStep = { kind: 'action', id, action, deadlineMs, verify, usualDurationMs, onFailure, compensation };
  if (holds !== false && expects === undefined) return step;
  return { ...step, ...(holds === false ? { holds } : {}), ...(expects === undefined ? {} : { expects }) };
}

function asideStep(aside: Named<PlannedAside>): ApprovalStep | CheckStep {
  const { id } = aside;
  if (aside.kind === 'approval')
    return { kind: 'approval', id, title: 'may it continue', onFailure: aside.onFailure, ...aside.rules };
  const { before, onFailure } = aside;
  return { kind: 'check', id, before, onFailure, check: httpCheckOf(aside) };
}

/** As the product asks it. */
export function httpCheckOf({ withinMs, stableMs, timeoutMs }: PlannedCheck): HttpCheck {
  const wanted = { url: 'https://shop.example.com/health', status: 200, header: {}, json: [], text: null };
  return { ...wanted, withinMs, stableMs, timeoutMs };
}

/** The same plan with only these steps of it, which keep their names. */
export function partOf(plan: PlannedRun, left: readonly PlannedStep[]): PlannedRun {
  const actions = plan.steps.map((action, index) => ({
    ...action,
    id: action.id ?? `${index + 1}-${action.action.action}`,
  }));
  const steps = left.flatMap((step): PlannedAction[] => {
    const planned = actions.find(({ id }) => id === step.id);
    if (planned === undefined || step.kind !== 'action') return [];
    return [{ ...planned, ...(step.expects === undefined ? {} : { expects: step.expects }) }];
  });
  const asides = namedAsides(plan).flatMap((aside): PlannedAside[] => {
    const index = left.findIndex(({ id }) => id === aside.id);
    if (index < 0) return [];
    return [{ ...aside, at: left.slice(0, index).filter(({ kind }) => kind === 'action').length }];
  });
  return { ...plan, steps, asides };
}
