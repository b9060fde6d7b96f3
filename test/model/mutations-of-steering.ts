/** Mutations of what an operator's commands lead to: pauses, repeats, decisions about blocked steps. The model finds them with an operator. */
import { foundWith, type InModel, type Mutation } from '../chaos/mutation.js';

const RUN = 'src/domain/steering/run-steering.ts';
const TARGET = 'src/domain/steering/target-steering.ts';
const COMMANDS = 'src/domain/steering/commands.ts';
const DECISIONS = 'src/domain/steering/decisions.ts';

const OPERATED = { isOperated: true } as const;
const FOUND: InModel = foundWith(OPERATED);

const WAITS_FOR_THE_REST = `    stage: state.target === 'open' ? 'pausing' : 'paused',`;
export const STEERING_MUTATIONS: readonly Mutation[] = [
  {
    name: 'paused-before-anything-rests',
    breaks: 'alone',
    why: 'The state of a run is `paused` as soon as it is asked for, while its target may be about to send.',
    edits: [{ file: RUN, from: WAITS_FOR_THE_REST, to: `    stage: state.target === 'open' ? 'paused' : 'paused',` }],
    model: FOUND,
  },
  {
    name: 'late-answer-to-a-pause',
    breaks: 'alone',
    why: 'A target that rested in an earlier pause, and has been resumed since, counts as resting in the next one.',
    edits: [
      {
        file: RUN,
        from: `event.order === state.order && state.stage === 'pausing'`,
        to: `event.order <= state.order && state.stage === 'pausing'`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'pause-does-not-hold',
    breaks: 'alone',
    why: 'A target that received the order to pause begins its next step all the same.',
    edits: [
      {
        file: TARGET,
        from: `      return { ...state, paused: true };`,
        to: `      return { ...state, paused: state.stage === 'ending' };`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'repeat-commands-again',
    breaks: 'once',
    why: 'A command that comes again with its key, after another one, is carried out a second time.',
    edits: [
      {
        file: RUN,
        from: `  const next = repeats === null ? COMMANDED[command](state) : state;`,
        to: `  const next = COMMANDED[command](state);`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'keys-are-not-compared',
    breaks: 'once',
    why: 'A command that comes again with its key counts as a new one.',
    edits: [
      {
        file: COMMANDS,
        from: `accepted.find(({ record }) => record.key === key);`,
        to: `accepted.find(({ record }) => record.key === key && record.atMs < 0);`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'second-decision-beside-the-first',
    breaks: 'once',
    why: 'While one decision about a step is carried out, another one is accepted.',
    edits: [
      {
        file: TARGET,
        from: `  deciding: { retryStep: IN_HAND, skipStep: IN_HAND, markSucceeded: IN_HAND },`,
        to: `  deciding: { retryStep: null, skipStep: null, markSucceeded: IN_HAND },`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'failed-retry-ends-the-step',
    breaks: 'known',
    why: 'A retry that fails before it sends ends an indeterminate step as failed, while it is not known what the first send did.',
    edits: [
      {
        file: DECISIONS,
        from: `report.result === 'failed' && outcome.report.result === 'indeterminate'`,
        to: `report.result === 'failed' && outcome.report.result === 'failed'`,
      },
    ],
    model: FOUND,
  },
];
