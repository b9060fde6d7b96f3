/** The shape of a runbook file, as a zod schema: what editors complete against and what the loader checks. */
import { z } from 'zod';
import { ApprovalGuard } from './approval-shape.js';
import { durationText, waitingText } from './duration-shapes.js';
import { NAME, NAME_REMEDY } from './names.js';
import { StepShape } from './step-shapes.js';
import { RUN_EVENTS } from '../notifications/events.js';
import { MOST_NAMED_WEBHOOKS } from '../notifications/planned-webhooks.js';

const duration = (description: string) => durationText.describe(description);
/** Names of inputs. */
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
    .array(StepShape, 'Begin each step with a dash, as in "- action: restart"')
    .describe('In order; none: the run only observes its targets'),
  onCancel: z.enum(['compensate', 'stop-after-step', 'leave']).default('compensate').describe('What a cancel means'),
});
/** A runbook with its defaults filled in. */
export type Runbook = z.infer<typeof Runbook>;
/** A problem inside a runbook, before its place is known in lines and columns. */
export interface RunbookProblem {
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly found: string;
  readonly remedy: string;
}
