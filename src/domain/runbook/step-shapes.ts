/** The shapes of the steps of a runbook file: actions, waits, checks and approvals. */
import { z } from 'zod';
import { ACTIONS, type ActionName, type ParameterRule } from '../target/actions.js';
import { ApprovalShape } from './approval-shape.js';
import { CheckShape } from './check-shape.js';
import { durationText } from './duration-shapes.js';
import { NAME } from './names.js';

const EXPRESSION_TEXT = /\$\{\{[^}]{0,200}\}\}/;

const duration = (description: string) => durationText.describe(description);
/** Why something is not undone. @param key the key it belongs to, for the message */
function reason(key: string, example: string, description: string) {
  const remedy = `Say why, as in { ${key}: "${example}" }`;
  return z.string(remedy).min(1, remedy).describe(description);
}

const EXPRESSION_REMEDY = 'Write ${{ inputs.name }}';
const expression = z.string(EXPRESSION_REMEDY).regex(EXPRESSION_TEXT, { error: EXPRESSION_REMEDY, abort: true });

function parameterShape({ type, minimum, description }: ParameterRule): z.ZodType {
  if (type === 'integer')
    return z.union([z.int().min(minimum ?? Number.MIN_SAFE_INTEGER), expression]).describe(description);
  if (type === 'stringList') return z.union([z.array(z.string().min(1)).min(1), expression]).describe(description);
  // YAML reads 1.4 as a number; a version must be written as text.
  return z.string('Write text; quote it when it looks like a number, as in "1.4"').min(1).describe(description);
}

function withShape(name: ActionName) {
  const rules = Object.entries<ParameterRule>(ACTIONS[name].parameters);
  const shape = Object.fromEntries(
    rules.map(([key, rule]) => [key, rule.required ? parameterShape(rule) : parameterShape(rule).optional()]),
  );
  const parameters = z.strictObject(shape).describe('Parameters, named as ServiceStage names them');
  return rules.some(([, rule]) => rule.required)
    ? { with: parameters }
    : rules.length > 0
      ? { with: parameters.optional() }
      : {};
}

const actionCall = (name: ActionName) => ({
  action: z.literal(name).describe(`ServiceStage's own action ${name}`),
  ...withShape(name),
});
const ActionCall = z.discriminatedUnion('action', [
  z.strictObject(actionCall('start')),
  z.strictObject(actionCall('stop')),
  z.strictObject(actionCall('restart')),
  z.strictObject(actionCall('scale')),
  z.strictObject(actionCall('rollback')),
]);

const Compensation = z
  .union([
    z.strictObject({ none: reason('none', 'nothing depends on it', 'Why nothing should be undone') }),
    z.strictObject({ irreversible: reason('irreversible', 'the queue is emptied', 'Why nothing can be undone') }),
    ActionCall,
  ])
  .describe('Replaces the default undo of the step');

const stepFields = {
  id: z
    .string()
    .regex(NAME, 'Write lower-case letters, digits and dashes')
    .optional()
    .describe('Default: the action, numbered when repeated'),
  deadline: duration('Send + follow + verify; default by action').optional(),
  verify: z
    .strictObject({
      within: duration(
        'Longest time from the end of the cloud job until the desired state is reached; default 5m',
      ).optional(),
      stable: duration(
        'How long the desired state must hold without a break; default 10s, and nothing if another action follows directly',
      ).optional(),
    })
    .optional(),
  onFailure: z
    .enum(['compensate', 'abort', 'continue', 'pause'])
    .optional()
    .describe('Default compensate; pause: the target waits for an operator'),
  compensation: Compensation.optional(),
};
const actionStep = (name: ActionName) => z.strictObject({ ...actionCall(name), ...stepFields });

const ActionStepShape = z.discriminatedUnion('action', [
  actionStep('start'),
  actionStep('stop'),
  actionStep('restart'),
  actionStep('scale'),
  actionStep('rollback'),
]);
const WaitStepShape = z.strictObject({
  wait: z.union([durationText, expression]).describe('How long to wait'),
  id: stepFields.id,
});

const CheckStepShape = z.strictObject({
  check: CheckShape,
  before: z
    .boolean('Write true or false')
    .optional()
    .describe('true: done before the first action of the target; if it fails, nothing is touched'),
  id: stepFields.id,
  onFailure: z.enum(['compensate', 'abort', 'continue']).optional().describe('Default compensate; not with before'),
});

const ApprovalStepShape = z.strictObject({
  approval: ApprovalShape,
  id: stepFields.id,
  onFailure: z
    .enum(['compensate', 'abort'], 'Write compensate or abort: what was not approved cannot continue')
    .optional()
    .describe('If it is rejected or expires. Default compensate'),
});

/** For text in place of a step: an action, or something else. */
function stepRemedy(input: unknown): string | undefined {
  if (typeof input !== 'string') return undefined;
  return `Write action: ${Object.hasOwn(ACTIONS, input) ? input : Object.keys(ACTIONS).join(', or ')}`;
}

/** One step of a runbook file. */
export const StepShape = z.union([ActionStepShape, WaitStepShape, CheckStepShape, ApprovalStepShape], {
  error: ({ input }) => stepRemedy(input),
});

/** One step: an action, a wait, a check or an approval. */
export type RunbookStep = z.infer<typeof StepShape>;
/** A step that asks a URL. */
export type RunbookCheckStep = z.infer<typeof CheckStepShape>;
/** A step that sends an action. */
export type RunbookActionStep = z.infer<typeof ActionStepShape>;

/** A step that people have to approve. */
export type RunbookApprovalStep = z.infer<typeof ApprovalStepShape>;

/** Whether a step asks for an approval. */
export function isApprovalStep(step: RunbookStep): step is RunbookApprovalStep {
  return 'approval' in step;
}

/** Whether a step is an action. */
export function isActionStep(step: RunbookStep): step is RunbookActionStep {
  return 'action' in step;
}

/** Whether a step is a check. */
export function isCheckStep(step: RunbookStep): step is RunbookCheckStep {
  return 'check' in step;
}

/** Step ids: the given one, else the action's, `wait`, `check` or `approval`, numbered from the second on. */
export function stepIds(steps: readonly RunbookStep[]): string[] {
  const seen = new Map<string, number>();
  return steps.map((step) => {
    if (step.id !== undefined) return step.id;
    const name = kindName(step);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

function kindName(step: RunbookStep): string {
  if (isActionStep(step)) return step.action;
  if (isCheckStep(step)) return 'check';
  return isApprovalStep(step) ? 'approval' : 'wait';
}
