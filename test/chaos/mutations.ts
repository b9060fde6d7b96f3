/** The product broken on purpose, one rule at a time: what chaos has to find, so that its silence about the real product means something. */
import type { Violation } from './evidence.js';
import type { PlotName } from './plots.js';

interface Edit {
  /** From the root of the project. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

/** One rule taken out as somebody might by mistake; the result compiles. */
export interface Mutation {
  readonly name: string;
  /** The promise that chaos should see broken. */
  readonly breaks: Violation['promise'];
  /** Which rule is taken out, and which story of the protocol comes back. */
  readonly why: string;
  readonly edits: readonly Edit[];
  /** Found only by storms of these plots: drawn from all, they are too rare. */
  readonly aim?: readonly PlotName[];
  /** Chaos must find it within that many seeds. */
  readonly seeds: number;
}

const ATTEMPT = 'src/activities/attempt.ts';
const FOLLOW_ACTION = 'src/activities/follow-action.ts';
const SETTLE_TARGET = 'src/activities/settle-target.ts';
const ENTRY = 'src/domain/once/entry.ts';
const EVIDENCE = 'src/domain/once/evidence.ts';
const HTTP = 'src/servicestage/http.ts';
const COMPENSATE = 'src/workflows/compensate.ts';
const LEASE = 'src/workflows/lease.ts';
const PERFORM_STEP = 'src/workflows/perform-step.ts';
const RUN = 'src/workflows/run.ts';
const TARGET_RUN = 'src/workflows/target-run.ts';

/** Of storms drawn from all plots: each was found by one of the first five. */
const SEEDS = 5;

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'cloud-job-id-not-beaten',
    breaks: 'known',
    why: 'Heartbeats never hold the cloud job id, so an attempt after a crash knows less than was known: what cannot be adopted (a restart by an unknown user, a job covered by a later one) ends indeterminate although its answer had arrived (story 1).',
    edits: [
      {
        file: ATTEMPT,
        from: `      state: this.#state,
      trail: this.trail,`,
        to: `      state: this.#state.kind === 'following' ? { kind: 'entered' } : this.#state,
      trail: this.trail,`,
      },
    ],
    seeds: SEEDS,
  },
  {
    name: 'baseline-ignored',
    breaks: 'once',
    why: "A cloud job newer than the baseline is taken for the baseline, so our own accepted one is not noticed (story 1) and neither is a colleague's (story 7).",
    edits: [{ file: ENTRY, from: `  return 'new';`, to: `  return 'baseline';` }],
    aim: ['lostAnswerThenFailed'],
    seeds: 8,
  },
  {
    name: 'fence-left-out',
    breaks: 'once',
    why: 'An attempt that is too old still sends: one that waited for the budget (story 4) or was frozen between reading and send (story 11) sends beside its successor.',
    edits: [
      { file: ATTEMPT, from: `import { fenceMs } from '../domain/once/limits.js';\n`, to: '' },
      { file: ATTEMPT, from: `import { abortedAfter } from './pause.js';\n`, to: '' },
      {
        file: ATTEMPT,
        from: `    this.unsentSignal = AbortSignal.any([this.context.cancellationSignal, abortedAfter(fenceMs(request.limits))]);`,
        to: `    this.unsentSignal = this.context.cancellationSignal;`,
      },
      {
        file: ATTEMPT,
        from: `    return this.ageMs > fenceMs(this.request.limits)
      ? { name: 'Throttled', why: 'too long ago since the attempt began: another one may be at work' }
      : null;`,
        to: `    return null;`,
      },
    ],
    aim: ['frozenBeforeItsSend'],
    seeds: 8,
  },
  {
    name: 'not-sent-believed-from-any-attempt',
    breaks: 'known',
    why: 'A `notSent` is believed whoever left it and is carried on by attempts that enter, so an attempt after one that was lost with its POST takes itself for the first (story 6b).',
    edits: [
      {
        file: ENTRY,
        from: `export function isFirstLike(facts: AttemptFacts, limits: Limits): boolean {`,
        to: `export function isFirstLike(facts: AttemptFacts): boolean {`,
      },
      {
        file: ENTRY,
        from: `  if (details.state.kind !== 'notSent' || details.attempt !== attempt - 1) return false;
  // Scheduled later than that, an attempt between has been lost, and it may have sent.
  return attemptScheduledAtMs <= details.atMs + details.state.retryDelayMs + limits.heartbeatTimeoutMs / 2;`,
        to: `  return details.state.kind === 'notSent';`,
      },
      {
        file: ATTEMPT,
        from: `    this.firstLike = isFirstLike(this.facts, request.limits);`,
        to: `    this.firstLike = isFirstLike(this.facts);`,
      },
      {
        file: ATTEMPT,
        from: `    this.#state = details?.state.kind === 'following' ? details.state : { kind: 'entered' };`,
        to: `    this.#state = details?.state ?? { kind: 'entered' };`,
      },
    ],
    aim: ['provedUnsentThenKilled'],
    seeds: 8,
  },
  {
    name: 'post-retried-by-the-client',
    breaks: 'once',
    why: 'The HTTP client sends a POST again after a reset, a time-out or a 5xx: two POSTs within one attempt (2.2).',
    edits: [
      { file: HTTP, from: `  retry: { limit: 0 },`, to: `  retry: { limit: 2, methods: ['GET', 'POST'] },` },
      {
        file: HTTP,
        from: `import type { Socket } from 'node:net';`,
        to: `import { connect, type Socket } from 'node:net';`,
      },
      {
        file: HTTP,
        from: `{ createConnection: () => connection }),`,
        to: `{
          createConnection: () =>
            connection.bytesWritten === 0 ? connection : connect(Number(url.port), url.hostname),
        }),`,
      },
    ],
    seeds: SEEDS,
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
    seeds: SEEDS,
  },
  {
    name: 'drift-not-looked-at',
    breaks: 'undone',
    why: 'An undo starts from what a fresh reading shows instead of from what this run followed, so it overwrites a colleague (story 10).',
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
        from: `      const outcome = await performActionStep(step, from, run, { nowMs, deadlineAtMs: nowMs + step.deadlineMs });`,
        to: `      const { originalExecutionRunId } = workflowInfo();
      const { lastJobId } = await observeTarget(run.targetPlan.target, run.limits, originalExecutionRunId);
      const outcome = await performActionStep(step, { ...from, lastJobId }, run, { nowMs, deadlineAtMs: nowMs + step.deadlineMs });`,
      },
    ],
    aim: ['colleagueBetweenStepsThenFailure'],
    seeds: 8,
  },
  {
    name: 'lease-id-random',
    breaks: 'alone',
    why: 'Each run takes a lease of its own, so two act on one instance at a time (section 7).',
    edits: [
      {
        file: LEASE,
        from: `  startChild,
  WorkflowIdReusePolicy,`,
        to: `  startChild,
  uuid4,
  WorkflowIdReusePolicy,`,
      },
      { file: LEASE, from: `  const id = leaseId(target);`, to: '  const id = `${leaseId(target)}/${uuid4()}`;' },
      {
        file: TARGET_RUN,
        from: `  if (workflowId !== expected) throw`,
        to: `  if (!workflowId.startsWith(expected)) throw`,
      },
    ],
    seeds: SEEDS,
  },
  {
    name: 'settle-left-out',
    breaks: 'known',
    why: 'A step that may have been sent counts as clear at once, so its effect is neither reported nor undone (stories 2 and 8).',
    edits: [
      {
        file: PERFORM_STEP,
        from: `  try {
    return await settleTarget(request, summary);`,
        to: `  const { sent, cloudJobId } = request;
  if (sent === 'unknown') return { clear: true, why: 'not settled', observation: lastObservation, sent, cloudJobId };
  try {
    return await settleTarget(request, summary);`,
      },
    ],
    seeds: SEEDS,
  },
  {
    name: 'settle-too-short',
    breaks: 'known',
    why: 'Settle ends at the first quiet instead of waiting out what may still be unseen: "nothing was sent" while the cloud job is not yet visible (story 8).',
    edits: [
      {
        file: SETTLE_TARGET,
        from: `        quietSinceMs !== null && nowMs - quietSinceMs >= limits.quietMs && nowMs - this.#beganAtMs >= unseenForMs;`,
        to: `        quietSinceMs !== null && nowMs - quietSinceMs >= limits.quietMs;`,
      },
    ],
    aim: ['lostAnswerSeenLateThenCancel'],
    seeds: 6,
  },
  {
    name: 'settle-not-shielded',
    breaks: 'known',
    why: 'A cancel reaches the settle, so a step that could have been cleared up ends indeterminate (story 8).',
    edits: [
      {
        file: PERFORM_STEP,
        from: `import { CancellationScope, isCancellation, patched, workflowInfo } from '@temporalio/workflow';`,
        to: `import { isCancellation, patched, workflowInfo } from '@temporalio/workflow';`,
      },
      {
        file: PERFORM_STEP,
        from: `    return CancellationScope.nonCancellable(() =>
      settleOrSay(request, \`\${step.id}: settle \${target.path}\`, told.lastObservation),
    );`,
        to: `    return settleOrSay(request, \`\${step.id}: settle \${target.path}\`, told.lastObservation);`,
      },
    ],
    aim: ['lostAnswerThenCancel', 'lostAnswerSeenLateThenCancel'],
    seeds: 6,
  },
  {
    name: 'unknown-reported-as-not-sent',
    breaks: 'known',
    why: "A first attempt whose POST got no answer says that nothing was sent (2.2), so the next one takes our own cloud job for a colleague's or sends again (story 7 turned round).",
    edits: [{ file: ATTEMPT, from: `    this.#maySent = true;\n`, to: '' }],
    aim: ['lostAnswerSeenLate', 'lostAnswerThenCancel'],
    seeds: 6,
  },
  {
    name: 'reset-taken-as-not-sent',
    breaks: 'known',
    why: 'A connection that broke after the request was read counts like one that was never made (2.2).',
    edits: [
      {
        file: HTTP,
        from: `    throw errorWithoutAnswer(asked, connection !== null, reason);`,
        to: `    throw errorWithoutAnswer(asked, false, reason);`,
      },
    ],
    aim: ['lostAnswerSeenLate', 'lostAnswerThenCancel'],
    seeds: 6,
  },
  {
    name: 'cancel-between-attempts-believed',
    breaks: 'known',
    why: 'A step cancelled by the server while no attempt ran counts as never begun, though an earlier attempt may have sent (2.4).',
    edits: [
      {
        file: 'src/workflows/step-failure.ts',
        from: `    return { name: 'cancelled', message: cause.message, details: readDetails(cause.details?.[0]) ?? noDetails(limits) };`,
        to: `    return { name: 'cancelled', message: cause.message, details: readDetails(cause.details?.[0]) ?? neverBegan() };`,
      },
    ],
    aim: ['pausedThenCancelled'],
    seeds: 6,
  },
  {
    name: 'foreign-cloud-job-adopted',
    breaks: 'known',
    why: "A cloud job counts as ours whoever asked for it: after a lost attempt a colleague's is reported as what this run did (2.1).",
    edits: [
      {
        file: EVIDENCE,
        from: `  if (ownUserId !== null && job.createdBy !== null && !createdByUs)
    return doesNotFit(\`user \${job.createdBy} asked for it\`);
`,
        to: '',
      },
    ],
    aim: ['colleagueDoesTheSame'],
    seeds: 6,
  },
  {
    name: 'reset-run-counts-as-first',
    breaks: 'known',
    why: 'The first attempt of a reset run takes itself for the first of its step, though the run before it sent (story 9).',
    edits: [
      {
        file: ENTRY,
        from: `  const { attempt, runId, originalRunId, scheduledAtMs, attemptScheduledAtMs, details } = facts;
  if (details === null) return attempt === 1 && runId === originalRunId && attemptScheduledAtMs === scheduledAtMs;`,
        to: `  const { attempt, scheduledAtMs, attemptScheduledAtMs, details } = facts;
  if (details === null) return attempt === 1 && attemptScheduledAtMs === scheduledAtMs;`,
      },
    ],
    aim: ['resetUnderAnOpenPost', 'resetThenCancel'],
    seeds: 6,
  },
  {
    name: 'run-closes-over-its-child',
    breaks: 'ends',
    why: 'A run that is terminated takes the child with it, which then neither finishes nor undoes what is in flight (section 7).',
    edits: [
      {
        file: LEASE,
        from: `      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,`,
        to: `      parentClosePolicy: ParentClosePolicy.TERMINATE,`,
      },
    ],
    aim: ['terminatedThenStartedAgain'],
    seeds: 6,
  },
  {
    name: 'cancelled-child-not-awaited',
    breaks: 'known',
    why: 'A cancelled run does not wait for its child, so its report lacks what the child did (section 7).',
    edits: [
      {
        file: LEASE,
        from: `      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,`,
        to: `      cancellationType: ChildWorkflowCancellationType.TRY_CANCEL,`,
      },
    ],
    aim: ['cancelledTwice'],
    seeds: 6,
  },
  {
    name: 'report-not-in-memo',
    breaks: 'known',
    why: 'A run that closes Cancelled carries neither result nor details, so without the memo it has no report (section 7).',
    edits: [
      {
        file: RUN,
        from: `  upsertMemo,
  upsertSearchAttributes,`,
        to: `  upsertSearchAttributes,`,
      },
      {
        file: RUN,
        from: `import { OUTCOME_SEARCH_ATTRIBUTE, PROGRESS_QUERY, REPORT_MEMO }`,
        to: `import { OUTCOME_SEARCH_ATTRIBUTE, PROGRESS_QUERY }`,
      },
      {
        file: RUN,
        from: `import { MEMO_REPORT_BYTES, RESULT_REPORT_BYTES }`,
        to: `import { RESULT_REPORT_BYTES }`,
      },
      { file: RUN, from: `  upsertMemo({ [REPORT_MEMO]: storedReport(whole, MEMO_REPORT_BYTES) });\n`, to: '' },
    ],
    aim: ['cancelledTwice'],
    seeds: 6,
  },
  {
    name: 'verification-skipped',
    breaks: 'known',
    why: 'A cloud job that succeeded counts as success, whatever state the instance is in (2.3).',
    edits: [
      {
        file: FOLLOW_ACTION,
        from: `import { describeAction, ruleOf, wishedStateHolds } from '../domain/actions.js';`,
        to: `import { describeAction, ruleOf } from '../domain/actions.js';`,
      },
      {
        file: FOLLOW_ACTION,
        from: `      const holds = age === 'baseline' && isAtRest(reading) && wishedStateHolds(action, reading);`,
        to: `      const holds = age === 'baseline' && isAtRest(reading);`,
      },
    ],
    aim: ['doesNotConverge'],
    seeds: 6,
  },
  {
    name: 'restart-treated-as-a-state',
    breaks: 'known',
    why: 'A restart counts as an action towards a state, so a running instance needs none: it is reported as done and nothing was sent (2.1).',
    edits: [{ file: 'src/domain/actions.ts', from: `    kind: 'edge',`, to: `    kind: 'state',` }],
    aim: ['seenLate', 'lostAnswerThenCancel'],
    seeds: 6,
  },
  {
    name: 'baseline-is-what-a-reading-showed',
    breaks: 'known',
    why: "The next step starts from the id that a reading happened to show and not from the one that was followed, so our own cloud job, visible late, counts as a colleague's (story 3).",
    edits: [
      {
        file: FOLLOW_ACTION,
        from: `      const holds = age === 'baseline' && isAtRest(reading) && wishedStateHolds(action, reading);`,
        to: `      const holds = isAtRest(reading) && wishedStateHolds(action, reading);`,
      },
      { file: FOLLOW_ACTION, from: `    after: { ...reading, lastJobId: cloudJobId },`, to: `    after: reading,` },
      {
        file: PERFORM_STEP,
        from: `    lastJobId: cloudJobId,
    knownCloudJobIds: [...new Set([...baseline.knownCloudJobIds, ...known, cloudJobId])],`,
        to: `    lastJobId: observation.lastJobId,
    knownCloudJobIds: [...new Set([...baseline.knownCloudJobIds, ...known])],`,
      },
    ],
    aim: ['seenLate'],
    seeds: 6,
  },
  {
    name: 'captured-while-moving',
    breaks: 'undone',
    why: "The state that undo goes back to is read while a colleague's cloud job runs, so there is nothing to go back to (story 12).",
    edits: [
      { file: TARGET_RUN, from: `import { isAtRest } from '../domain/cloud-job.js';\n`, to: '' },
      {
        file: TARGET_RUN,
        from: `    if (isAtRest(reading) && unseenForMs === 0) return firstBaseline(reading, readInRunId);`,
        to: `    if (unseenForMs === 0) return firstBaseline(reading, readInRunId);`,
      },
    ],
    aim: ['colleagueAtTheStart'],
    seeds: 6,
  },
  {
    name: 'failed-step-not-undone',
    breaks: 'undone',
    why: 'Only steps that succeeded are undone, so a step that changed the instance and then failed leaves its effect (section 5).',
    edits: [
      {
        file: PERFORM_STEP,
        from: `      sent === 'no' || after === null ? null :`,
        to: `      sent === 'no' || after === null || name !== undefined ? null :`,
      },
    ],
    aim: ['colleagueBetweenStepsThenFailure', 'doesNotConverge'],
    seeds: 6,
  },
  {
    name: 'undo-oldest-first',
    breaks: 'undone',
    why: 'Effects are taken back in the order they were made, so an undo meets a state that it cannot be sent in (section 5).',
    edits: [
      {
        file: 'src/domain/compensation.ts',
        from: `ruleOf(step.action).changed(before, after))
    .reverse();`,
        to: `ruleOf(step.action).changed(before, after));`,
      },
    ],
    aim: ['cancelledTwice'],
    seeds: 6,
  },
  {
    name: 'undo-cut-by-the-deadline',
    breaks: 'undone',
    why: "The run's deadline cuts its undos, so a run that ran out of time leaves its effects (section 5).",
    edits: [
      {
        file: COMPENSATE,
        from: `      const outcome = await performActionStep(step, from, run, { nowMs, deadlineAtMs: nowMs + step.deadlineMs });`,
        to: `      const deadlineAtMs = Math.min(nowMs + step.deadlineMs, run.deadlineAtMs);
      const outcome = await performActionStep(step, from, run, { nowMs, deadlineAtMs });`,
      },
    ],
    aim: ['outOfTime'],
    seeds: 6,
  },
];
