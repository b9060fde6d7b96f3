/** The hash that a plan is known by. */
import { createHash } from 'node:crypto';
import { canonicalPlan, type Plan } from '../domain/plan/plan.js';

/** SHA-256 of the canonical plan, in hex. */
export function hashOf(plan: Omit<Plan, 'hash'>): string {
  return createHash('sha256').update(canonicalPlan(plan)).digest('hex');
}
