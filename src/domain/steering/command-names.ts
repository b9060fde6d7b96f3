/** The commands of an operator: a closed set. Each is the name of an Update. */

/** Commands to a run. */
export const RUN_COMMANDS = ['pause', 'resume', 'abort'] as const;
/** A command to a run. */
export type RunCommandName = (typeof RUN_COMMANDS)[number];

/** Commands to a blocked target. Each is an Update of the target's own workflow. */
export const TARGET_COMMANDS = ['retryStep', 'skipStep', 'markSucceeded'] as const;
/** A command to a blocked target. */
export type TargetCommandName = (typeof TARGET_COMMANDS)[number];

/** Decisions about what a run asks to be approved. Each is an Update of the run, also where one of its targets asks. */
export const APPROVAL_COMMANDS = ['approve', 'reject'] as const;
/** A decision about what a run asks to be approved. */
export type ApprovalCommandName = (typeof APPROVAL_COMMANDS)[number];

/** Every command. */
export type CommandName = RunCommandName | ApprovalCommandName | TargetCommandName;

/** Which arguments a command takes beside `actor`, `reason` and `key`. */
export type CommandKind = 'run' | 'target' | 'approval';

const KINDS: Readonly<Record<CommandName, CommandKind>> = {
  pause: 'run',
  resume: 'run',
  abort: 'run',
  approve: 'approval',
  reject: 'approval',
  retryStep: 'target',
  skipStep: 'target',
  markSucceeded: 'target',
};

/** Is it a command of this kind? */
export function isCommandOf(kind: CommandKind, command: unknown): command is CommandName {
  return Object.hasOwn(KINDS, String(command)) && KINDS[command as CommandName] === kind;
}

/** @returns whom the command is for */
export function kindOfCommand(command: CommandName): CommandKind {
  return KINDS[command];
}

/** What people type after `runbook` for each command. */
export const COMMAND_WORDS: Readonly<Record<CommandName, string>> = {
  pause: 'pause',
  resume: 'resume',
  abort: 'abort',
  approve: 'approve',
  reject: 'reject',
  retryStep: 'retry-step',
  skipStep: 'skip-step',
  markSucceeded: 'mark-succeeded',
};
