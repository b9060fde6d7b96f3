/** Checks the input of an operation, which any language may have written. Every problem is reported at once. Pure. */
import { startArgumentsOf } from '../client/start-request.js';
import { requireRunId } from '../client/run-id.js';
import type { StartArguments } from '../domain/contract.js';
import { MOST_PROBLEMS, type Problem } from '../domain/failures.js';
import { unprintableWords } from '../domain/plan/caller-text.js';
import { readStartArguments } from '../domain/plan/start-arguments.js';
import { isReservedName, NAME, NAME_REMEDY } from '../domain/runbook/names.js';
import { didYouMean } from '../domain/text/suggest.js';
import { InvalidRequest, InvalidRunId } from '../temporal/errors.js';
import type { RunStatusInput, StartRunInput } from './service.js';

/** Which run to start. */
export interface RunToStart {
  readonly runbook: string;
  readonly workflowId: string;
  readonly startArguments: StartArguments;
}

const LONGEST_SHOWN = 100;
const STATUS_KEYS = ['key'] as const satisfies readonly (keyof RunStatusInput)[];

/**
 * @param requestId of the operation: the same for every attempt to start it
 * @throws InvalidRequest
 */
export function readStartRun(input: unknown, requestId: string): RunToStart {
  const { runbook, key, ...rest } = objectOf(input) as Partial<Record<keyof StartRunInput, unknown>>;
  const shape = [
    ...runbookProblems(runbook),
    ...(key === undefined ? [] : keyProblems(key)),
    ...('dryRun' in rest ? [DRY_RUN] : []),
    ...readStartArguments(rest).problems,
  ];
  refuse(input, shape);
  // What the caller wrote, and not what was read from it: the run keeps its own request, as one of `RunbookClient` does.
  const startArguments = startArgumentsOf(rest as unknown as StartArguments);
  const name = String(runbook);
  return { runbook: name, workflowId: typeof key === 'string' ? key : `${name}-${requestId}`, startArguments };
}

/** @returns the workflow id of the run that is asked for. @throws InvalidRequest */
export function readRunStatus(input: unknown): string {
  const { key, ...rest } = objectOf(input);
  const unknown = Object.keys(rest).map((name) =>
    problem(name, `unknown key ${shown(name)}`, `Use key.${didYouMean(name, STATUS_KEYS)}`),
  );
  refuse(input, [...keyProblems(key), ...unknown]);
  return String(key);
}

const DRY_RUN = problem('dryRun', 'an operation starts runs and does not plan', 'Leave it out');

/** @throws InvalidRequest if there are problems. Text that cannot be shown is named once, by its characters */
function refuse(input: unknown, shape: readonly Problem[]): void {
  const unprintable = unprintableWords(input);
  const places = new Set(unprintable.map(({ place }) => place));
  const problems = [...unprintable, ...shape.filter(({ place }) => !places.has(place))];
  if (problems.length > 0) throw new InvalidRequest(problems.slice(0, MOST_PROBLEMS));
}

function objectOf(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input))
    return input as Readonly<Record<string, unknown>>;
  const example = 'Give one JSON object, such as {"runbook": "restart", "targets": ["shop/checkout/prod-1"]}';
  throw new InvalidRequest([problem('input', 'it is not a JSON object', example)]);
}

function runbookProblems(runbook: unknown): Problem[] {
  if (runbook === undefined) return [problem('runbook', '"runbook" is missing', 'Name a runbook, such as "restart"')];
  if (typeof runbook === 'string' && NAME.test(runbook) && !isReservedName(runbook)) return [];
  return [problem('runbook', `${shown(runbook)} is not the name of a runbook`, NAME_REMEDY)];
}

function keyProblems(key: unknown): Problem[] {
  if (key === undefined) return [problem('key', '"key" is missing', 'Name the run by its key')];
  if (typeof key !== 'string')
    return [problem('key', `${shown(key)} is not text`, 'Write text, such as "incident-4711"')];
  try {
    requireRunId(key);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidRunId)) throw error;
    return [problem('key', error.message, 'Choose another key')];
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, LONGEST_SHOWN);
}

function problem(place: string, found: string, remedy: string): Problem {
  return { code: 'invalid-arguments', place: place.slice(0, LONGEST_SHOWN), found, remedy };
}
