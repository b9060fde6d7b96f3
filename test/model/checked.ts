/** What checks promise: one that passes saw the wanted answer hold, and one that fails lets nothing begin. */
import type { CheckRecord, HolderRecord } from './ground-truth.js';
import { hasAsides, plannedSteps } from './planned-steps.js';
import type { World } from './world.js';

/** Describes each check that was believed too early, given up too early, or not heeded, one sentence each. */
export function uncheckedThings(world: World): readonly string[] {
  const { checks, holders } = world.truth;
  return [
    ...checks.flatMap((check) => [...passedTooEarly(check), ...failedTooEarly(check)]),
    ...holders.flatMap((holder) => begunAfterFailure(holder, world)),
  ];
}

/** The wanted answers at the end, of the attempt that passed. */
function heldBy({ requests }: CheckRecord): CheckRecord['requests'] {
  const attempt = requests.at(-1)?.attempt;
  const own = requests.filter((request) => request.attempt === attempt);
  return own.slice(own.findLastIndex(({ isWanted }) => !isWanted) + 1);
}

function passedTooEarly(record: CheckRecord): readonly string[] {
  if (record.end !== 'passed') return [];
  const held = heldBy(record);
  const heldMs = (held.at(-1)?.sentAtMs ?? 0) - (held[0]?.answeredAtMs ?? Infinity);
  return heldMs >= record.check.stableMs || (held.length > 0 && record.check.stableMs === 0)
    ? []
    : [`${record.step} passed after the wanted answer had held for ${heldMs} of ${record.check.stableMs} ms`];
}

/** It is given up only by a final answer, at the deadline, or after the time within which the answer had to appear. */
function failedTooEarly({ end, requests, check, startedAtMs, deadlineAtMs, step }: CheckRecord): readonly string[] {
  const last = requests.at(-1);
  if (last === undefined || (end !== 'failed' && end !== 'late')) return [];
  const { answeredAtMs, isWanted } = last;
  if (end === 'late') return answeredAtMs >= deadlineAtMs ? [] : [`${step} was given up before its deadline`];
  if (isWanted) return [`${step} failed with the wanted answer`];
  const isForbidden = check.site.some(({ answers }) => answers === 'forbidden');
  return isForbidden || answeredAtMs >= startedAtMs + check.withinMs
    ? []
    : [`${step} failed ${startedAtMs + check.withinMs - answeredAtMs} ms before its time was over`];
}

/** After a failed check nothing new is begun, unless the plan continues; a failed check with `before` sent nothing at all. */
function begunAfterFailure(holder: HolderRecord, { truth }: World): readonly string[] {
  const { report, runId, chainId, plan, decisions } = holder;
  if (!hasAsides(plan)) return [];
  const steps = plannedSteps(plan, 0);
  const failed = (report?.steps ?? []).filter(({ id, result }) =>
    steps.some(
      (step) => step.id === id && step.kind === 'check' && result === 'failed' && step.onFailure !== 'continue',
    ),
  );
  return failed.flatMap(({ id, endedAtMs }) => {
    const index = steps.findIndex((step) => step.id === id);
    const step = steps[index];
    const sent = truth.posts.filter(({ decision }) => decisions.includes(decision));
    const isBefore = step?.kind === 'check' && step.before && runId === chainId;
    return [
      ...(isBefore && sent.length > 0 ? [`${runId} sent ${sent[0]?.attempt.name}, though ${id} failed before it`] : []),
      ...decisions
        .filter(({ decidedInRunId, scheduledAtMs }) => decidedInRunId === runId && scheduledAtMs > endedAtMs)
        .filter(({ stepId }) => !stepId.startsWith('undo-') && steps.findIndex((one) => one.id === stepId) > index)
        .map(({ stepId }) => `${runId} began ${stepId}, though ${id} failed`),
    ];
  });
}
