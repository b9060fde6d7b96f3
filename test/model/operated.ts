/** Scenarios with an operator, who decides about blocked steps at random moments, and what such decisions promise. */
import type { TargetCommandName } from '../../src/domain/steering/command-names.js';
import { Dice } from '../chaos/dice.js';
import { HEARTBEATS_CLEARED } from './disruptions.js';
import { drawScenario } from './draw-scenario.js';
import type { DecisionRecord, Job } from './ground-truth.js';
import { acceptedFor, describeJob } from './once.js';
import { AGAIN } from './operator-flow.js';
import type { OperatorMove, PlannedRun, Scenario } from './scenario.js';
import type { World } from './world.js';

const COMMANDS: readonly (TargetCommandName | null)[] = [
  'retryStep',
  'retryStep',
  'retryStep',
  'skipStep',
  'markSucceeded',
  null,
];

/** The scenario of a seed, with an operator; its own dice, so that the scenario stays the same otherwise. */
export function drawOperated(seed: number): Scenario {
  const scenario = drawScenario(seed);
  const dice = new Dice(seed + 1_000_000_007);
  return { ...scenario, runs: scenario.runs.map((run) => withOperator(run, dice)) };
}

function withOperator(run: PlannedRun, dice: Dice): PlannedRun {
  const operator = dice.times(dice.whole(1, 4), (): OperatorMove => ({
    afterMs: dice.one([10, 500, 5_000, 40_000]),
    command: dice.one(COMMANDS),
  }));
  const steps = run.steps.map((step) => (dice.chance(0.7) ? { ...step, onFailure: 'pause' as const } : step));
  return { ...run, steps, operator };
}

/**
 * A retry is sent only when nothing of the decisions before it can appear any more: what was accepted for them has ended and is known to the
 * retry, and nothing is accepted for them later.
 */
export function sentTooSoon({ truth, scenario }: World): readonly string[] {
  if (scenario.cloud.longestLagMs > scenario.limits.visibilityWindowMs) return [];
  const decisions = [...truth.decisions.values()];
  return decisions.flatMap((retry) => {
    const [name] = retry.stepId.split(AGAIN);
    if (name === retry.stepId) return [];
    const before = decisions.filter((other) => other !== retry && isOfStep(other, name ?? '', retry));
    return retry.posts.flatMap(({ sentAtMs }) =>
      before
        .filter(({ doubts }) => !doubts.has(HEARTBEATS_CLEARED))
        .flatMap((other) => acceptedFor(other))
        .filter((job) => !isPast(job, retry, sentAtMs, truth.jobs))
        // A foreign cloud job may have been adopted instead if our user id is not known (docs/guarantees.md).
        .filter(({ acceptedAtMs }) => scenario.cloud.ownUserKnown || !hasForeign(truth.jobs, acceptedAtMs, sentAtMs))
        .map((job) => `${retry.key} was sent at ${sentAtMs} although ${describeJob(job)} was not over or not known`),
    );
  });
}

/** Decisions of the same chain of executions about the same step that were made before. */
function isOfStep(other: DecisionRecord, name: string, retry: DecisionRecord): boolean {
  const isSame = other.stepId === name || other.stepId.startsWith(`${name}${AGAIN}`);
  const chain = ({ posts }: DecisionRecord) => posts[0]?.holder.chainId;
  return isSame && chain(other) === chain(retry) && (other.posts[0]?.sentAtMs ?? 0) < (retry.posts[0]?.sentAtMs ?? 0);
}

/**
 * It cannot appear any more: it is over, and known or no longer the newest cloud job. Behind a newer foreign cloud job it may still be in flight,
 * which no reading shows (docs/guarantees.md).
 */
function isPast(job: Job, { before }: DecisionRecord, sentAtMs: number, jobs: readonly Job[]): boolean {
  const { id, acceptedAtMs, endsAtMs } = job;
  const isKnown = before.lastJobId === id || before.knownCloudJobIds.includes(id);
  const newer = jobs.filter(
    (other) => other !== job && other.acceptedAtMs >= acceptedAtMs && other.idShownAtMs <= sentAtMs,
  );
  if (acceptedAtMs > sentAtMs) return false;
  return newer.some(({ post }) => post === null) || ((isKnown || newer.length > 0) && endsAtMs <= sentAtMs);
}

function hasForeign(jobs: readonly Job[], fromMs: number, toMs: number): boolean {
  return jobs.some(({ post, acceptedAtMs }) => post === null && acceptedAtMs >= fromMs && acceptedAtMs <= toMs);
}
