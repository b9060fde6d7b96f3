/** A step directly followed by another action only has to reach its state; all others must see it hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requiredState } from '../../../../src/domain/plan/plan.js';
import { planSteps } from '../../../../src/domain/plan/plan-steps.js';
import { DEFAULT_VERIFY } from '../../../../src/domain/runbook/runbook-checks.js';
import { Runbook } from '../../../../src/domain/runbook/runbook.js';
import { ACTIONS, ACTION_NAMES, type ActionName } from '../../../../src/domain/target/actions.js';
import { anObservation, aTarget } from '../../../support/build.js';

const usualDurationsMs = Object.fromEntries(
  ACTION_NAMES.map((name) => [name, ACTIONS[name].usualDurationMs]),
) as Record<ActionName, number>;

function planned(steps: readonly object[]) {
  const runbook = Runbook.parse({ name: 'x', title: 't', steps });
  const facts = { target: aTarget(), seen: anObservation(), snapshotVersions: [] };
  const { steps: result, problems } = planSteps(runbook, facts, {
    inputs: {},
    usualDurationsMs,
    verify: DEFAULT_VERIFY,
  });
  expect(problems).toEqual([]);
  return result;
}

const action = fc.constantFrom('stop', 'start', 'restart');
const verify = fc.constantFrom(undefined, {}, { within: '2m' }, { stable: '7s' });
const aStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ action, verify }) },
  { weight: 1, arbitrary: fc.constant({ wait: '1m' }) },
);

describe('a planned step', () => {
  it('need not hold its state exactly if the next step is an action and the file does not say how long', () => {
    fc.assert(
      fc.property(fc.array(aStep, { minLength: 1, maxLength: 8 }), (steps) => {
        for (const [index, step] of planned(steps).entries()) {
          const file = steps[index];
          const next = steps[index + 1];
          if (step.kind === 'wait' || file === undefined || 'wait' in file) continue;
          const isFollowed = next !== undefined && 'action' in next;
          const isWritten = file.verify !== undefined && 'stable' in file.verify;
          expect(step.holds).toBe(isFollowed && !isWritten ? false : undefined);
          const stableMs = isWritten ? 7_000 : isFollowed ? 0 : 10_000;
          expect(requiredState(step)).toEqual({ ...step.verify, stableMs });
        }
      }),
    );
  });

  it('holds before a wait, which is there for the state to prove itself, and at the end', () => {
    const steps = planned([{ action: 'stop' }, { action: 'start' }, { wait: '1m' }, { action: 'restart' }]);
    expect(steps.map((step) => step.kind === 'action' && step.holds !== false)).toEqual([false, true, false, true]);
  });
});
