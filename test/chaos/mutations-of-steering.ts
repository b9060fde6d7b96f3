/** Mutations of what people command, approve and are notified of. Only storms play them. */
import type { StormMutation } from './mutation.js';

const COMMANDS = 'src/workflows/run-steering.ts';
const APPROVALS = 'src/workflows/run-approvals.ts';

export const STEERING_MUTATIONS: readonly StormMutation[] = [
  {
    name: 'pause-not-held',
    breaks: 'steered',
    why: 'The target continues with its next step although its run has ordered a pause.',
    edits: [
      {
        file: 'src/workflows/target-steering.ts',
        from: `    if (!this.isPaused) return nowMs;`,
        to: `    if (this.#order.order >= 0) return nowMs;`,
      },
    ],
    storms: { aim: ['pausedInMidRun'], seeds: 3 },
  },
  {
    name: 'approval-not-awaited',
    breaks: 'steered',
    why: 'The first target begins without the approval that the whole run asks for.',
    edits: [
      {
        file: APPROVALS,
        from: `    if (rules === undefined) return 0;`,
        to: `    if (rules === undefined || rules.need > 0) return 0;`,
      },
    ],
    storms: { aim: ['approvedOrNot'], seeds: 3 },
  },
  {
    name: 'requester-approves',
    breaks: 'steered',
    why: 'Who requested a run can approve it.',
    edits: [
      {
        file: 'src/domain/steering/approvals.ts',
        from: `  if (rules.notRequester && (requestedBy`,
        to: `  if (rules.notRequester && rules.need > 5 && (requestedBy`,
      },
    ],
    storms: { aim: ['approvedOrNot'], seeds: 3 },
  },
  {
    name: 'command-not-reported',
    breaks: 'steered',
    why: 'The first command that a run accepted is not in its report.',
    edits: [
      {
        file: COMMANDS,
        from: `    return recordsOf(this.#state.log);`,
        to: `    return recordsOf(this.#state.log).slice(1);`,
      },
    ],
    storms: { aim: ['pausedInMidRun'], seeds: 3 },
  },
  {
    name: 'failure-counts-as-delivered',
    breaks: 'notified',
    why: 'A receiver that answers 500 counts as notified, and the message is lost.',
    edits: [
      {
        file: 'src/notifications/answers.ts',
        from: `  if (status >= 500 || LATER.includes(status)) return 'again';`,
        to: `  if (status >= 500 || LATER.includes(status)) return 'delivered';`,
      },
    ],
    storms: { aim: ['pausedInMidRun', 'approvedOrNot'], seeds: 3 },
  },
];
