/** Mutations of how long is waited for what may have been sent before (`clearAtMs`). The model finds them. */
import { FOUND, foundWith, type Mutation } from '../chaos/mutation.js';

const ENTRY = 'src/domain/once/entry.ts';
const OBSERVING = 'src/domain/once/observing.ts';
const SENDING = 'src/domain/once/sending.ts';

export const BOUND_MUTATIONS: readonly Mutation[] = [
  {
    name: 'reset-activity-not-waited-out',
    breaks: 'once',
    why: 'After a reset of the activity nothing is waited for beyond what its heartbeat says, though the attempt before may live and still send.',
    edits: [
      {
        file: ENTRY,
        from: `  if (wasReset(facts, previous) || previous.sent === 'no' || isReceivedLate(facts, previous, limits))`,
        to: `  if (previous.sent === 'no' || isReceivedLate(facts, previous, limits))`,
      },
    ],
    model: foundWith({ plots: ['frozenBesideAnEarlySuccessor'] }),
  },
  {
    name: 'disbelieved-no-not-waited-out',
    breaks: 'once',
    why: 'Where an old `no` is not stateAfter, nothing is waited for, though it may have hidden the lease of an attempt that is alive.',
    edits: [
      {
        file: ENTRY,
        from: `  if (wasReset(facts, previous) || previous.sent === 'no' || isReceivedLate(facts, previous, limits))`,
        to: `  if (wasReset(facts, previous) || isReceivedLate(facts, previous, limits))`,
      },
    ],
    model: {
      kind: 'harmless',
      why: 'an old `no` that is not believed is waited for as a lost attempt is',
      aim: { sites: ['report'], blows: ['resetActivity'] },
    },
  },
  {
    name: 'late-end-not-waited-out',
    breaks: 'once',
    why: 'The end of an attempt counts however late the server received it, though it may have been treated as the end of one that has its number and has sent.',
    edits: [
      {
        file: ENTRY,
        from: `  if (wasReset(facts, previous) || previous.sent === 'no' || isReceivedLate(facts, previous, limits))`,
        to: `  if (wasReset(facts, previous) || previous.sent === 'no')`,
      },
    ],
    model: foundWith({ plots: ['receivedBesideItsSuccessor'] }),
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
    model: foundWith({ plots: ['heartbeatAfterTheLease'] }),
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
    model: {
      kind: 'harmless',
      why: 'a POST goes out only after the bound of those before it, so that its own is always later',
    },
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
    model: {
      kind: 'harmless',
      why: 'as `one-reading-is-enough`',
    },
  },
];
