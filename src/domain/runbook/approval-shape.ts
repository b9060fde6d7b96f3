/** The shape of an approval, as a guard of the run and as a step. */
import { z } from 'zod';
import { durationMs } from '../time/duration.js';
import { waitingText } from './duration-shapes.js';

/** Names of roles, as an identity provider writes them. */
const ROLE = /^[\w.:@/-]{1,60}$/;
const ROLE_REMEDY = 'Write a role without spaces, of at most 60 characters';
/** How many people one approval can need. Chosen: more are never asked, and the report names each of them. */
const MOST_APPROVERS = 5;
const approvalFields = {
  roles: z
    .array(z.string().regex(ROLE, ROLE_REMEDY), 'Write a list of roles, as in [sre-lead]')
    .min(1, 'Name a role, or take roles out')
    .max(10)
    .optional()
    .describe('One of them is needed. Only a signed approval proves a role. Default: anybody'),
  need: z.int().min(1).max(MOST_APPROVERS).default(1).describe('How many different people have to approve'),
  notRequester: z.boolean().default(true).describe('The requester of the run cannot approve it'),
  expires: waitingText
    .refine((text) => (durationMs(text) ?? 0) > 0, 'Give people some time, such as 4h')
    .default('4h')
    .describe('How long it may take; at most 7d. The time counts against no deadline'),
};
/** `guards.approval` of a runbook. */
export const ApprovalGuard = z
  .strictObject(approvalFields)
  .describe('What people have to approve before anything is done');
/** `approval` of a step. */
export const ApprovalShape = z
  .strictObject({
    title: z.string().min(1).max(200).optional().describe('What people approve; default: the title of the runbook'),
    ...approvalFields,
  })
  .describe('The next step begins once people have approved it');
/** Who has to approve. */
export type RunbookApproval = z.infer<typeof ApprovalGuard>;
