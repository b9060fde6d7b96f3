/**
 * Mutations of the workflows: settling, undoing, the baseline, the lease on an instance. If the model has its own code for a rule, that is
 * edited as well.
 */
import { FOUND, foundWith, SEEDS, type Mutation } from './mutation.js';

const CAPTURE = 'src/workflows/capture.ts';
const COMPENSATE = 'src/workflows/compensate.ts';
const LEASE = 'src/workflows/lease.ts';
const PERFORM_STEP = 'src/workflows/perform-step.ts';
const STEP_OUTCOME = 'src/domain/report/step-outcome.ts';
const MODEL_STEP = 'test/model/step-flow.ts';
const MODEL_TARGET_RUN = 'test/model/target-run.ts';

export const WORKFLOW_MUTATIONS: readonly Mutation[] = [
  {
    name: 'settle-left-out',
    breaks: 'known',
    why: 'A step that may have been sent counts as clear at once, so its effect is neither reported nor undone (stories 2 and 8).',
    edits: [
      { file: STEP_OUTCOME, from: `      return state.sent === 'unknown';`, to: `      return false;` },
      { file: STEP_OUTCOME, from: `      return state.sent !== 'no';`, to: `      return state.sent === 'yes';` },
    ],
    storms: { seeds: SEEDS },
    model: FOUND,
  },
  {
    name: 'settle-not-shielded',
    breaks: 'known',
    why: 'A cancel reaches the settle, so a step that could have become clear ends indeterminate (story 8).',
    edits: [
      {
        file: PERFORM_STEP,
        from: `import { CancellationScope, isCancellation } from '@temporalio/workflow';`,
        to: `import { isCancellation } from '@temporalio/workflow';`,
      },
      {
        file: PERFORM_STEP,
        from: `    return await CancellationScope.nonCancellable(() => settleTarget(unclear, summary));`,
        to: `    return await settleTarget(unclear, summary);`,
      },
    ],
    storms: { aim: ['lostAnswerThenCancel', 'lostAnswerSeenLateThenCancel'], seeds: 6 },
    model: {
      kind: 'found',
      aim: { sites: ['post'], disruptions: ['cancel'] },
      edits: [
        {
          file: MODEL_STEP,
          from: `    scheduleToCloseMs: settleToCloseMs(context, rules, left.clearAtMs),
    isCancellable: false,`,
          to: `    scheduleToCloseMs: settleToCloseMs(context, rules, left.clearAtMs),
    isCancellable: true,`,
        },
      ],
    },
  },
  {
    name: 'cancel-between-attempts-believed',
    breaks: 'known',
    why: 'A step cancelled by the server while no attempt ran counts as never begun, though an earlier attempt may have sent (2.4).',
    edits: [
      {
        file: 'src/domain/once/activity-end.ts',
        from: `? nothingReported(cancelled(end.message), decided)`,
        to: `? nothingSent(cancelled(end.message), decided)`,
      },
    ],
    storms: { aim: ['pausedThenCancelled'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'captured-while-moving',
    breaks: 'undone',
    why: 'The state that an undo restores is read while a foreign cloud job runs, so there is nothing to restore (story 12).',
    edits: [
      { file: CAPTURE, from: `import { isAtRest } from '../domain/target/cloud-job.js';\n`, to: '' },
      { file: CAPTURE, from: `    if (isAtRest(reading) && clearAtMs <=`, to: `    if (clearAtMs <=` },
    ],
    storms: { aim: ['operatorAtTheStart'], seeds: 6 },
    model: {
      kind: 'found',
      aim: { plots: ['foreignJobAtTheFirstReading'] },
      edits: [{ file: MODEL_TARGET_RUN, from: `  if (isAtRest(reading) && clearAtMs <=`, to: `  if (clearAtMs <=` }],
    },
  },
  {
    name: 'terminated-holder-not-waited-out',
    breaks: 'once',
    why: 'A run begins at once after one that was terminated, while an attempt of the old run may still send, or its cloud job may still be invisible (story 9).',
    edits: [
      {
        file: LEASE,
        from: `status === 'COMPLETED' ? 0 : (closedAtMs ?? 0)`,
        to: `status === 'COMPLETED' ? 0 : Math.min(closedAtMs ?? 0, 0)`,
      },
    ],
    model: {
      kind: 'found',
      aim: { sites: ['post'], disruptions: ['terminate'], runs: 2 },
      edits: [
        {
          file: 'test/model/inherited.ts',
          from: `status === 'COMPLETED' ? 0 : (closedAtMs ?? nowMs)`,
          to: `status === 'COMPLETED' ? 0 : Math.min(closedAtMs ?? 0, 0)`,
        },
      ],
    },
  },
  {
    name: 'reset-holder-not-waited-out',
    breaks: 'alone',
    why: 'A run begins at once after a reset one that ended early, while an attempt from before the reset may still send or its cloud job be unseen.',
    edits: [{ file: LEASE, from: `resetAtMs ?? 0)`, to: `Math.min(resetAtMs ?? 0, 0))` }],
    model: {
      kind: 'found',
      aim: { plots: ['resetRunEndsEarly'] },
      edits: [
        {
          file: 'test/model/inherited.ts',
          from: `runId === chainId ? 0 : startedAtMs`,
          to: `runId === chainId ? 0 : Math.min(startedAtMs, 0)`,
        },
      ],
    },
  },
  {
    name: 'first-wait-over-before-the-reset',
    breaks: 'alone',
    why: 'A run that is reset to within its wait before the first step waits no longer than the run before it did, though that one may have continued and may still send.',
    edits: [
      {
        file: 'src/domain/once/settling.ts',
        from: `  if (runId === decidedInRunId) return left;`,
        to: `  if (runId === decidedInRunId || limits.marginMs > 0) return left;`,
      },
    ],
    model: foundWith({ plots: ['resetToTheFirstWait'] }),
  },
  {
    name: 'first-wait-decided-before-the-reset',
    breaks: 'known',
    why: 'A run that is reset to within its wait before the first step counts its steps as decided by the run before it, whose cloud jobs its own reading already shows: it reports that nothing was sent for them.',
    edits: [
      {
        file: CAPTURE,
        from: `const { settledInRunId = readInRunId } = settled;`,
        to: `const { settledInRunId = readInRunId } = { ...settled, settledInRunId: readInRunId };`,
      },
    ],
    model: {
      kind: 'found',
      aim: { plots: ['resetToTheFirstWait'] },
      edits: [
        {
          file: 'test/model/target-run.ts',
          from: `firstBaseline(settled.seen, settled.settledInRunId)`,
          to: `firstBaseline(settled.seen, readInRunId)`,
        },
        {
          file: 'test/model/execution.ts',
          from: `      this.holder.readInRunId = answer.end.settledInRunId;`,
          to: `      this.holder.readInRunId ??= answer.end.settledInRunId;`,
        },
      ],
    },
  },
  {
    name: 'late-end-believed',
    breaks: 'alone',
    why: 'The workflow believes an end however long ago it was written. After a reset numbers repeat, so it may be that of an older attempt: the run ends while the current one acts, and the next run acts beside it.',
    edits: [
      {
        file: 'src/domain/once/activity-end.ts',
        from: `nowMs - state.atMs > unseenAttemptMs(limits)`,
        to: `nowMs - state.atMs > unseenAttemptMs(limits) + Number.MAX_SAFE_INTEGER`,
      },
    ],
    model: foundWith({ plots: ['receivedAsTheEnd'] }),
  },
  {
    name: 'undo-not-shielded',
    breaks: 'undone',
    why: 'A cancel reaches the undos, so a cancelled run that should compensate leaves its effects behind (section 5).',
    edits: [
      {
        file: COMPENSATE,
        from: `  return CancellationScope.nonCancellable(async () => {`,
        to: `  return CancellationScope.cancellable(async () => {`,
      },
    ],
    storms: { seeds: SEEDS },
    model: {
      kind: 'found',
      edits: [
        {
          file: MODEL_TARGET_RUN,
          from: `performStep(step, from, context, run, times, false);`,
          to: `performStep(step, from, context, run, times, true);`,
        },
      ],
    },
  },
  {
    name: 'drift-ignored',
    breaks: 'undone',
    why: "An undo starts from a fresh reading instead of from the cloud job that this run followed, so it overwrites somebody else's change (story 10).",
    edits: [
      {
        file: COMPENSATE,
        from: `import { CancellationScope } from '@temporalio/workflow';`,
        to: `import { CancellationScope, workflowInfo } from '@temporalio/workflow';`,
      },
      {
        file: COMPENSATE,
        from: `import { performActionStep } from './perform-step.js';`,
        to: `import { performActionStep } from './perform-step.js';
import { observeTarget } from './proxies.js';`,
      },
      {
        file: COMPENSATE,
        from: `      const outcome = await performActionStep(step, from, request, { nowMs, deadlineAtMs: nowMs + step.deadlineMs });`,
        to: `      const { originalExecutionRunId } = workflowInfo();
      const { lastJobId } = await observeTarget(request.targetPlan.target, request.limits, originalExecutionRunId);
      const outcome = await performActionStep(step, { ...from, lastJobId }, request, { nowMs, deadlineAtMs: nowMs + step.deadlineMs });`,
      },
    ],
    storms: { aim: ['operatorBetweenStepsThenFailure'], seeds: 8 },
    model: {
      kind: 'found',
      aim: { plots: ['foreignJobBeforeTheUndo'] },
      edits: [
        {
          file: MODEL_TARGET_RUN,
          from: `    const outcome = yield* performStep(step, from, context, run, times, false);`,
          to: `    const fresh = yield { kind: 'observe', isCancellable: false };
    const known = fresh.kind === 'observed' ? { ...from, lastJobId: fresh.reading.lastJobId } : from;
    const outcome = yield* performStep(step, known, context, run, times, false);`,
        },
      ],
    },
  },
  {
    name: 'failed-step-not-undone',
    breaks: 'undone',
    why: 'Only steps that succeeded are undone, so a step that changed the instance and then failed leaves its effect (section 5).',
    edits: [
      {
        file: STEP_OUTCOME,
        from: `    sent === 'no' || after === null ? null :`,
        to: `    sent === 'no' || after === null || failure !== null ? null :`,
      },
    ],
    storms: { aim: ['operatorBetweenStepsThenFailure', 'doesNotConverge'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'undo-oldest-first',
    breaks: 'undone',
    why: 'Effects are taken back in the order they were made, so an undo finds a state in which it cannot be sent (section 5).',
    edits: [
      {
        file: 'src/domain/report/compensation.ts',
        from: `ruleOf(step.action).changed(before, after))
    .reverse();`,
        to: `ruleOf(step.action).changed(before, after));`,
      },
    ],
    storms: { aim: ['cancelledTwice'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'undo-cut-by-the-deadline',
    breaks: 'undone',
    why: "The run's deadline cuts its undos, so a run that ran out of time leaves its effects (section 5).",
    edits: [
      {
        file: COMPENSATE,
        from: `      const outcome = await performActionStep(step, from, request, { nowMs, deadlineAtMs: nowMs + step.deadlineMs });`,
        to: `      const deadlineAtMs = Math.min(nowMs + step.deadlineMs, request.deadlineAtMs);
      const outcome = await performActionStep(step, from, request, { nowMs, deadlineAtMs });`,
      },
    ],
    storms: { aim: ['outOfTime'], seeds: 6 },
    model: {
      kind: 'found',
      edits: [
        {
          file: MODEL_TARGET_RUN,
          from: `deadlineAtMs: context.nowMs + step.deadlineMs };
    const outcome`,
          to: `deadlineAtMs: Math.min(context.nowMs + step.deadlineMs, run.deadlineAtMs) };
    const outcome`,
        },
      ],
    },
  },
  {
    name: 'baseline-is-what-a-reading-showed',
    breaks: 'known',
    why: 'The next step starts from the id that a reading happened to show and not from the one that was followed, so our own cloud job, visible late, counts as foreign (story 3).',
    edits: [
      {
        file: 'src/domain/once/following.ts',
        from: `  const holds = age === 'baseline' && isAtRest(reading) &&`,
        to: `  const holds = isAtRest(reading) &&`,
      },
      {
        file: 'src/domain/once/following.ts',
        from: `  const seen = { ...reading, lastJobId: jobOf(state).id };`,
        to: `  const seen = reading;`,
      },
      {
        file: STEP_OUTCOME,
        from: `    lastJobId: cloudJobId,
    knownCloudJobIds: [...new Set([...baseline.knownCloudJobIds, ...known, cloudJobId])],`,
        to: `    lastJobId: observation.lastJobId,
    knownCloudJobIds: [...new Set([...baseline.knownCloudJobIds, ...known])],`,
      },
    ],
    storms: { aim: ['seenLate'], seeds: 6 },
    model: FOUND,
  },
];
