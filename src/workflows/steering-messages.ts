/** The messages of steering: the Updates of an operator, and the signals between a run and the workflows of its targets. */
import { defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import {
  APPROVAL_SIGNAL,
  STEER_SIGNAL,
  TARGET_STATE_SIGNAL,
  type ApprovalOrder,
  type SteerOrder,
  type TargetState,
} from '../domain/contract.js';
import type { CommandName } from '../domain/steering/command-names.js';
import {
  describeRefusal,
  readArguments,
  type CommandAnswer,
  type CommandArguments,
  type Refusal,
} from '../domain/steering/commands.js';
import { commandRejected } from './failure.js';

/** From a run to the workflow of its target. */
export const steerSignal = defineSignal<[SteerOrder]>(STEER_SIGNAL);
/** From a run to the workflow of its target: a person's vote on its approval. */
export const approvalSignal = defineSignal<[ApprovalOrder]>(APPROVAL_SIGNAL);
/** From the workflow of a target to its run. */
export const targetStateSignal = defineSignal<[TargetState]>(TARGET_STATE_SIGNAL);

/** The Update of a command. */
export function updateOf(command: CommandName) {
  return defineUpdate<CommandAnswer, [CommandArguments]>(command);
}

/**
 * Refuses the commands that are for another workflow: without a handler Temporal refuses them too, and names nothing that helps.
 *
 * @param where names that workflow
 */
export function refuseMisdirected(commands: readonly CommandName[], where: () => string): void {
  for (const command of commands) {
    const refused = (_given: CommandArguments): never => {
      throw commandRejected(`${command} is refused: send it to ${where()}`, false);
    };
    setHandler(updateOf(command), refused, { validator: refused });
  }
}

/** Throws `CommandRejected`, which changes nothing, unless the arguments are right and `check` lets the command through. */
export function validate(
  command: CommandName,
  given: unknown,
  check: (given: CommandArguments) => Refusal | null,
): void {
  const read = readArguments(command, given);
  if (typeof read === 'string') throw commandRejected(read, false);
  const refusal = check(read);
  if (refusal !== null) throw commandRejected(describeRefusal(command, refusal), false);
}
