/** The commands of an operator: a closed set, their arguments, and the log of those that were accepted. Pure. */
import type { CommandRecord } from '../report/report.js';
import { hasControlCharacters, printable } from '../text/text.js';
import { describeTime } from '../time/utc-time.js';
import { kindOfCommand, type CommandKind, type CommandName } from './command-names.js';

/** The argument of every command, one JSON object. */
export interface CommandArguments {
  /** Who commands; the server proves nothing about it. */
  readonly actor: string;
  readonly reason: string;
  /** Makes a repeat harmless: the same command with the same key is answered as the first one and changes nothing. */
  readonly key?: string;
  /** Only for commands to a target and for approvals: the id of the step that is meant. Default: the one that waits. */
  readonly step?: string;
  /** Only for commands to a target and for approvals: the path of the target that is meant. */
  readonly target?: string;
  /** Only for approvals, and required there: the hash of the plan that the person has seen. */
  readonly planHash?: string;
  /** Only for approvals: a JSON Web Token that proves who approves. It stays in the history of the run. */
  readonly token?: string;
}

/** The answer to a command that was accepted. */
export interface CommandAnswer {
  readonly command: CommandName;
  /** The state of the run, or of the target, after the command. */
  readonly state: string;
  /** When it was accepted, epoch milliseconds. */
  readonly atMs: number;
  /** An earlier command with the same key was accepted, and this one changed nothing. */
  readonly repeated: boolean;
}

/** Why a command is refused, and which ones are possible now. */
export interface Refusal {
  readonly why: string;
  readonly possible: readonly CommandName[];
}

/** An accepted command with its answer. */
interface Accepted {
  readonly record: CommandRecord;
  readonly state: string;
}

/** The commands that a workflow has accepted, oldest first. */
export interface CommandLog {
  readonly accepted: readonly Accepted[];
  /** How many repeats of them there were: each leaves events in the history as well. */
  readonly repeats: number;
}

/** Before the first command. */
export const NO_COMMANDS: CommandLog = { accepted: [], repeats: 0 };

/** How long a target waits for an operator where neither runbook nor worker sets it. Chosen: an hour to wake up, read and decide. */
export const DEFAULT_OPERATOR_WAIT_MS = 3_600_000;

/** How many commands one run accepts. Chosen: far more than a person needs, and few for a history. */
export const MOST_RUN_COMMANDS = 200;
/** A run whose targets are under way together passes each pause on to all of them, and each answers. Chosen: a third of the events that its history may have. */
const MOST_ORDERS_AT_ONCE = 2_000;

/** How many commands a run accepts. @param targetsAtOnce how many targets may be under way together */
export function mostRunCommands(targetsAtOnce: number): number {
  return Math.min(MOST_RUN_COMMANDS, Math.floor(MOST_ORDERS_AT_ONCE / Math.max(1, targetsAtOnce)));
}
/** How many commands one target accepts: each may add two activities with their readings to the history. */
export const MOST_TARGET_COMMANDS = 20;

/** In characters. A reason may be as long as that of a start. */
export const LONGEST_ARGUMENT: Readonly<Record<keyof CommandArguments, number>> = {
  actor: 200,
  reason: 1_000,
  key: 200,
  step: 100,
  target: 1_000,
  planHash: 64,
  token: 8_000,
};

/** The characters of a JSON Web Token: one byte each. */
const TOKEN = /^[\w.-]+$/;

type Argument = keyof CommandArguments;
const OF_ALL: readonly Argument[] = ['actor', 'reason', 'key'];
const ALLOWED: Readonly<Record<CommandKind, readonly Argument[]>> = {
  run: OF_ALL,
  target: [...OF_ALL, 'step', 'target'],
  approval: [...OF_ALL, 'step', 'target', 'planHash', 'token'],
};
const REQUIRED: Readonly<Record<CommandKind, readonly Argument[]>> = {
  run: ['actor', 'reason'],
  target: ['actor', 'reason'],
  approval: ['actor', 'reason', 'planHash'],
};
const EXAMPLES: Readonly<Record<CommandKind, string>> = {
  run: '{"actor": "ann", "reason": "why"}',
  target: '{"actor": "ann", "reason": "why"}',
  approval: '{"actor": "ann", "reason": "why", "planHash": "the hash of the plan that you have seen"}',
};

/** Reads the argument of a command. @returns what is wrong with it, as text */
export function readArguments(command: CommandName, given: unknown): CommandArguments | string {
  const kind = kindOfCommand(command);
  const example = EXAMPLES[kind];
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return `Give ${command} one JSON object, such as ${example}`;
  const allowed = ALLOWED[kind];
  const unknown = Object.keys(given).find((key) => !(allowed as readonly string[]).includes(key));
  if (unknown !== undefined)
    return `${command} does not accept "${printable(unknown.slice(0, 100))}". Use ${allowed.join(', ')}`;
  for (const key of allowed) {
    const value: unknown = Reflect.get(given, key);
    if (value === undefined && !REQUIRED[kind].includes(key)) continue;
    const problem = problemOf(value, LONGEST_ARGUMENT[key]);
    if (problem !== null) return `"${key}" of ${command} ${problem}, as in ${example}`;
    if (key === 'token' && !TOKEN.test(String(value))) return `"token" of ${command} must be a JSON Web Token`;
  }
  return given as CommandArguments;
}

function problemOf(value: unknown, longest: number): string | null {
  if (typeof value !== 'string' || value.trim() === '') return 'must be text that is not empty';
  if (value.length > longest) return `has ${value.length} characters; at most ${longest} are kept`;
  return hasControlCharacters(value) ? 'must be one line without control or invisible characters' : null;
}

/** The command that this one repeats; `null` if it is a new one, and a text if its key was used for another. */
export function earlierOf(
  { accepted }: CommandLog,
  command: CommandName,
  { key, actor, step, target }: CommandArguments,
): Accepted | string | null {
  const earlier = key === undefined ? undefined : accepted.find(({ record }) => record.key === key);
  if (earlier === undefined) return null;
  const { record } = earlier;
  // The actor of a signed approval is the one that the token names.
  const isSameActor = record.signedBy !== undefined || record.actor === actor;
  const isSameStep = step === undefined || step === record.step;
  // Only approvals record the target: two targets may wait for the same step.
  const isSameTarget = target === undefined || record.target === undefined || target === record.target;
  const isSame = record.command === command && isSameActor && isSameStep && isSameTarget;
  return isSame ? earlier : `the key "${key}" was used for ${record.command} of ${record.actor}. Give it another key`;
}

/** The command that an accepted one repeats; `null` if it is new. */
export function repeatedBy(log: CommandLog, command: CommandName, given: CommandArguments): Accepted | null {
  const earlier = earlierOf(log, command, given);
  return typeof earlier === 'string' ? null : earlier;
}

/** How a command was accepted. */
interface Acceptance {
  readonly atMs: number;
  /** The state of the workflow after it. */
  readonly state: string;
  /** The command that it repeats. */
  readonly repeats: Accepted | null;
  /** What else is known of an approval. */
  readonly approval?: Pick<CommandRecord, 'target' | 'roles' | 'signedBy'>;
}

/** @returns the log with a command that was accepted, or with one more repeat; and the answer to it */
export function accept(
  log: CommandLog,
  command: CommandName,
  { actor, reason, key, step }: CommandArguments,
  { atMs, state, repeats, approval = {} }: Acceptance,
): { readonly log: CommandLog; readonly answer: CommandAnswer } {
  if (repeats !== null) {
    const answer = { command, state: repeats.state, atMs: repeats.record.atMs, repeated: true };
    return { log: { ...log, repeats: log.repeats + 1 }, answer };
  }
  const record: CommandRecord = {
    command,
    actor,
    reason,
    atMs,
    ...(key === undefined ? {} : { key }),
    ...(step === undefined ? {} : { step }),
    ...approval,
  };
  return {
    log: { ...log, accepted: [...log.accepted, { record, state }] },
    answer: { command, state, atMs, repeated: false },
  };
}

/** Has the workflow accepted as many commands as it may? */
export function isFull({ accepted, repeats }: CommandLog, most: number): boolean {
  return accepted.length + repeats >= most;
}

/** The records of a log, oldest first. */
export function recordsOf({ accepted }: CommandLog): CommandRecord[] {
  return accepted.map(({ record }) => record);
}

/** For people: why the command was refused, and what they can do instead. */
export function describeRefusal(command: CommandName, { why, possible }: Refusal): string {
  const now = possible.length === 0 ? 'No command is possible now' : `Possible now: ${possible.join(', ')}`;
  return `${command} is refused: ${why}. ${now}`;
}

/** For people, in every form of the report: `pause by ann at 2026-12-01T02:30:00Z: the database is slow`; `approve of step seen of shop/web/a by bob (not signed) at …` */
export function describeCommand(record: CommandRecord): string {
  const { command, actor, reason, atMs } = record;
  const about = kindOfCommand(command) === 'approval' ? aboutOf(record) : { what: '', proof: '' };
  return `${command}${about.what} by ${actor}${about.proof} at ${describeTime(atMs)}: ${reason}`;
}

/** What was approved, and what proves who did. */
function aboutOf({ step, target, signedBy, roles = [] }: CommandRecord): { what: string; proof: string } {
  const what = step === undefined ? '' : ` of step ${step}${target === undefined ? '' : ` of ${target}`}`;
  const as = roles.length === 0 ? '' : `, as ${roles.join(', ')}`;
  return { what, proof: ` (${signedBy === undefined ? 'not signed' : `signed, ${signedBy}${as}`})` };
}
