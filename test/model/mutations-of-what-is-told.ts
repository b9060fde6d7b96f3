/** Mutations of what an attempt believes of those before it: heartbeats, proofs that nothing was sent, resets, bounds. The model finds them. */
import { FOUND, foundWith, type Mutation } from '../chaos/mutation.js';

const ENDING = 'src/domain/once/ending.ts';
const ENTRY = 'src/domain/once/entry.ts';
const NEXT = 'src/domain/once/next.ts';
const OBSERVING = 'src/domain/once/observing.ts';
const SENDING = 'src/domain/once/sending.ts';
const STATE = 'src/domain/once/state.ts';

const HEARTBEAT = `  return state.sent === 'no' && state.phase.name !== 'ended' ? { ...state, sent: 'unknown' } : state;`;

export const STATE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'cloud-job-id-not-beaten',
    breaks: 'known',
    why: 'Heartbeats never hold the cloud job id, so an attempt after a crash knows less than was known: what cannot be adopted (a restart by an unknown user, a job covered by a later one) ends indeterminate although its answer had arrived (story 1).',
    edits: [
      {
        file: STATE,
        from: HEARTBEAT,
        to: `  return state.cloudJob === null ? state : { ...state, sent: 'unknown', cloudJob: null };`,
      },
    ],
    storms: { seeds: 5 },
    model: FOUND,
  },
  {
    name: 'heartbeats-say-no',
    breaks: 'once',
    why: 'A heartbeat on the timer says `sent: no` while nothing was sent yet. It can reach the server after the send lease and hide it.',
    edits: [{ file: STATE, from: HEARTBEAT, to: `  return state;` }],
    model: FOUND,
  },
  {
    name: 'no-believed-from-any-heartbeat',
    breaks: 'once',
    why: 'Heartbeats on the timer say `sent: no`, and the next attempt believes it of one that was lost: the lease came after it.',
    edits: [
      { file: STATE, from: HEARTBEAT, to: `  return state;` },
      {
        file: ENTRY,
        from: `  return isRetry && attemptScheduledAtMs <= atMs + (phase.ending.retryInMs ?? 0) + heartbeatTimeoutMs;`,
        to: `  return attemptScheduledAtMs <= atMs + (isRetry ? (phase.ending.retryInMs ?? 0) : 0) + 2 * heartbeatTimeoutMs;`,
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
        from: `  return isRetry && attemptScheduledAtMs <= atMs + (phase.ending.retryInMs ?? 0) + heartbeatTimeoutMs;`,
        to: `  return isRetry && attemptScheduledAtMs <= Number.MAX_SAFE_INTEGER;`,
      },
    ],
    model: foundWith({ sites: ['report'], blows: ['resetActivity'] }),
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
    model: foundWith({ blows: ['resetActivity'] }),
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
    model: foundWith({ sites: ['job'], blows: ['resetWorkflow', 'kill'], isBeyondTheWindow: true }),
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
    name: 'reset-activity-not-waited-out',
    breaks: 'once',
    why: 'After a reset of the activity nothing is waited for beyond what its heartbeat says, though the attempt before may live and still send.',
    edits: [
      {
        file: ENTRY,
        from: `  if (wasReset(facts, previous) || previous.sent === 'no') return`,
        to: `  if (previous.sent === 'no') return`,
      },
    ],
    model: foundWith({ blows: ['resetActivity', 'freeze'] }),
  },
  {
    name: 'disbelieved-no-not-waited-out',
    breaks: 'once',
    why: 'Where an old `no` is not believed, nothing is waited for, though it may have hidden the lease of an attempt that is alive.',
    edits: [
      {
        file: ENTRY,
        from: `  if (wasReset(facts, previous) || previous.sent === 'no') return`,
        to: `  if (wasReset(facts, previous)) return`,
      },
    ],
    model: foundWith({ sites: ['report'], blows: ['resetActivity'] }),
  },
  {
    name: 'living-predecessor-not-waited-out',
    breaks: 'once',
    why: 'Where there is no heartbeat nothing is waited for, though an attempt from before a reset may still send, or what it sent be unseen (story 9).',
    edits: [
      {
        file: ENTRY,
        from: `  if (previous === null) return nowMs + unseenAttemptMs(limits);`,
        to: `  if (previous === null) return nowMs;`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'reset-bound-from-the-schedule',
    breaks: 'once',
    why: 'What an attempt from before a reset may send is waited out from when this attempt was scheduled; one that is handed out late finds that time over while the other may still begin to send.',
    edits: [
      {
        file: ENTRY,
        from: `  if (previous === null) return nowMs + unseenAttemptMs(limits);`,
        to: `  if (previous === null) return Math.min(nowMs, facts.attemptScheduledAtMs) + unseenAttemptMs(limits);`,
      },
      {
        file: ENTRY,
        from: `return Math.max(clearAtMs, nowMs + unseenAttemptMs(limits));`,
        to: `return Math.max(clearAtMs, facts.attemptScheduledAtMs + unseenAttemptMs(limits));`,
      },
    ],
    model: foundWith({ sites: ['dispatch'], blows: ['resetWorkflow'] }),
  },
  {
    name: 'lost-attempt-not-waited-out',
    breaks: 'once',
    why: 'What a lost attempt sent is not waited for beyond what its last heartbeat says.',
    edits: [
      {
        file: ENTRY,
        from: `  return Math.max(clearAtMs, facts.attemptScheduledAtMs + limits.visibilityWindowMs);`,
        to: `  return clearAtMs;`,
      },
    ],
    model: foundWith({ sites: ['post', 'job'], blows: ['kill'] }),
  },
  {
    name: 'early-heartbeat-is-the-last-word',
    breaks: 'once',
    why: 'A lost attempt that last said that it read the instance is taken to have sent nothing after that: its lease came before that heartbeat, which was late.',
    edits: [
      { file: ENTRY, from: `  'reserving',\n  'observing',\n  'connecting',\n  'leasing',\n`, to: `  'leasing',\n` },
    ],
    model: foundWith({ sites: ['heartbeat'], blows: ['kill'] }),
  },
  {
    name: 'clear-at-lowered',
    breaks: 'once',
    why: 'The bound of an own POST replaces that of what earlier attempts may have sent.',
    edits: [
      {
        file: SENDING,
        from: `Math.max(state.clearAtMs, sentAtMs + postTimeoutMs + visibilityWindowMs);`,
        to: `sentAtMs + postTimeoutMs + visibilityWindowMs;`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'clear-from-the-break',
    breaks: 'once',
    why: 'The bound of a POST whose connection broke counts from the break, though ServiceStage may act on it until the time of the POST is over.',
    edits: [
      {
        file: SENDING,
        from: `sentAtMs + postTimeoutMs + visibilityWindowMs);`,
        to: `Math.min(at.nowMs, sentAtMs + postTimeoutMs) + visibilityWindowMs);`,
      },
    ],
    model: foundWith({ sites: ['post', 'job'] }),
  },
  {
    name: 'quiet-from-before-the-send',
    breaks: 'once',
    why: 'A reading of an earlier attempt counts for the quiet, though something may have been accepted after it.',
    edits: [
      {
        file: OBSERVING,
        from: `  if (seen.observedAtMs < clearAtMs - rules.limits.visibilityWindowMs) return null;\n`,
        to: '',
      },
      {
        file: OBSERVING,
        from: `function quietSince({ seen, sent, clearAtMs }: OnceState,`,
        to: `function quietSince({ seen, sent }: OnceState,`,
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
        from: `  return state.goal.kind === 'act' && state.sent === 'no' && unheardForMs > heartbeatTimeoutMs - marginMs`,
        to: `  return state.goal.kind === 'act' && state.sent === 'no' && unheardForMs > 1e6 * (heartbeatTimeoutMs - marginMs)`,
      },
    ],
    model: foundWith({ blows: ['resetActivity', 'cutOff'] }),
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
    model: foundWith({ blows: ['resetActivity', 'cutOff'] }),
  },
  {
    name: 'barrier-left-out',
    breaks: 'known',
    why: 'An attempt that may be superseded goes on without the word of the server: its failure is taken for that of the attempt that took its place.',
    edits: [
      {
        file: OBSERVING,
        from: `  if (standing === 'superseded' || standing === 'unclear') return endInterrupted(state, 'superseded', at);\n  const isLostBefore`,
        to: `  const isLostBefore`,
      },
    ],
    model: foundWith({ sites: ['dispatch'], blows: ['resetActivity'] }),
  },
  {
    name: 'superseded-attempt-speaks',
    breaks: 'known',
    why: 'A superseded attempt ends by an ordinary failure, which the server can take for the words of the one that took its place.',
    edits: [
      { file: ENDING, from: `  if (by === 'superseded') return end(state, { kind: 'superseded' }, at);\n`, to: '' },
    ],
    model: FOUND,
  },
];
