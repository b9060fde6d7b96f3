/** Mutations of approvals, checks and resumed runs. The model finds them with people who vote, sites that answer, and runs that resume one another. */
import { foundWith, type InModel, type Mutation } from '../chaos/mutation.js';

const APPROVALS = 'src/domain/steering/approvals.ts';
const OF_THE_RUN = 'src/domain/steering/run-approvals.ts';
const OF_THE_TARGET = 'src/domain/steering/target-approvals.ts';
const OUTCOMES = 'src/domain/report/step-outcome.ts';
const STEPS = 'src/domain/report/steps-result.ts';
const CHECKS = 'src/domain/checks/check-state.ts';
const RESUME = 'src/domain/plan/resume.ts';

const FOUND: InModel = foundWith({ isAttended: true });

export const APPROVAL_MUTATIONS: readonly Mutation[] = [
  {
    name: 'approval-counted-twice',
    breaks: 'alone',
    why: 'One person who approves twice counts as two people.',
    edits: [
      {
        file: APPROVALS,
        from: `  return votes.some((vote) => isSamePerson(vote.actor, actor))`,
        to: `  return votes.length < 0`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'requester-may-approve',
    breaks: 'alone',
    why: 'Who has requested the run approves it as well.',
    edits: [
      {
        file: APPROVALS,
        from: `(requestedBy === null || isSamePerson(actor, requestedBy))`,
        to: `requestedBy === null`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'one-approval-is-enough',
    breaks: 'alone',
    why: 'A step is sent before all the people have approved that it needs.',
    edits: [{ file: APPROVALS, from: `votes.length >= current.rules.need`, to: `votes.length > 0` }],
    model: FOUND,
  },
  {
    name: 'sent-without-approval',
    breaks: 'alone',
    why: 'A step that no one approved in time counts as approved, and the next one is sent.',
    edits: [{ file: OUTCOMES, from: `  expired: 'failed',`, to: `  expired: 'succeeded',` }],
    model: FOUND,
  },
  {
    name: 'sent-although-rejected',
    breaks: 'alone',
    why: 'A step that was rejected counts as approved.',
    edits: [{ file: OUTCOMES, from: `  rejected: 'failed',`, to: `  rejected: 'succeeded',` }],
    model: FOUND,
  },
  {
    name: 'approval-of-another-plan',
    breaks: 'alone',
    why: 'An approval counts whatever plan it names.',
    edits: [{ file: APPROVALS, from: `if (given.planHash !== planHash)`, to: `if (given.planHash === undefined)` }],
    model: FOUND,
  },
  {
    name: 'signed-vote-counts-again',
    breaks: 'once',
    why: 'A signed decision that comes again while the first one is verified is refused, or is in the report twice.',
    edits: [
      {
        file: OF_THE_RUN,
        from: `  const repeated = asRepeat(desk, command, given, nowMs);`,
        to: `  const repeated = asRepeat(desk, command, { ...given, key: '' }, nowMs);`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'vote-for-another-approval',
    breaks: 'alone',
    why: 'A signed vote counts for whatever is open once its token is verified, not for what the person has seen.',
    edits: [
      {
        file: OF_THE_RUN,
        from: `issuer === null || !isSameApproval(open, about)) return OVER;`,
        to: `issuer === null || !isSameApproval(open, open)) return about ? OVER : OVER;`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'vote-lost-by-the-target',
    breaks: 'alone',
    why: 'The target cannot verify a vote that the run has counted, and does not ask again, so that the run takes no other one until the approval expires.',
    edits: [
      {
        file: OF_THE_TARGET,
        from: `  const askedAtMs = Math.max(nowMs, approval.askedAtMs + 1);`,
        to: `  const askedAtMs = approval.askedAtMs;`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'wait-for-people-costs-time',
    breaks: 'alone',
    why: 'The time in which a step waits for its approval counts against the deadline of the run.',
    edits: [
      {
        file: OF_THE_TARGET,
        from: `  return Math.max(nowMs, endedAtMs ?? nowMs) - askedAtMs;`,
        to: `  return 0 * (Math.max(nowMs, endedAtMs ?? nowMs) - askedAtMs);`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'undo-in-a-pause',
    breaks: 'alone',
    why: 'What a rejection undoes is sent while the state of the run is `paused`.',
    edits: [
      {
        file: 'src/workflows/execute-steps.ts',
        from: `outcome.report.result === 'failed' && steering.isPaused`,
        to: `outcome.report.result === 'cancelled' && steering.isPaused`,
      },
    ],
    model: {
      ...FOUND,
      edits: [
        {
          file: 'test/model/target-run.ts',
          from: `if (outcome.report.result === 'failed') heldMs +=`,
          to: `if (outcome.report.result === 'cancelled') heldMs +=`,
        },
      ],
    },
  },
  {
    name: 'resumed-undo-expects-the-plan',
    breaks: 'known',
    why: 'An undo of a resumed run expects the count of before its own step, and is not sent.',
    edits: [
      {
        file: 'src/domain/report/compensation.ts',
        from: `    onFailure: 'continue',`,
        to: `    ...(step.expects === undefined ? {} : { expects: step.expects }),\n    onFailure: 'continue',`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'vote-lost-on-its-way',
    breaks: 'alone',
    why: 'A vote that the run took just before the end is no longer waited for by the target.',
    edits: [{ file: OF_THE_TARGET, from: `const GRACE_MS = 10_000;`, to: `const GRACE_MS = 0;` }],
    model: FOUND,
  },
  {
    name: 'failed-check-ignored',
    breaks: 'alone',
    why: 'The steps after a failed check are sent.',
    edits: [
      {
        file: STEPS,
        from: `  if (result === 'succeeded' || result === 'skipped') return 'nextStep';`,
        to: `  if (result === 'succeeded' || result === 'skipped' || step.kind === 'check') return 'nextStep';`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'check-passes-at-once',
    breaks: 'alone',
    why: 'A check passes with the first wanted answer, whether that holds or not.',
    edits: [
      { file: CHECKS, from: `heldSinceMs !== null && heldMs >= stableMs`, to: `heldSinceMs !== null && heldMs >= 0` },
    ],
    model: FOUND,
  },
  {
    name: 'check-overlooks-a-break',
    breaks: 'alone',
    why: 'A wrong answer in between does not begin the hold again.',
    edits: [
      {
        file: CHECKS,
        from: `return { ...before, requests, heldSinceMs: null, lastMetAtMs: null, failing };`,
        to: `return { ...before, requests, failing };`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'resumed-from-the-first-step',
    breaks: 'once',
    why: 'A resumed run sends again what succeeded in the run before.',
    edits: [
      {
        file: RESUME,
        from: `      : planned.findIndex(({ id }) => id === failed.id);`,
        to: `      : planned.findIndex(({ id }) => id !== failed.id || planned.length === 1);`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'restart-resumed-although-done',
    breaks: 'once',
    why: 'A restart that failed, and whose own cloud job ended well all the same, is sent again.',
    edits: [
      {
        file: RESUME,
        from: `  if (failed === undefined || index < 0 || isState(failed)) return index;`,
        to: `  if (failed === undefined || index < planned.length || isState(failed)) return index;`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'indeterminate-resumed-at-once',
    breaks: 'once',
    why: 'A step that may have been sent is sent again before everything of it must have shown.',
    edits: [{ file: RESUME, from: `  if (nowMs < clearAtMs)`, to: `  if (nowMs < 0)` }],
    model: {
      kind: 'harmless',
      why: 'A run with a report has waited for what it sent, so nothing can show that did not show before.',
      aim: { isAttended: true },
    },
  },
  {
    name: 'resumed-over-somebody-else',
    breaks: 'once',
    why: 'A run is resumed although somebody has acted on the instance since.',
    edits: [{ file: RESUME, from: `  if (newest !== seen.lastJobId)`, to: `  if (newest === undefined)` }],
    model: FOUND,
  },
  {
    name: 'resumed-twice-at-once',
    breaks: 'once',
    why: 'If two runs resume the same one, the second sends as well.',
    edits: [
      {
        file: RESUME,
        from: `    ...(lastJobId === null ? {} : { lastJobId }),`,
        to: `    ...(lastJobId === null || lastJobId !== '' ? {} : { lastJobId }),`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'resumed-without-an-approval',
    breaks: 'alone',
    why: 'A resumed run relies on the approval that a step of the run before was given, for another plan.',
    edits: [
      {
        file: 'src/domain/plan/run-approval.ts',
        from: `  return guard ?? steps.findLast(({ id }) => isLeftOut(id))?.approval;`,
        to: `  return steps.some(({ id }) => isLeftOut(id)) ? guard : guard;`,
      },
    ],
    model: FOUND,
  },
];
