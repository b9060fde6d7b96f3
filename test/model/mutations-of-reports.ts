/** Mutations of what an attempt believes about earlier ones: heartbeats, proofs that nothing was sent, resets, bounds. The model finds them. */
import { FOUND, foundWith, type Mutation } from '../chaos/mutation.js';

const ENDING = 'src/domain/once/ending.ts';
const ENTRY = 'src/domain/once/entry.ts';
const NEXT = 'src/domain/once/next.ts';
const OBSERVING = 'src/domain/once/observing.ts';
const STATE = 'src/domain/once/state.ts';

const HEARTBEAT = `  return { ...state, sent: 'unknown', isUnleased: false };`;

export const STATE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'cloud-job-id-not-in-heartbeats',
    breaks: 'known',
    why: 'Heartbeats never hold the cloud job id, so an attempt after a crash knows less than was known: what cannot be adopted (a restart by an unknown user, or a job hidden by a later one) ends indeterminate although its answer had arrived (story 1).',
    edits: [
      {
        file: STATE,
        from: `  if (state.phase.name === 'ended' || state.cloudJob !== null) return state;`,
        to: `  if (state.phase.name === 'ended' && state.cloudJob === null) return state;`,
      },
      {
        file: STATE,
        from: HEARTBEAT,
        to: `  return { ...state, sent: 'unknown', isUnleased: false, cloudJob: null };`,
      },
    ],
    storms: { seeds: 5 },
    model: FOUND,
  },
  {
    name: 'heartbeats-say-no',
    breaks: 'once',
    why: 'A timer heartbeat carries `sent: no` while nothing was sent yet. It can reach the server after the send lease and hide it.',
    edits: [{ file: STATE, from: HEARTBEAT, to: `  return { ...state, isUnleased: false };` }],
    model: {
      kind: 'harmless',
      why: 'the next attempt believes a `no` only of an attempt that ended, was at the barrier or got no lease (`isDirectlyBefore`); see `no-believed-from-any-heartbeat`',
      aim: { sites: ['heartbeat'], disruptions: ['kill'] },
    },
  },
  {
    name: 'heartbeats-say-unleased',
    breaks: 'once',
    why: 'A timer heartbeat states that there was no send lease. It can reach the server after a lease and hide it, so that a restart is sent again beyond the visibility window.',
    edits: [{ file: STATE, from: HEARTBEAT, to: `  return { ...state, sent: 'unknown' };` }],
    model: foundWith({ plots: ['heartbeatAfterTheLease'], isBeyondTheWindow: true }),
  },
  {
    name: 'no-believed-from-any-heartbeat',
    breaks: 'once',
    why: 'Timer heartbeats carry `sent: no`, and the next attempt believes that of a lost attempt, whose lease came later.',
    edits: [
      { file: STATE, from: HEARTBEAT, to: `  return state;` },
      {
        file: ENTRY,
        from: `  return phase.name === 'ended' && phase.ending.kind === 'failed' && !isReceivedLate(facts, previous, limits);`,
        to: `  return phase.name === 'ended'
    ? phase.ending.kind === 'failed' && !isReceivedLate(facts, previous, limits)
    : facts.attemptScheduledAtMs <= atMs + 2 * limits.heartbeatTimeoutMs;`,
      },
    ],
    model: foundWith({ sites: ['heartbeat'], disruptions: ['kill'] }),
  },
  {
    name: 'not-sent-believed-from-any-attempt',
    breaks: 'known',
    why: 'A `no` is believed whichever attempt left it. After a reset numbers repeat, so the failure of an attempt from before it counts as that of the one that sent (story 6b).',
    edits: [
      {
        file: ENTRY,
        from: `return previous.sent === 'no' && isDirectlyBefore(facts, previous, limits);`,
        to: `return previous.sent === 'no' && (isDirectlyBefore(facts, previous, limits) || previous.attempt > 0);`,
      },
    ],
    storms: { aim: ['provedUnsentThenKilled'], seeds: 8 },
    model: foundWith({ sites: ['report'], disruptions: ['resetActivity'] }),
  },
  {
    name: 'not-sent-believed-however-late',
    breaks: 'known',
    why: 'The failure of the attempt directly before is believed however old it is: an attempt in between may have had the same number, and sent.',
    edits: [
      {
        file: ENTRY,
        from: `  return phase.name === 'ended' && phase.ending.kind === 'failed' && !isReceivedLate(facts, previous, limits);`,
        to: `  return phase.name === 'ended' && phase.ending.kind === 'failed';`,
      },
    ],
    model: foundWith({ plots: ['receivedBesideItsSuccessor'] }),
  },
  {
    name: 'unsent-from-nothing',
    breaks: 'once',
    why: 'The absence of a heartbeat counts as proof that nothing was sent, whatever the number of the attempt, though a reset may have cleared the heartbeats.',
    edits: [
      {
        file: ENTRY,
        from: `  return facts.attempt === 1 && !wasReset(facts, previous);`,
        to: `  return !wasReset(facts, previous);`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'lost-attempt-taken-as-unsent',
    breaks: 'once',
    why: 'An attempt without a heartbeat counts as lost before its lease, without asking the server how it ended.',
    edits: [
      {
        file: OBSERVING,
        from: `event.kind === 'standing' && event.isAfterTimeout === true;`,
        to: `event.kind === 'standing';`,
      },
    ],
    model: foundWith({ plots: ['clearedUnderItsPost'] }),
  },
  {
    name: 'lost-attempt-of-another-run',
    breaks: 'once',
    why: 'An attempt of a run that was reset counts as lost before its lease, because this run has no heartbeat of it.',
    edits: [
      {
        file: NEXT,
        from: `  const leftNothing = previous === null && attempt > 1 && runId === decidedInRunId;`,
        to: `  const leftNothing = previous === null && attempt > 1;`,
      },
    ],
    model: foundWith({ plots: ['resetRunLosesItsFirstAttempt'], isBeyondTheWindow: true }),
  },
  {
    name: 'reset-run-counts-as-first',
    breaks: 'known',
    why: 'The first attempt of a reset run counts as the first of its step, though the run before it sent (story 9).',
    edits: [
      {
        file: ENTRY,
        from: `  { attempt, scheduledAtMs, attemptScheduledAtMs, runId, decidedInRunId }: AttemptFacts,`,
        to: `  { attempt, scheduledAtMs, attemptScheduledAtMs }: AttemptFacts,`,
      },
      {
        file: ENTRY,
        from: `  return runId !== decidedInRunId || (attempt === 1 && attemptScheduledAtMs !== scheduledAtMs);`,
        to: `  return attempt === 1 && attemptScheduledAtMs !== scheduledAtMs;`,
      },
    ],
    storms: { aim: ['resetUnderAnOpenPost', 'resetThenCancel'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'reset-activity-counts-as-first',
    breaks: 'once',
    why: 'The first attempt after a reset of the activity that cleared its heartbeats counts as the first of its step (story 6).',
    edits: [
      {
        file: ENTRY,
        from: `  return runId !== decidedInRunId || (attempt === 1 && attemptScheduledAtMs !== scheduledAtMs);`,
        to: `  return runId !== decidedInRunId || (attempt === 1 && attemptScheduledAtMs < scheduledAtMs);`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'late-no-reported',
    breaks: 'known',
    why: 'An attempt without contact to the server for the heartbeat timeout reports that nothing was sent, though another may have replaced it meanwhile.',
    edits: [
      {
        file: ENDING,
        from: `  if (silentForMs <= unseenMs) return { sent: 'unknown' };`,
        to: `  if (silentForMs <= unseenMs || sent === 'no') return {};`,
      },
    ],
    model: foundWith({ sites: ['read'], disruptions: ['resetActivity', 'freeze'] }),
  },
  {
    name: 'silent-end-not-waited-out',
    breaks: 'once',
    why: 'An attempt that was frozen for a long time ends as if nothing could appear any more, though another attempt with its number may just have sent.',
    edits: [
      {
        file: ENDING,
        from: `  return { sent: 'unknown', isUnleased: false, clearAtMs: Math.max(clearAtMs, nowMs + unseenMs) };`,
        to: `  return { sent: 'unknown', clearAtMs };`,
      },
    ],
    model: foundWith({ plots: ['frozenBesideItsSuccessor'] }),
  },
  {
    name: 'silent-attempt-counts-as-alive',
    breaks: 'known',
    why: 'A heartbeat after a long silence counts as contact, though the server may have timed the attempt out before it.',
    edits: [
      {
        file: NEXT,
        from: `  const isInTime = nowMs - state.heardAtMs <= heartbeatTimeoutMs - marginMs;`,
        to: `  const isInTime = nowMs - state.heardAtMs <= 1e6 * (heartbeatTimeoutMs - marginMs);`,
      },
    ],
    model: foundWith({ sites: ['read'], disruptions: ['resetActivity', 'freeze'] }),
  },
  {
    name: 'barrier-left-out',
    breaks: 'known',
    why: 'An attempt that may be superseded continues without asking the server, which then treats its failure as that of the attempt that replaced it.',
    edits: [
      {
        file: OBSERVING,
        from: `  return whereNamed(known, phase.askedAtMs, event, at, (named) =>`,
        to: `  const isCancelled = event.kind === 'standing' && event.standing === 'cancelled';
  const asCurrent = isCancelled ? event : ({ kind: 'standing', standing: 'current' } as const);
  return whereNamed(known, phase.askedAtMs, asCurrent, at, (named) =>`,
      },
    ],
    model: foundWith({ plots: ['handedOutBesideItsSuccessor'] }),
  },
  {
    name: 'other-project-not-noticed',
    breaks: 'undone',
    why: 'A worker of another project reads there, finds neither the instance nor its cloud job, and reports that they do not exist.',
    edits: [
      {
        file: NEXT,
        from: `  if (elsewhere !== null && !mustAsk) return endElsewhere(entered, elsewhere, at);\n`,
        to: '',
      },
    ],
    model: foundWith({}),
  },
  {
    name: 'superseded-attempt-reports',
    breaks: 'known',
    why: 'A superseded attempt ends with an ordinary failure, which the server can treat as that of the attempt that replaced it.',
    edits: [
      { file: ENDING, from: `  if (by === 'superseded') return end(state, { kind: 'superseded' }, at);\n`, to: '' },
    ],
    model: foundWith({ plots: ['handedOutBesideAnEarlySuccessor'] }),
  },
];
