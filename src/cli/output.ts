/** How commands write: results as text or JSON on standard output, problems on standard error, and one exit code. */
import { describeProblem, type Problem } from '../domain/failures.js';
import { EXIT_CODES } from '../domain/report/report.js';
import { printableJson, printableLines } from '../domain/text/text.js';
import { hostAndPort } from '../network/host-and-port.js';
import { messageLines, printablePainted } from './terminal-text.js';

/** Wrong usage or configuration. `OTHER_EXIT_CODES` lists every code that is not an outcome. */
export const USAGE_EXIT_CODE = 2;
const UNREACHABLE_EXIT_CODE = 3;
/** A schedule was changed by hand or is not managed by a file, so nothing was applied. */
export const HAND_CHANGE_EXIT_CODE = 4;
/** `runbook replay` found histories that the workflow code of this version does not replay. */
export const NOT_REPLAYED_EXIT_CODE = 5;

/** Exit codes that are not outcomes of runs, by their meaning: for `--help` and the docs. */
export const OTHER_EXIT_CODES: Readonly<Record<string, number>> = {
  'any other error; see the message': 1,
  'usage or configuration': USAGE_EXIT_CODE,
  'Temporal cannot be reached': UNREACHABLE_EXIT_CODE,
  'a schedule was changed by hand; nothing was applied': HAND_CHANGE_EXIT_CODE,
  'runbook replay: a history does not replay, or could not be read': NOT_REPLAYED_EXIT_CODE,
  'the terminal was closed (SIGHUP) while the command waited': 129,
  'Ctrl-C (SIGINT) while the command waited; 0 for watch and start --watch': 130,
  'SIGTERM while the command waited': 143,
};

/** Receives the exit code of a command that did not throw. */
export type SetExitCode = (exitCode: number) => void;

/** Ends a command with a message. `kind` is stable and appears in `--json`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly kind: string,
    message: string,
    readonly exitCode: number = USAGE_EXIT_CODE,
    readonly problems: readonly Problem[] = [],
  ) {
    super(message);
  }
}

/** Writes text to standard output; control characters are shown, not sent. */
export function print(text: string): void {
  process.stdout.write(`${printableLines(text)}\n`);
}

/**
 * Writes the text of a renderer to standard output and keeps its colours. The renderer must have used printable
 * facts.
 */
export function printPainted(text: string): void {
  process.stdout.write(`${printablePainted(text)}\n`);
}

/** Writes one value as indented JSON to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${printableJson(JSON.stringify(value, null, 2))}\n`);
}

/** Writes one value as a line of JSON, for streams. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${printableJson(JSON.stringify(value))}\n`);
}

/** Writes progress, hints and errors to standard error, so that pipes get only the result. */
export function hint(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`);
}

/** Exit codes of the client's errors, by name, so that the check loads no Temporal code. */
const CODE_OF_ERROR: Readonly<Record<string, number>> = {
  ServerUnreachable: UNREACHABLE_EXIT_CODE,
  TemporalUnreachable: UNREACHABLE_EXIT_CODE,
  PlanRefused: EXIT_CODES.refused,
};

/** A schedule name that matches no schedule of ours, or several. */
const SCHEDULE_NAMING_ERRORS = ['ScheduleNotFound', 'AmbiguousSchedule', 'ForeignSchedule'];

/** Reports an error as text or JSON. @returns the exit code */
export function fail(error: unknown, asJson: boolean): number {
  const { kind, message, exitCode, problems } = factsOf(error);
  if (asJson) printJson({ error: { kind, message, ...(problems.length === 0 ? {} : { problems }) } });
  else
    hint(
      [
        `runbook: ${messageLines(message).join('\n')}`,
        ...problems.map((problem) => `- ${describeProblem(problem)}`),
      ].join('\n'),
    );
  return exitCode;
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process uses it',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'this user lacks permission',
};

/**
 * Explains why a port could not be opened. Node writes IPv6 addresses without brackets.
 * @returns `null` for any other error
 */
function listenProblem(error: Error): string | null {
  const { syscall, address, port, code } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall !== 'listen' || address === undefined || port === undefined) return null;
  return `cannot listen on ${hostAndPort(address, port)}: ${WHY_NOT[code ?? ''] ?? 'the system refuses it'} (${code})`;
}

/** Errors about an id or a name that the caller gave. */
const CLIENT_NAMING_ERRORS = [
  'RunNotFound',
  'RunIdTaken',
  'InvalidRunId',
  'InvalidRequest',
  'NoReport',
  'NotARun',
  'AccessDenied',
];

const BRING_ONE_UP = '. To try things out, `npm run demo -- --keep` starts one on this machine';

/** True if Temporal could not be reached before the command concerned any run. */
function isNoTemporal(error: Error): boolean {
  return error.name === 'ServerUnreachable' && (error as { workflowId?: string | null }).workflowId === null;
}

function factsOf(error: unknown): { kind: string; message: string; exitCode: number; problems: readonly Problem[] } {
  if (error instanceof CommandError) return error;
  if (!(error instanceof Error)) return { kind: 'Error', message: String(error), exitCode: 1, problems: [] };
  const { name } = error;
  const message = listenProblem(error) ?? `${error.message}${isNoTemporal(error) ? BRING_ONE_UP : ''}`;
  // The message of a configuration error already contains its problems.
  if (name === 'ConfigurationError') return { kind: name, message, exitCode: USAGE_EXIT_CODE, problems: [] };
  const known = [...CLIENT_NAMING_ERRORS, ...SCHEDULE_NAMING_ERRORS].includes(name);
  return { kind: name, message, exitCode: CODE_OF_ERROR[name] ?? (known ? USAGE_EXIT_CODE : 1), problems: [] };
}
