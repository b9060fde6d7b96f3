/**
 * The product broken on purpose, one rule at a time. Storms and the model must find each mutation; otherwise their silence about the real
 * product would prove nothing.
 */
import { APPROVAL_MUTATIONS } from '../model/mutations-of-approvals.js';
import { BOUND_MUTATIONS } from '../model/mutations-of-bounds.js';
import { HOLD_MUTATIONS } from '../model/mutations-of-holds.js';
import { LEASE_MUTATIONS } from '../model/mutations-of-the-lease.js';
import { ONCE_MUTATIONS } from '../model/mutations-of-once.js';
import { STEERING_MUTATIONS } from '../model/mutations-of-steering.js';
import { STATE_MUTATIONS } from '../model/mutations-of-reports.js';
import type { Mutation } from './mutation.js';
import { OUTSIDE_MUTATIONS } from './mutations-outside.js';
import { WORKFLOW_MUTATIONS } from './mutations-of-workflows.js';

export const MUTATIONS: readonly Mutation[] = [
  ...ONCE_MUTATIONS,
  ...STATE_MUTATIONS,
  ...BOUND_MUTATIONS,
  ...LEASE_MUTATIONS,
  ...HOLD_MUTATIONS,
  ...STEERING_MUTATIONS,
  ...APPROVAL_MUTATIONS,
  ...WORKFLOW_MUTATIONS,
  ...OUTSIDE_MUTATIONS,
];
