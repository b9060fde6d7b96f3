/**
 * Plans an earlier run again with the runbook of today, to find out whether the runbook has changed: everything that
 * was resolved then, such as the version that `previous` meant, is taken from the earlier plan. Pure.
 */
import type { Runbook } from '../runbook/runbook.js';
import { clipText } from '../text/text.js';
import { planSteps, type Captured, type PlanningRules } from './plan-steps.js';
import { runDeadlineMs } from './run-deadline.js';
import { canonicalJson, type ActionStep, type Plan, type PlannedStep, type TargetPlan } from './plan.js';

/** The runbook and the defaults of today. */
export interface Today {
  readonly runbook: Runbook;
  readonly rules: Omit<PlanningRules, 'inputs'>;
}

/** The plan that the earlier run would get today. If nothing has changed, it equals the earlier one except for the hash. */
export function planAgain(earlier: Plan, { runbook, rules }: Today): Omit<Plan, 'hash'> {
  const targets = earlier.targets.map((target) => targetAgain(target, runbook, { ...rules, inputs: earlier.inputs }));
  const { hash: _hash, ...rest } = earlier;
  const deadlineMs = runDeadlineMs(runbook, targets);
  return { ...rest, title: runbook.title, onCancel: runbook.onCancel, targets, deadlineMs };
}

/** A plan that itself resumed a run has only the last steps of the runbook, and its checks before the first action. Problems show as differences. */
function targetAgain(earlier: TargetPlan, runbook: Runbook, rules: PlanningRules): TargetPlan {
  const { target, seen, steps, resumed } = earlier;
  const facts = {
    target,
    seen: resumed?.plannedFrom ?? seen,
    snapshotVersions: versionsOf(steps),
    captured: capturedIn(steps, runbook),
  };
  const again = planSteps(runbook, facts, rules).steps;
  return { ...earlier, steps: left(again, steps).map((step, index) => withExpectations(step, steps[index])) };
}

/** The steps of the whole plan that a resumed one has: the checks before the first action, and the last steps. */
function left(whole: readonly PlannedStep[], steps: readonly PlannedStep[]): PlannedStep[] {
  const first = steps.filter((step) => step.kind === 'check' && step.before).length;
  const last = steps.length - first;
  return [...whole.slice(0, first), ...(last === 0 ? [] : whole.slice(-last))];
}

/** The versions that were resolved, with the one that `previous` meant first. */
function versionsOf(steps: readonly PlannedStep[]): string[] {
  const rollbacks = steps.flatMap((step) =>
    step.kind === 'action' && step.action.action === 'rollback' ? [{ step, version: step.action.version }] : [],
  );
  const isPrevious = ({ note = '' }: ActionStep) => note.startsWith('previous:');
  const first = rollbacks.filter(({ step }) => isPrevious(step));
  return [...first, ...rollbacks.filter(({ step }) => !isPrevious(step))].map(({ version }) => version);
}

/** What a step of a runbook with `restores` took from the report of another run. */
function capturedIn(steps: readonly PlannedStep[], { restores }: Runbook): Captured | null {
  if (restores === undefined) return null;
  for (const step of steps)
    if (step.kind === 'action' && step.action.action === 'scale' && step.expects !== undefined && step.note)
      return { replicaCount: step.action.replica, note: step.note, expects: step.expects };
  return null;
}

/** What a step expects of the instance comes from readings, not from the runbook. */
function withExpectations(step: PlannedStep, earlier: PlannedStep | undefined): PlannedStep {
  if (step.kind !== 'action') return step;
  const { expects: _expects, ...rest } = step;
  const expects = earlier?.kind === 'action' ? earlier.expects : undefined;
  return expects === undefined ? rest : { ...rest, expects };
}

/** Long enough to recognize a value. */
const LONGEST_VALUE = 80;
const MOST_DIFFERENCES = 8;

/** What differs between the two plans, one line each; the same difference on several targets is listed once. */
export function planDifferences(earlier: Omit<Plan, 'hash'>, today: Omit<Plan, 'hash'>): string[] {
  const ofRun = (['title', 'onCancel', 'deadlineMs'] as const).flatMap((key) =>
    difference(key, earlier[key], today[key]),
  );
  const ofSteps = earlier.targets.flatMap(({ steps }, index) =>
    stepDifferences(steps, today.targets[index]?.steps ?? []),
  );
  return [...new Set([...ofRun, ...ofSteps])].slice(0, MOST_DIFFERENCES);
}

function stepDifferences(earlier: readonly PlannedStep[], today: readonly PlannedStep[]): string[] {
  if (earlier.length !== today.length)
    return [`${earlier.length} steps were left, and the runbook has ${today.length}`];
  return earlier.flatMap((step, index) => {
    const again: object = today[index] ?? {};
    const keys = [...new Set([...Object.keys(step), ...Object.keys(again)])];
    return keys.flatMap((key) => difference(`step ${step.id}, ${key}`, valueAt(step, key), valueAt(again, key)));
  });
}

function valueAt(value: object, key: string): unknown {
  return Reflect.get(value, key);
}

function difference(what: string, earlier: unknown, today: unknown): string[] {
  const text = (value: unknown) => (value === undefined ? 'absent' : canonicalJson(value));
  const [before, now] = [text(earlier), text(today)];
  return before === now ? [] : [`${what}: ${clipText(before, LONGEST_VALUE)}, now ${clipText(now, LONGEST_VALUE)}`];
}
