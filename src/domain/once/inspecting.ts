/** A new cloud job is there and something may have been sent: is it ours? */
import { describeAction } from '../target/actions.js';
import { indeterminate } from './ending.js';
import type { At, Event, Step } from './events.js';
import { judgeEvidence, type AdoptionEvidence, type EvidenceVerdict } from './evidence.js';
import type { OnceState } from './state.js';

/** Is the new cloud job ours? One that the API does not know yet is `tooEarly`. */
export function judge(
  { decidedAtMs }: OnceState,
  { job, ownUserId }: Extract<Event, { kind: 'inspected' }>,
  at: At,
): EvidenceVerdict {
  const { action, target, limits } = at.rules;
  if (job === null || action === null) return { kind: 'tooEarly' };
  return judgeEvidence({ job, ownUserId, action, instanceId: target.instanceId, scheduledAtMs: decidedAtMs, limits });
}

/** Something may have been sent, and a cloud job is there that cannot be told to be it. */
export function notOurs(
  state: OnceState,
  verdict: Exclude<EvidenceVerdict, { readonly evidence: AdoptionEvidence }>,
  at: At,
): Step {
  const why = verdict.kind === 'tooEarly' ? 'it shows no tasks' : verdict.why;
  const what = at.rules.action === null ? 'An action' : describeAction(at.rules.action);
  const id = state.seen?.lastJobId ?? 'unknown';
  return indeterminate(state, `${what} may have been sent, and cloud job ${id} cannot be told to be ours: ${why}`, at);
}
