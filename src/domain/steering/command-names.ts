/** The commands of an operator: a closed set. Each is the name of an Update. */

/** Commands to a run. */
export const RUN_COMMANDS = ['pause', 'resume', 'abort'] as const;
/** A command to a run. */
export type RunCommandName = (typeof RUN_COMMANDS)[number];

/** Commands to a blocked target. Each is an Update of the target's own workflow. */
export const TARGET_COMMANDS = ['retryStep', 'skipStep', 'markSucceeded'] as const;
/** A command to a blocked target. */
export type TargetCommandName = (typeof TARGET_COMMANDS)[number];

/** Every command. */
export type CommandName = RunCommandName | TargetCommandName;

/** Is it a command to a target? */
export function isTargetCommand(command: CommandName): command is TargetCommandName {
  return (TARGET_COMMANDS as readonly string[]).includes(command);
}
