/** Plans the steps of one target from runbook, inputs and facts: all values literal, or every problem. Pure. */
import { ACTIONS, type Action, type ActionName } from '../target/actions.js';
import { durationMs, DURATION_REMEDY } from '../time/duration.js';
import { interpolate, isWholeExpression, namesUsed, type Values } from '../runbook/interpolate.js';
import type { Problem } from '../failures.js';
import { plannedCheck, type RefusalOfUrl } from './plan-check.js';
import type { ActionStep, ApprovalRules, ExpectedCounts, PlannedCompensation, PlannedStep } from './plan.js';
import type { Runbook } from '../runbook/runbook.js';
import {
  isActionStep,
  isApprovalStep,
  isCheckStep,
  stepIds,
  type RunbookActionStep,
  type RunbookStep,
} from '../runbook/step-shapes.js';
import type { RunbookApproval } from '../runbook/approval-shape.js';
import { stepTimes, type VerifyDefaults } from '../runbook/runbook-checks.js';
import type { Observation, Target } from '../target/target.js';

/** What planning knows of one target. */
export interface TargetFacts {
  readonly target: Target;
  readonly seen: Observation;
  /** Versions of the snapshots, newest first; empty if no step needs them. */
  readonly snapshotVersions: readonly string[];
  /** Only for a runbook with `restores`; `null` if nothing can be restored, which is reported separately. */
  readonly captured?: Captured | null;
}

/** What a run of another runbook captured on the target. */
export interface Captured {
  readonly replicaCount: number;
  /** For people: the run, and from → to. */
  readonly note: string;
  readonly expects: ExpectedCounts;
}

/** Defaults for what a runbook does not set. */
export interface PlanningRules {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly usualDurationsMs: Readonly<Record<ActionName, number>>;
  readonly verify: VerifyDefaults;
  /** Which URLs the worker lets checks ask. */
  readonly refusalOfUrl: RefusalOfUrl;
}

/** Means "the newest snapshot whose version is not the running one". */
const PREVIOUS_VERSION = 'previous';

/** The steps of a target, and the problems that keep it from being planned. */
interface PlannedSteps {
  readonly steps: PlannedStep[];
  /** Ids of checks that are not done, because the input that is their URL is empty. */
  readonly leftOut: string[];
  readonly problems: Problem[];
}

/** Plans the steps, or returns every problem. Checks with `before` come first. */
export function planSteps(runbook: Runbook, facts: TargetFacts, rules: PlanningRules): PlannedSteps {
  const problems: Problem[] = [];
  const values = valuesOf(facts, rules);
  const ids = stepIds(runbook.steps);
  const leftOut = ids.filter((_id, index) => isLeftOut(runbook.steps[index], runbook, rules));
  const steps = runbook.steps.map((step, index): PlannedStep => {
    const id = ids[index] ?? `step-${index}`;
    const report = (found: string, remedy: string) =>
      problems.push({ code: 'invalid-step', place: `${facts.target.path}, step ${id}`, found, remedy });
    if (isCheckStep(step)) {
      const isOpen = (value: unknown) => usesRefusedInput(value, values) || leftOut.includes(id);
      return plannedCheck(step, id, values, { refusalOf: rules.refusalOfUrl, isOpen, report });
    }
    if (isActionStep(step)) {
      const planned = plannedAction(step, id, facts, values, rules, report);
      const next = runbook.steps.slice(index + 1).find((later) => !isBefore(later));
      return mustHold(step, next) ? planned : { ...planned, holds: false };
    }
    if (isApprovalStep(step)) {
      const { approval, onFailure = 'compensate' } = step;
      return { kind: 'approval', id, title: approval.title ?? runbook.title, onFailure, ...approvalRules(approval) };
    }
    const text = String(interpolate(step.wait, values));
    const ms = durationMs(text);
    if (ms === null && !usesRefusedInput(step.wait, values)) report(`"${text}" is not a duration`, DURATION_REMEDY);
    return { kind: 'wait', id, durationMs: ms ?? 0 };
  });
  const kept = steps.filter(({ id }) => !leftOut.includes(id));
  const isFirst = (step: PlannedStep) => step.kind === 'check' && step.before;
  return { steps: [...kept.filter(isFirst), ...kept.filter((step) => !isFirst(step))], leftOut, problems };
}

/**
 * A check whose URL is one input and nothing else is done only if the input is given: empty means "none". Only where the runbook offers that with
 * `default: ''`: otherwise anyone who starts it could call off a check that its author requires.
 */
function isLeftOut(step: RunbookStep | undefined, { inputs: declared }: Runbook, { inputs }: PlanningRules): boolean {
  if (step === undefined || !isCheckStep(step) || !isWholeExpression(step.check.http)) return false;
  const [scoped = ''] = namesUsed(step.check.http);
  const name = scoped.slice('inputs.'.length);
  if (!scoped.startsWith('inputs.') || inputs[name] !== '') return false;
  const input = declared[name];
  return input !== undefined && 'default' in input && input.default === '';
}

/** A check that is done before the first action, wherever it is written. */
function isBefore(step: RunbookStep): boolean {
  return isCheckStep(step) && step.before === true;
}

/** The rules of a guard or of a step, in milliseconds. */
export function approvalRules({ roles = [], need, notRequester, expires }: RunbookApproval): ApprovalRules {
  return { roles, need, notRequester, expiresMs: durationMs(expires) ?? 0 };
}

/** The next action is meant for the state just reached. A wait is there for the state to prove itself, and a check depends on it, so neither is a reason not to hold it. */
function mustHold({ verify }: RunbookActionStep, next: RunbookStep | undefined): boolean {
  return verify?.stable !== undefined || next === undefined || !isActionStep(next);
}

type Report = (found: string, remedy: string) => void;

/** An input that is missing or was refused has its own problem, so values made from it are not checked. */
function usesRefusedInput(value: unknown, { inputs }: Values): boolean {
  return namesUsed(value).some((name) => {
    const [scope, input = ''] = name.split('.');
    return scope === 'inputs' && !Object.hasOwn(inputs, input);
  });
}

function valuesOf({ target, seen, captured }: TargetFacts, { inputs }: PlanningRules): Values {
  const [application, component, instance] = target.path.split('/');
  const { path, platformType } = target;
  return {
    inputs,
    target: {
      path,
      application,
      component,
      instance,
      platformType,
      version: seen.version,
      status: seen.status,
      replicaCount: seen.replicaCount,
    },
    // A placeholder if nothing can be restored, so that the other problems of the steps are found as well.
    captured: { replicaCount: captured?.replicaCount ?? 1 },
  };
}

function plannedAction(
  step: RunbookActionStep,
  id: string,
  facts: TargetFacts,
  values: Values,
  rules: PlanningRules,
  report: Report,
): ActionStep {
  const parameters = 'with' in step ? step.with : undefined;
  const given = literalAction(step.action, parameters, values, report);
  const { action, note } = usesRefusedInput(parameters, values)
    ? { action: given }
    : resolveVersion(given, facts, report);
  const restored = namesUsed(parameters).some((name) => name.startsWith('captured.')) ? facts.captured : null;
  if (!usesRefusedInput(parameters, values)) checkHosts(step, action, facts, report);
  const { compensation } = step;
  return {
    kind: 'action',
    id,
    action,
    ...stepTimes(step, rules.verify),
    usualDurationMs: rules.usualDurationsMs[action.action],
    onFailure: step.onFailure ?? 'compensate',
    compensation: plannedCompensation(compensation, values, report),
    ...(note === undefined ? {} : { note }),
    ...(restored ? { note: restored.note, expects: restored.expects } : {}),
  };
}

function plannedCompensation(
  compensation: RunbookActionStep['compensation'],
  values: Values,
  report: Report,
): PlannedCompensation {
  if (compensation === undefined) return { kind: 'default' };
  if ('none' in compensation) return { kind: 'none', reason: compensation.none };
  if ('irreversible' in compensation) return { kind: 'irreversible', reason: compensation.irreversible };
  return {
    kind: 'action',
    action: literalAction(compensation.action, 'with' in compensation ? compensation.with : undefined, values, report),
  };
}

/** Replaces every expression and checks the parameters again, because an input may have brought any value. */
function literalAction(name: ActionName, parameters: unknown, values: Values, report: Report): Action {
  const literal: Record<string, unknown> = {};
  for (const [key, rule] of Object.entries(ACTIONS[name].parameters)) {
    const given: unknown =
      typeof parameters === 'object' && parameters !== null
        ? Object.entries(parameters).find(([parameter]) => parameter === key)?.[1]
        : undefined;
    if (usesRefusedInput(given, values)) continue;
    const value = interpolate(given, values);
    if (value === undefined || value === null) {
      if (rule.required)
        report(`${name} needs "${key}", and ${String(given)} is not known of it`, 'Write the value out');
      continue;
    }
    if (
      rule.type === 'integer' &&
      !(typeof value === 'number' && Number.isSafeInteger(value) && value >= (rule.minimum ?? value))
    ) {
      report(`${key} is ${JSON.stringify(value)}`, `Give a whole number of at least ${rule.minimum ?? 0}`);
    }
    if (rule.type === 'string' && (typeof value !== 'string' || value === ''))
      report(`${key} is ${JSON.stringify(value)}`, 'Give text');
    literal[key] = value;
  }
  return { action: name, ...literal } as Action;
}

/** Resolves `previous` and freezes the version; a literal version must be among the snapshots. */
function resolveVersion(
  action: Action,
  { seen, snapshotVersions }: TargetFacts,
  report: Report,
): { action: Action; note?: string } {
  if (action.action !== 'rollback') return { action };
  const running = seen.version ?? 'unknown';
  const list =
    snapshotVersions.length === 0
      ? 'There are no snapshots'
      : `Snapshots, newest first: ${snapshotVersions.slice(0, 20).join(', ')}`;
  if (action.version !== PREVIOUS_VERSION) {
    if (!snapshotVersions.includes(action.version))
      report(`there is no snapshot of version ${action.version} (running: ${running})`, list);
    return { action, note: `${running} → ${action.version}` };
  }
  const previous = snapshotVersions.find((version) => version !== seen.version);
  if (previous === undefined) {
    report(
      `there is no snapshot of a version other than the running one (${running})`,
      `${list}. Name a version, or upgrade once first`,
    );
    return { action };
  }
  return { action: { ...action, version: previous }, note: `previous: ${running} → ${previous}` };
}

/** Scaling virtual machines needs hosts, and its undo needs the hosts from before. */
function checkHosts(step: RunbookActionStep, action: Action, { target, seen }: TargetFacts, report: Report): void {
  if (action.action !== 'scale' || target.platformType !== 'vmapp') return;
  if (action.hosts === undefined)
    report('scaling a component on virtual machines needs "hosts"', 'Add with: { hosts: [ECS ids] }');
  if (seen.hosts === null && step.compensation === undefined) {
    report(
      'the hosts it runs on now are not known, so the scale could not be undone',
      'Declare a compensation for the step',
    );
  }
}
