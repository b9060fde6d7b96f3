/** What a person may decide about a blocked target, and when. Pure; `src/workflows/target-steering.ts` carries it out. */
import type { CommandRecord } from '../report/report.js';
import { TARGET_COMMANDS, type TargetCommandName } from './command-names.js';
import {
  accept,
  earlierOf,
  repeatedBy,
  isFull,
  MOST_TARGET_COMMANDS,
  NO_COMMANDS,
  type CommandAnswer,
  type CommandArguments,
  type CommandLog,
  type Refusal,
} from './commands.js';

/** `blocked`: a step waits for a decision. `deciding`: a decision is being carried out. */
type TargetStage = 'working' | 'blocked' | 'deciding' | 'ending';

/** What steers a target. */
export interface TargetSteering {
  readonly stage: TargetStage;
  /** The step that is blocked, or decided about; `null` otherwise. */
  readonly step: string | null;
  /** The newest order from the run: while it is a pause, no step begins. */
  readonly paused: boolean;
  /** The decision that must be carried out. */
  readonly decision: CommandRecord | null;
  readonly log: CommandLog;
}

/** Before the first step. */
export const NOT_BLOCKED: TargetSteering = {
  stage: 'working',
  step: null,
  paused: false,
  decision: null,
  log: NO_COMMANDS,
};

/** What happens to a target, besides commands. */
export type TargetSteeringEvent =
  | { readonly kind: 'blocked'; readonly step: string }
  /** The decision was carried out, or no one decided in time: the steps continue, or end. */
  | { readonly kind: 'unblocked' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'paused' | 'resumed' };

const NOT_WAITING = 'no step of this target is blocked';
const IN_HAND = 'a decision about the step is being carried out';
const STOPPED = 'the run is being stopped';
/** Why a command is refused in a stage; `null` if it is possible. */
const REFUSED: Readonly<Record<TargetStage, Readonly<Record<TargetCommandName, string | null>>>> = {
  working: { retryStep: NOT_WAITING, skipStep: NOT_WAITING, markSucceeded: NOT_WAITING },
  blocked: { retryStep: null, skipStep: null, markSucceeded: null },
  deciding: { retryStep: IN_HAND, skipStep: IN_HAND, markSucceeded: IN_HAND },
  ending: { retryStep: STOPPED, skipStep: STOPPED, markSucceeded: STOPPED },
};

/** @returns `null` if the command is accepted */
export function checkTargetCommand(
  state: TargetSteering,
  command: TargetCommandName,
  given: CommandArguments,
  path: string,
): Refusal | null {
  const { stage, step, paused, log } = state;
  const full = isFull(log, MOST_TARGET_COMMANDS);
  const possible = TARGET_COMMANDS.filter((name) => REFUSED[stage][name] === null && !paused && !full);
  const refused = (why: string): Refusal => ({ why, possible });
  const earlier = earlierOf(log, command, given);
  if (typeof earlier === 'string') return refused(earlier);
  if (full) return refused(`a target takes ${MOST_TARGET_COMMANDS} commands`);
  if (given.target !== undefined && given.target !== path) return refused(`this is ${path}, not ${given.target}`);
  if (earlier !== null) return null;
  const why = REFUSED[stage][command];
  if (why !== null) return refused(why);
  if (paused) return { why: 'the run is paused', possible: ['resume', 'abort'] };
  return given.step === undefined || given.step === step
    ? null
    : refused(`the step that is blocked is ${step}, not ${given.step}`);
}

/** Accepts a command that `checkTargetCommand` lets through. */
export function afterTargetCommand(
  state: TargetSteering,
  command: TargetCommandName,
  given: CommandArguments,
  atMs: number,
): { readonly state: TargetSteering; readonly answer: CommandAnswer } {
  const repeats = repeatedBy(state.log, command, given);
  const about = state.step === null ? given : { ...given, step: state.step };
  const { log, answer } = accept(state.log, command, about, { atMs, state: 'deciding', repeats });
  if (repeats !== null) return { state: { ...state, log }, answer };
  return { state: { ...state, stage: 'deciding', decision: log.accepted.at(-1)?.record ?? null, log }, answer };
}

/** @returns what is known after the event */
export function afterTargetEvent(state: TargetSteering, event: TargetSteeringEvent): TargetSteering {
  switch (event.kind) {
    case 'blocked':
      return state.stage === 'ending' ? state : { ...state, stage: 'blocked', step: event.step, decision: null };
    case 'unblocked':
      return state.stage === 'ending' ? state : { ...state, stage: 'working', step: null, decision: null };
    case 'cancelled':
      return { ...state, stage: 'ending' };
    case 'paused':
      return { ...state, paused: true };
    case 'resumed':
      return { ...state, paused: false };
  }
}
