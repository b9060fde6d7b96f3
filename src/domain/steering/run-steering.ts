/** Pause, resume and abort of a run: what is possible when, and what follows. Pure; `src/workflows/run-steering.ts` carries it out. */
import { RUN_COMMANDS, type RunCommandName } from './command-names.js';
import {
  accept,
  earlierOf,
  repeatedBy,
  isFull,
  MOST_RUN_COMMANDS,
  NO_COMMANDS,
  type CommandAnswer,
  type CommandArguments,
  type CommandLog,
  type Refusal,
} from './commands.js';

/** `pausing`: something is still in flight. `ending`: it was aborted or cancelled. */
type RunStage = 'running' | 'pausing' | 'paused' | 'ending';

/** What steers a run. */
export interface RunSteering {
  readonly stage: RunStage;
  /** The target that has begun: `resting` once its workflow has reported that nothing is in flight. */
  readonly target: 'none' | 'open' | 'resting';
  /** Number of the newest order to the target's workflow. It answers with the number, so that a late answer is not treated as a new one. */
  readonly order: number;
  readonly log: CommandLog;
}

/** Before the first command. */
export const NOT_STEERED: RunSteering = { stage: 'running', target: 'none', order: 0, log: NO_COMMANDS };

/** What happens to a run, besides commands. */
export type RunSteeringEvent =
  | { readonly kind: 'targetBegins' | 'targetEnds' | 'cancelled' }
  /** The target's workflow reports that it waits at a step edge because of this order. */
  | { readonly kind: 'targetRests'; readonly order: number };

const STOPPED = 'the run is being stopped';
/** Why a command is refused in a stage; `null` if it is possible. */
const REFUSED: Readonly<Record<RunStage, Readonly<Record<RunCommandName, string | null>>>> = {
  running: { pause: null, resume: 'the run is not paused', abort: null },
  pausing: { pause: 'the run is pausing already', resume: null, abort: null },
  paused: { pause: 'the run is paused already', resume: null, abort: null },
  ending: { pause: STOPPED, resume: STOPPED, abort: STOPPED },
};

/** @param most how many commands the run accepts @returns `null` if the command is accepted */
export function checkRunCommand(
  state: RunSteering,
  command: RunCommandName,
  given: CommandArguments,
  most = MOST_RUN_COMMANDS,
): Refusal | null {
  const { stage, log } = state;
  const full = isFull(log, most);
  // A run can always be stopped, and its last pause ended.
  const possible = RUN_COMMANDS.filter((name) => REFUSED[stage][name] === null && (!full || name !== 'pause'));
  const earlier = earlierOf(log, command, given);
  if (typeof earlier === 'string') return { why: earlier, possible };
  const isRepeatedOrder = earlier !== null && command !== 'abort';
  if (full && (command === 'pause' || isRepeatedOrder)) return { why: `this run takes ${most} commands`, possible };
  const why = earlier === null ? REFUSED[stage][command] : null;
  return why === null ? null : { why, possible };
}

/** Accepts a command that `checkRunCommand` lets through. */
export function afterRunCommand(
  state: RunSteering,
  command: RunCommandName,
  given: CommandArguments,
  atMs: number,
): { readonly state: RunSteering; readonly answer: CommandAnswer } {
  const repeats = repeatedBy(state.log, command, given);
  const next = repeats === null ? COMMANDED[command](state) : state;
  const { log, answer } = accept(state.log, command, given, { atMs, state: next.stage, repeats });
  return { state: { ...next, log }, answer };
}

const COMMANDED: Readonly<Record<RunCommandName, (state: RunSteering) => RunSteering>> = {
  pause: (state) => ({
    ...state,
    stage: state.target === 'open' ? 'pausing' : 'paused',
    order: state.order + 1,
  }),
  resume: (state) => ({
    ...state,
    stage: 'running',
    target: state.target === 'none' ? 'none' : 'open',
    order: state.order + 1,
  }),
  abort: (state) => ({ ...state, stage: 'ending' }),
};

/** @returns what is known after the event */
export function afterRunEvent(state: RunSteering, event: RunSteeringEvent): RunSteering {
  switch (event.kind) {
    case 'targetBegins':
      return { ...state, target: 'open', stage: state.stage === 'paused' ? 'pausing' : state.stage };
    case 'targetEnds':
      return { ...state, target: 'none', stage: state.stage === 'pausing' ? 'paused' : state.stage };
    case 'targetRests':
      return state.target === 'open' && event.order === state.order && state.stage === 'pausing'
        ? { ...state, target: 'resting', stage: 'paused' }
        : state;
    case 'cancelled':
      return { ...state, stage: 'ending' };
  }
}

/** May the next target begin? */
export function isHeld({ stage }: RunSteering): boolean {
  return stage === 'pausing' || stage === 'paused';
}
