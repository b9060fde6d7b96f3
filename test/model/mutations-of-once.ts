/** Mutations of the once machine: what an attempt concludes from readings, evidence and answers, and how long it waits. The model finds them. */
import { FOUND, foundWith, type Mutation } from '../chaos/mutation.js';

const ENDING = 'src/domain/once/ending.ts';
const ENTRY = 'src/domain/once/entry.ts';
const EVIDENCE = 'src/domain/once/evidence.ts';
const FOLLOWING = 'src/domain/once/following.ts';
const NEXT = 'src/domain/once/next.ts';
const OBSERVING = 'src/domain/once/observing.ts';
const SENDING = 'src/domain/once/sending.ts';
const SETTLING = 'src/domain/once/settling.ts';

export const ONCE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'baseline-ignored',
    breaks: 'once',
    why: 'A cloud job newer than the baseline is treated as the baseline, so neither our own accepted one (story 1) nor a foreign one (story 7) is noticed.',
    edits: [{ file: ENTRY, from: `  return 'new';`, to: `  return 'baseline';` }],
    storms: { aim: ['lostAnswerThenFailed'], seeds: 8 },
    model: FOUND,
  },
  {
    name: 'foreign-cloud-job-adopted',
    breaks: 'known',
    why: 'A cloud job counts as ours regardless of who requested it: after a lost attempt a foreign one is reported as what this run did (2.1).',
    edits: [
      {
        file: EVIDENCE,
        from: `  if (ownUserId !== null && job.createdBy !== null && !createdByUs)
    return doesNotFit(\`user \${job.createdBy} asked for it\`);
`,
        to: '',
      },
    ],
    storms: { aim: ['operatorDoesTheSame'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'restart-adopted-without-own-user',
    breaks: 'known',
    why: 'If our own user is not known, a new cloud job counts as our restart, though anyone may have requested it (2.1).',
    edits: [
      {
        file: EVIDENCE,
        from: `  if (ruleOf(action).kind === 'edge' && !createdByUs)`,
        to: `  if (ruleOf(action).kind === 'edge' && ownUserId !== null && !createdByUs)`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'older-cloud-job-adopted',
    breaks: 'known',
    why: 'A cloud job counts as ours however old it is: after a reset, a job from before the decision is reported as what this step did.',
    edits: [
      {
        file: EVIDENCE,
        from: `  if (firstTaskAtMs < scheduledAtMs - limits.clockSkewMs) return doesNotFit('its first task is older than this step');\n`,
        to: '',
      },
      { file: EVIDENCE, from: `  ownUserId,\n  limits,\n}: EvidenceRequest`, to: `  ownUserId,\n}: EvidenceRequest` },
    ],
    model: {
      kind: 'harmless',
      why: 'within the visibility window the baseline shows every cloud job that is older than the decision; beyond it, our own user must be unknown as well',
      aim: { disruptions: ['cancel'], runs: 2 },
    },
  },
  {
    name: 'restart-treated-as-a-state',
    breaks: 'known',
    why: 'A restart counts as an action that names an end state, so a running instance needs none: the restart is reported as done although nothing was sent (2.1).',
    edits: [
      {
        file: ENTRY,
        from: `import { ruleOf, desiredStateHolds, type Action }`,
        to: `import { desiredStateHolds, type Action }`,
      },
      { file: ENTRY, from: `      const { kind } = ruleOf(action);\n`, to: '' },
      {
        file: ENTRY,
        from: `const holds = kind === 'state' && desiredStateHolds`,
        to: `const holds = desiredStateHolds`,
      },
    ],
    storms: { aim: ['seenLate', 'lostAnswerThenCancel'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'restart-sent-again',
    breaks: 'once',
    why: 'A restart that may have been sent and does not show is sent again, like an action that names an end state. Within the visibility window only the wait prevents a second restart; beyond it nothing does.',
    edits: [
      {
        file: OBSERVING,
        from: `  if (action !== null && ruleOf(action).kind === 'edge' && !state.isUnleased)`,
        to: `  if (action !== null && ruleOf(action).kind === 'edge' && at.nowMs < state.clearAtMs)`,
      },
    ],
    model: foundWith({ sites: ['job'], isBeyondTheWindow: true }),
  },
  {
    name: 'restart-sent-again-after-a-lease',
    breaks: 'once',
    why: 'A restart is sent again after an attempt that had the send lease, as if that attempt had been lost before the lease. Beyond the visibility window nothing else prevents that.',
    edits: [{ file: SENDING, from: `    isUnleased: false,\n`, to: '' }],
    model: foundWith({ sites: ['job'], isBeyondTheWindow: true }),
  },
  {
    name: 'second-send-after-a-short-quiet',
    breaks: 'once',
    why: 'A second send waits for two readings that agree, but not until everything sent before must have shown: a cloud job that shows late is sent twice (2.1).',
    edits: [
      {
        file: OBSERVING,
        from: `  if (at.nowMs < state.clearAtMs) return notClearYet(state, 'An earlier attempt may have sent it', at);\n`,
        to: '',
      },
      {
        file: OBSERVING,
        from: `Math.max(state.clearAtMs, sinceMs + forMs)`,
        to: `sinceMs + forMs`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'one-reading-is-enough',
    breaks: 'once',
    why: 'A second send relies on a single reading, without a second one that agrees (quiet period).',
    edits: [
      {
        file: OBSERVING,
        from: `  const leftMs = sinceMs + forMs - at.nowMs;\n`,
        to: `  const leftMs = sinceMs + 0 * forMs - at.nowMs;\n`,
      },
      { file: OBSERVING, from: `Math.max(state.clearAtMs, sinceMs + forMs)`, to: `state.clearAtMs` },
    ],
    model: {
      kind: 'harmless',
      why: 'a second send waits until all that was sent must have shown; a second reading adds nothing to that',
    },
  },
  {
    name: 'tasks-not-waited-for',
    breaks: 'known',
    why: 'A cloud job that has shown without its tasks is given up as soon as nothing can appear any more, though it may still show that it is ours.',
    edits: [
      {
        file: EVIDENCE,
        from: `nowMs < clearAtMs + rules.limits.visibilityWindowMs`,
        to: `nowMs < clearAtMs + 0 * rules.limits.visibilityWindowMs`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'indeterminate-before-clear',
    breaks: 'alone',
    why: '`Indeterminate` releases the lease while an earlier attempt may still send, so its action interferes with the next run.',
    edits: [{ file: ENDING, from: `  if (at.nowMs < clearAtMs)\n`, to: `  if (at.nowMs < Math.min(0, clearAtMs))\n` }],
    model: foundWith({ sites: ['post'], disruptions: ['foreignAction'], runs: 2 }),
  },
  {
    name: 'not-ours-before-clear',
    breaks: 'known',
    why: 'A new cloud job that cannot be proved to be ours ends the step, while ours may still appear after the foreign one.',
    edits: [
      {
        file: OBSERVING,
        from: `  if (at.nowMs < state.clearAtMs) return notClearYet(state, \`Cloud job \${id} cannot be proved to be ours\`, at);\n`,
        to: '',
      },
    ],
    model: {
      kind: 'harmless',
      why: '`indeterminate` waits for the same bound',
    },
  },
  {
    name: 'unknown-reported-as-not-sent',
    breaks: 'known',
    why: 'A first attempt whose POST got no answer reports that nothing was sent (2.2), so the next one treats our own cloud job as foreign, or sends again (story 7 reversed).',
    edits: [
      {
        file: SENDING,
        from: `  const noted = note({ ...state, clearAtMs }, answer, at, message);`,
        to: `  const noted = note({ ...state, clearAtMs, sent: state.sentBefore }, answer, at, message);`,
      },
    ],
    storms: { aim: ['lostAnswerSeenLate', 'lostAnswerThenCancel'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'reset-taken-as-not-sent',
    breaks: 'known',
    why: 'A connection that broke after the request was read counts like one that was never made (2.2).',
    edits: [
      {
        file: 'src/servicestage/http.ts',
        from: `    throw errorWithoutAnswer(asked, held !== null, reason);`,
        to: `    throw errorWithoutAnswer(asked, false, reason);`,
      },
    ],
    storms: { aim: ['lostAnswerSeenLate', 'lostAnswerThenCancel'], seeds: 6 },
    model: {
      kind: 'found',
      edits: [
        {
          file: 'test/model/requests.ts',
          from: `this.#answerPost(answeredAfterMs, () => failed('Unanswered', 'unknown'));`,
          to: `this.#answerPost(answeredAfterMs, () => failed('Unreachable', 'no'));`,
        },
      ],
    },
  },
  {
    name: 'refusal-proves-all',
    breaks: 'known',
    why: 'The refusal of a second POST counts as proof that the first one did not act either, though the first one may be the reason for the refusal (story 2).',
    edits: [
      {
        file: SENDING,
        from: `  if (request === 'no' || (request === 'refused' && state.sentBefore === 'no')) return provedUnsent(state, failed, at);`,
        to: `  const sentBefore = request === 'refused' ? 'no' : state.sentBefore;
  if (['no', 'refused'].includes(request)) return provedUnsent({ ...state, sentBefore }, failed, at);`,
      },
    ],
    model: {
      kind: 'harmless',
      why: 'a second POST goes out only once the first must have shown, so that its refusal is not due to the first',
    },
  },
  {
    name: 'decided-at-the-reset',
    breaks: 'known',
    why: 'After a reset a decision counts as made when it is scheduled again, so that its own cloud job, which is older, is not adopted.',
    edits: [
      {
        file: NEXT,
        from: `    decidedAtMs: runId === decidedInRunId ? scheduledAtMs : Math.min(scheduledAtMs, observedAtMs),`,
        to: `    decidedAtMs: Math.max(scheduledAtMs, Math.min(scheduledAtMs, observedAtMs)),`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'verification-skipped',
    breaks: 'known',
    why: 'A cloud job that succeeded counts as success, whatever state the instance is in (2.3).',
    edits: [
      {
        file: FOLLOWING,
        from: `import { describeAction, ruleOf, desiredStateHolds } from '../target/actions.js';`,
        to: `import { describeAction, ruleOf } from '../target/actions.js';`,
      },
      {
        file: FOLLOWING,
        from: `isAtRest(reading) && action !== null && desiredStateHolds(action, reading);`,
        to: `isAtRest(reading) && action !== null;`,
      },
    ],
    storms: { aim: ['doesNotConverge'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'settle-too-short',
    breaks: 'known',
    why: 'Settle ends after the first quiet period instead of waiting until everything must be visible: "nothing was sent" while the cloud job is not yet visible (story 8).',
    edits: [
      { file: SETTLING, from: `  return isQuiet && isClear ? nothingNew(`, to: `  return isQuiet ? nothingNew(` },
    ],
    storms: { aim: ['lostAnswerSeenLateThenCancel'], seeds: 6 },
    model: FOUND,
  },
  {
    name: 'settle-cut-by-its-deadline',
    breaks: 'known',
    why: 'A settle ends at its deadline even while something that was sent may not be visible yet.',
    edits: [
      {
        file: SETTLING,
        from: `  return nowMs >= (sent === 'unknown' ? Math.max(deadlineAtMs, clearAtMs + 4 * limits.quietMs) : deadlineAtMs);`,
        to: `  return nowMs >= (sent === 'unknown' ? Math.min(deadlineAtMs, clearAtMs + 4 * limits.quietMs) : deadlineAtMs);`,
      },
    ],
    model: {
      kind: 'harmless',
      why: 'the deadline of a settle is never before the bound, and that of one before a first step hands the bound on to the next run',
    },
  },
  {
    name: 'settle-judges-before-clear',
    breaks: 'known',
    why: 'A settle decides that a new cloud job is not ours while ours may still appear.',
    edits: [
      {
        file: SETTLING,
        from: `  if (at.nowMs < state.clearAtMs) return proceed(`,
        to: `  if (at.nowMs < Math.min(0, state.clearAtMs)) return proceed(`,
      },
    ],
    model: foundWith({ plots: ['foreignJobWhileUnclear'] }),
  },
  {
    name: 'settle-reads-an-older-state',
    breaks: 'undone',
    why: "A settle ends with a reading from before its own cloud job's effect shows, so that the effect is not undone (seed 1039).",
    edits: [
      {
        file: SETTLING,
        from: `  if (isAtRest(event.reading) && !isOlderThanJob(state, phase, event, at)) {`,
        to: `  if (isAtRest(event.reading) && (state.goal.kind === 'settle' || !isOlderThanJob(state, phase, event, at))) {`,
      },
    ],
    model: foundWith({ sites: ['post', 'job'] }),
  },
];
