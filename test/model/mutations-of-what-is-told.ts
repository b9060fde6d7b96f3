/** Mutations of what an attempt believes of those before it: heartbeats, proofs that nothing was sent, resets, bounds. The model finds them. */
import { FOUND, foundWith, type Mutation } from '../chaos/mutation.js';

const ENDING = 'src/domain/once/ending.ts';
const ENTRY = 'src/domain/once/entry.ts';
const NEXT = 'src/domain/once/next.ts';
const OBSERVING = 'src/domain/once/observing.ts';
const STATE = 'src/domain/once/state.ts';

const HEARTBEAT = `  return { ...state, sent: 'unknown', isUnleased: false };`;

export const STATE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'cloud-job-id-not-beaten',
    breaks: 'known',
    why: 'Heartbeats never hold the cloud job id, so an attempt after a crash knows less than was known: what cannot be adopted (a restart by an unknown user, a job covered by a later one) ends indeterminate although its answer had arrived (story 1).',
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
    why: 'A heartbeat on the timer says `sent: no` while nothing was sent yet. It can reach the server after the send lease and hide it.',
    edits: [{ file: STATE, from: HEARTBEAT, to: `  return { ...state, isUnleased: false };` }],
    model: {
      kind: 'harmless',
      why: 'the next attempt believes a `no` only of an attempt that ended, stood at the barrier or got no lease (`isDirectlyBefore`); see `no-believed-from-any-heartbeat`',
      aim: { sites: ['heartbeat'], blows: ['kill'] },
    },
  },
  {
    name: 'heartbeats-say-unleased',
    breaks: 'once',
    why: 'A heartbeat on the timer says that there was no send lease. It can reach the server after one and hide it, so that a restart is sent again beyond the visibility window.',
    edits: [{ file: STATE, from: HEARTBEAT, to: `  return { ...state, sent: 'unknown' };` }],
    model: foundWith({ plots: ['heartbeatAfterTheLease'], isBeyondTheWindow: true }),
  },
  {
    name: 'no-believed-from-any-heartbeat',
    breaks: 'once',
    why: 'Heartbeats on the timer say `sent: no`, and the next attempt believes it of one that was lost: the lease came after it.',
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
    model: foundWith({ sites: ['heartbeat'], blows: ['kill'] }),
  },
  {
    name: 'not-sent-believed-from-any-attempt',
    breaks: 'known',
    why: 'A `no` is believed whoever left it: after a reset numbers repeat, and the failure of an attempt from before it is taken for the words of the one that sent (story 6b).',
    edits: [
      {
        file: ENTRY,
        from: `return previous.sent === 'no' && isDirectlyBefore(facts, previous, limits);`,
        to: `return previous.sent === 'no' && (isDirectlyBefore(facts, previous, limits) || previous.attempt > 0);`,
      },
    ],
    storms: { aim: ['provedUnsentThenKilled'], seeds: 8 },
    model: foundWith({ sites: ['report'], blows: ['resetActivity'] }),
  },
  {
    name: 'not-sent-believed-however-late',
    breaks: 'known',
    why: 'The failure of the attempt directly before is believed however long ago it was told: one between may have had its number, and sent.',
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
    why: 'No heartbeat of an earlier attempt proves that nothing was sent, whatever the number of the attempt: a reset may have cleared them.',
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
    why: 'An attempt without a heartbeat is taken as lost before its lease without asking the server how it ended.',
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
    why: 'An attempt of a run that was reset is taken as lost before its lease because this run has no heartbeat of it.',
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
    why: 'The first attempt of a reset run takes itself for the first of its step, though the run before it sent (story 9).',
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
    why: 'The first attempt after a reset of the activity that cleared its heartbeats takes itself for the first of its step (story 6).',
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
    name: 'late-no-told',
    breaks: 'known',
    why: 'An attempt that the server has not heard of for the heartbeat time-out says that nothing was sent, though another may have been in its place.',
    edits: [
      {
        file: ENDING,
        from: `  if (silentForMs <= unseenMs) return { sent: 'unknown' };`,
        to: `  if (silentForMs <= unseenMs || sent === 'no') return {};`,
      },
    ],
    model: foundWith({ sites: ['read'], blows: ['resetActivity', 'freeze'] }),
  },
  {
    name: 'silent-end-not-waited-out',
    breaks: 'once',
    why: 'An attempt that was frozen for long ends as if nothing could appear any more, though one of its number may just have sent.',
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
    name: 'silent-attempt-counts-as-heard',
    breaks: 'known',
    why: 'A heartbeat after a long silence counts as heard, though the server may have given the attempt up before it.',
    edits: [
      {
        file: NEXT,
        from: `  const isInTime = nowMs - state.heardAtMs <= heartbeatTimeoutMs - marginMs;`,
        to: `  const isInTime = nowMs - state.heardAtMs <= 1e6 * (heartbeatTimeoutMs - marginMs);`,
      },
    ],
    model: foundWith({ sites: ['read'], blows: ['resetActivity', 'freeze'] }),
  },
  {
    name: 'barrier-left-out',
    breaks: 'known',
    why: 'An attempt that may be superseded goes on without the word of the server: its failure is taken for that of the attempt that took its place.',
    edits: [
      {
        file: OBSERVING,
        from: `  return whereNamed(known, phase.askedAtMs, event, at, (named) => reserve(named, at));`,
        to: `  const isCancelled = event.kind === 'standing' && event.standing === 'cancelled';
  const told = isCancelled ? event : ({ kind: 'standing', standing: 'current' } as const);
  return whereNamed(known, phase.askedAtMs, told, at, (named) => reserve(named, at));`,
      },
    ],
    model: foundWith({ plots: ['handedOutBesideItsSuccessor'] }),
  },
  {
    name: 'superseded-attempt-speaks',
    breaks: 'known',
    why: 'A superseded attempt ends by an ordinary failure, which the server can take for the words of the one that took its place.',
    edits: [
      { file: ENDING, from: `  if (by === 'superseded') return end(state, { kind: 'superseded' }, at);\n`, to: '' },
    ],
    model: foundWith({ plots: ['handedOutBesideAnEarlySuccessor'] }),
  },
];
