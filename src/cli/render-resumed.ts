/** Renders what a plan records about the earlier run that it resumes. Pure. */
import { shortHash, type DoneBefore, type ResumedRun, type ResumedTarget } from '../domain/plan/plan.js';
import { describeAction } from '../domain/target/actions.js';
import { describeTime } from '../domain/time/utc-time.js';
import type { Colors } from './colors.js';

/** Which run is resumed, and which of its targets are left alone. */
export function resumesLines(resumes: ResumedRun, colors: Colors): string[] {
  const { workflowId, outcome, endedAtMs, planHash, succeeded, leftOut } = resumes;
  return [
    `resumes run ${workflowId}, which ended ${colors.outcome(outcome)(outcome)} at ${describeTime(endedAtMs)} (plan ${shortHash(planHash)})`,
    ...(succeeded.length === 0 ? [] : [`succeeded in it, left alone: ${succeeded.join(', ')}`]),
    ...(leftOut.length === 0 ? [] : [colors.warn(`not succeeded, and not in this run: ${leftOut.join(', ')}`)]),
    'Undos of this run go back to where it begins. They do not undo what the earlier run did.',
  ];
}

/** The steps that earlier runs have done on a target, and which run shows that. */
export function doneLines({ done }: ResumedTarget, colors: Colors): string[] {
  return done.map((step) =>
    colors.dim(
      `  ✓ ${titleOf(step)}: ${HOW[step.result]}${jobOf(step)}, ${describeTime(step.endedAtMs)}, report of ${step.workflowId}`,
    ),
  );
}

const HOW: Readonly<Record<DoneBefore['result'], string>> = {
  succeeded: 'done',
  skipped: 'held already',
  foundDone: 'failed, but its cloud job has succeeded since',
};

function titleOf({ stepId, action }: DoneBefore): string {
  return action === null ? stepId : describeAction(action);
}

function jobOf({ cloudJobId }: DoneBefore): string {
  return cloudJobId === null ? '' : ` by cloud job ${cloudJobId}`;
}
