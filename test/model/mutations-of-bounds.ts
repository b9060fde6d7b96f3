/** Mutations of how long to wait for what may have been sent before (`clearAtMs`). The model finds them. */
import { FOUND, foundWith, type Mutation } from '../chaos/mutation.js';

const ENTRY = 'src/domain/once/entry.ts';
const OBSERVING = 'src/domain/once/observing.ts';
const SENDING = 'src/domain/once/sending.ts';

export const BOUND_MUTATIONS: readonly Mutation[] = [
  {
    name: 'reading-counts-from-its-answer',
    breaks: 'once',
    why: 'A reading whose answer was slow counts as one of the moment when the answer came, so that a second send relies on what the instance was before.',
    edits: [
      {
        file: OBSERVING,
        from: `  if (at.askedAtMs < Math.max(state.clearAtMs, sinceMs + forMs))`,
        to: `  if (at.askedAtMs < 0)`,
      },
    ],
    model: foundWith({ plots: ['slowReadingAfterAPause'] }),
  },
  {
    name: 'reset-activity-not-waited-out',
    breaks: 'once',
    why: 'After a reset of the activity, an attempt waits only for the bound in its heartbeat, though the attempt before may be alive and still send.',
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
    why: 'An attempt that does not believe an old `no` does not wait either, though that `no` may hide the lease of an attempt that is alive.',
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
      aim: { sites: ['report'], disruptions: ['resetActivity'] },
    },
  },
  {
    name: 'late-end-not-waited-out',
    breaks: 'once',
    why: 'The end of an attempt counts however late the server received it, though that may be the end of an older attempt with the same number, while the newer one has sent.',
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
    why: 'Without a heartbeat an attempt does not wait, though an attempt from before a reset may still send, or may have sent something that is not visible yet (story 9).',
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
    why: 'The wait for attempts from before a reset counts from when this attempt was scheduled. If this attempt reaches its worker late, that time is over while the other may still begin to send.',
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
    model: foundWith({ sites: ['dispatch'], disruptions: ['resetWorkflow'] }),
  },
  {
    name: 'lost-attempt-not-waited-out',
    breaks: 'once',
    why: 'An attempt waits for what a lost attempt sent no longer than the bound in its last heartbeat.',
    edits: [
      {
        file: ENTRY,
        from: `  return Math.max(clearAtMs, facts.attemptScheduledAtMs + limits.visibilityWindowMs);`,
        to: `  return clearAtMs;`,
      },
    ],
    model: foundWith({ sites: ['post', 'job'], disruptions: ['kill'] }),
  },
  {
    name: 'early-heartbeat-is-the-last-word',
    breaks: 'once',
    why: 'A lost attempt whose last heartbeat shows it reading is believed to have sent nothing later, but its lease came before that heartbeat, which was late.',
    edits: [
      {
        file: ENTRY,
        from: `  reserving: false,\n  observing: false,\n  connecting: false,\n`,
        to: `  reserving: true,\n  observing: true,\n  connecting: true,\n`,
      },
    ],
    model: foundWith({ plots: ['heartbeatAfterTheLease'] }),
  },
  {
    name: 'clear-at-lowered',
    breaks: 'once',
    why: 'The bound of its own POST replaces the bound of what earlier attempts may have sent.',
    edits: [
      {
        file: SENDING,
        from: `Math.max(state.clearAtMs, unseenUntilMs);`,
        to: `unseenUntilMs;`,
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
    why: 'The bound of a POST whose connection broke counts from the break, though ServiceStage may act on it until the POST timeout.',
    edits: [
      {
        file: SENDING,
        from: `sentAtMs + postTimeoutMs + visibilityWindowMs + marginMs;`,
        to: `Math.min(at.nowMs, sentAtMs + postTimeoutMs) + visibilityWindowMs + marginMs;`,
      },
    ],
    model: foundWith({ sites: ['post', 'job'] }),
  },
  {
    name: 'clocks-agree',
    breaks: 'once',
    why: 'The bound of an unanswered POST has no margin, though the next attempt may read another clock.',
    edits: [
      {
        file: SENDING,
        from: `sentAtMs + postTimeoutMs + visibilityWindowMs + marginMs;`,
        to: `sentAtMs + postTimeoutMs + visibilityWindowMs;`,
      },
      {
        file: SENDING,
        from: `const { quietMs, visibilityWindowMs, postTimeoutMs, marginMs } = at.rules.limits;`,
        to: `const { quietMs, visibilityWindowMs, postTimeoutMs } = at.rules.limits;`,
      },
    ],
    model: foundWith({ plots: ['handedOutBesideAnEarlySuccessor'] }),
  },
  {
    name: 'quiet-from-before-the-send',
    breaks: 'once',
    why: 'A reading of an earlier attempt counts for the quiet period, though something may have been accepted after it.',
    edits: [
      {
        file: OBSERVING,
        from: `  if (seen.observedAtMs < clearAtMs - visibilityWindowMs - marginMs) return NONE_AGREE;\n`,
        to: '',
      },
      {
        file: OBSERVING,
        from: `function agreesSince({ seen, sent, clearAtMs }: OnceState,`,
        to: `function agreesSince({ seen, sent }: OnceState,`,
      },
    ],
    model: {
      kind: 'harmless',
      why: 'as `one-reading-is-enough`',
    },
  },
];
