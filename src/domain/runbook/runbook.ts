/** The shape of a runbook file, as a zod schema: what editors complete against and what the loader checks. */
import { z } from 'zod';
import { ACTIONS, type ActionName, type ParameterRule } from '../target/actions.js';
import { ApprovalGuard, ApprovalShape } from './approval-shape.js';
import { CheckShape } from './check-shape.js';
import { durationText, waitingText } from './duration-shapes.js';
import { RUN_EVENTS } from '../notifications/events.js';
import { MOST_NAMED_WEBHOOKS } from '../notifications/planned-webhooks.js';

const EXPRESSION_TEXT = /\$\{\{[^}]{0,200}\}\}/;

const duration = (description: string) => durationText.describe(description);
/** Why something is not undone. @param key the key it belongs to, for the message */
function reason(key: string, example: string, description: string) {
  const remedy = `Say why, as in { ${key}: "${example}" }`;
  return z.string(remedy).min(1, remedy).describe(description);
}
const EXPRESSION_REMEDY = 'Write ${{ inputs.name }}';
const expression = z.string(EXPRESSION_REMEDY).regex(EXPRESSION_TEXT, { error: EXPRESSION_REMEDY, abort: true });

/** Names of runbooks, schedules, alarm rules and their owners. They have no slash and no colon, so that the ids made from them differ. A runbook's name is its workflow type. */
export const NAME = /^[a-z][a-z0-9-]{0,62}$/;
/** What would be right instead of a text that is not a name. */
export const NAME_REMEDY = 'Write lower-case letters, digits and dashes, beginning with a letter';
/** Names of inputs and steps. */
const INPUT_NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,62}$/;

const described = { description: z.string().optional().describe('What the input is for; shown by `runbook show`') };
const Input = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('string'),
      default: z.string().optional(),
      minLength: z.int().min(0).optional(),
      maxLength: z.int().min(1).optional(),
      enum: z.array(z.string()).min(1).optional(),
      ...described,
    }),
    z.strictObject({
      type: z.literal('integer'),
      default: z.int().optional(),
      minimum: z.int().optional(),
      maximum: z.int().optional(),
      ...described,
    }),
    z.strictObject({ type: z.literal('boolean'), default: z.boolean().optional(), ...described }),
    z.strictObject({
      type: z.literal('duration'),
      default: duration('Used when the caller gives none').optional(),
      ...described,
    }),
  ],
  { error: ({ input }) => `Write its type, as in { type: ${typeof input === 'number' ? 'integer' : 'string'} }` },
);
/** An input that a runbook declares. */
export type Input = z.infer<typeof Input>;

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

const Guards = z
  .strictObject({
    approval: ApprovalGuard.optional(),
    window: z
      .strictObject({
        cutoff: duration("No new target is begun that long before a window's end; a start may give its own").optional(),
        fit: z
          .boolean('Write true or false')
          .optional()
          .describe(
            'false: begin a target even if its steps do not usually fit before the end of the window; a start may give its own. Default true',
          ),
      })
      .optional(),
    freeze: z
      .array(z.string().min(1, 'Write the name of a calendar').max(200))
      .max(20)
      .optional()
      .describe('Calendars: no new target is begun while one of them is frozen'),
    waitAtMost: waitingText
      .describe(
        'How long a run waits for a closed gate, over all its targets together; at most 7d. A start may give its own. Default: not at all',
      )
      .optional(),
  })
  .describe('What has to be open before a target is begun; an undo or a cancel never waits for it');

const Operator = z
  .strictObject({
    wait: waitingText
      .describe(
        'How long a target waits for an operator to decide about a step that is blocked; at most 7d, 0s: not at all. Default: RUNBOOK_OPERATOR_WAIT of the worker',
      )
      .optional(),
    remind: waitingText
      .describe(
        'How often webhooks are notified again while a decision or an approval is waited for; at most 7d. Default: not at all',
      )
      .optional(),
  })
  .describe('What an operator has to decide');

const EVENTS_REMEDY = `Write a list with at least one of: ${RUN_EVENTS.join(', ')}`;
const Notify = z
  .array(
    z.strictObject({
      on: z
        .array(z.enum(RUN_EVENTS), EVENTS_REMEDY)
        .min(1, EVENTS_REMEDY)
        .max(RUN_EVENTS.length, 'Name each event once')
        .describe('The events that this webhook is notified of, whatever its own "on" is'),
      webhook: z
        .string('Write the name of a webhook of the notifications file, never an address')
        .regex(NAME, 'Write the name of a webhook of the notifications file, never an address')
        .describe('The name of a webhook in the notifications file of the workers'),
    }),
    'Write a line for each webhook, as in - { on: [failed, waiting], webhook: ops }',
  )
  .max(MOST_NAMED_WEBHOOKS, `Name at most ${MOST_NAMED_WEBHOOKS}`)
  .describe('Who is notified of runs. Webhooks that are not named here are notified of the events of their own');

/** A runbook file. */
export const Runbook = z.strictObject({
  name: z.string().regex(NAME, NAME_REMEDY).describe('File name and workflow type'),
  title: z.string().min(1).describe('One line: what it does'),
  description: z.string().optional().describe('When to use it, for people'),
  risk: z
    .enum(['low', 'medium', 'high'])
    .default('medium')
    .describe('How much attention it deserves; high: it needs an approval before its first action'),
  inputs: z
    .record(
      z.string().regex(INPUT_NAME, 'Input names are letters, digits and underscores'),
      Input,
      'Write a line for each input, as in version: { type: string }',
    )
    .default({}),
  targets: z
    .strictObject({
      max: z.int().min(1).max(100).default(1).describe('More targets are refused, never cut off'),
      order: z.enum(['name']).default('name').describe('The order in which targets are taken'),
    })
    .prefault({}),
  restores: z
    .string()
    .regex(NAME, 'Write the name of another runbook: lower-case letters, digits and dashes')
    .optional()
    .describe('The runbook whose change of the replica count it takes back: gives ${{ captured.replicaCount }}'),
  guards: Guards.optional(),
  emergency: z
    .literal(true, 'Write emergency: true, or take it out')
    .optional()
    .describe(
      'It waits for no window, freeze or approval, so that only a person can start it: no schedule and no alarm rule does',
    ),
  operator: Operator.optional(),
  notify: Notify.optional(),
  deadline: duration('Deadline of the whole run; default: the sum of the steps, for each target').optional(),
  steps: z
    .array(
      z.union([ActionStepShape, WaitStepShape, CheckStepShape, ApprovalStepShape], {
        error: ({ input }) => stepRemedy(input),
      }),
      'Begin each step with a dash, as in "- action: restart"',
    )
    .describe('In order; none: the run only observes its targets'),
  onCancel: z.enum(['compensate', 'stop-after-step', 'leave']).default('compensate').describe('What a cancel means'),
});
/** A runbook with its defaults filled in. */
export type Runbook = z.infer<typeof Runbook>;
/** One step: an action, a wait, a check or an approval. */
export type RunbookStep = Runbook['steps'][number];
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

/** A name that would collide with the workflow bundle's own exports, or with what every object has. */
export function isReservedName(name: string): boolean {
  return ['run', 'default', 'target-run', 'alarm-rule', ...Object.getOwnPropertyNames(Object.prototype)].includes(name);
}

/** A problem inside a runbook, before its place is known in lines and columns. */
export interface RunbookProblem {
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly found: string;
  readonly remedy: string;
}
