/** Options and values that several commands share. */
import { userInfo } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';
import { durationMs } from '../domain/time/duration.js';

/** Options of every command that talks to Temporal. */
export interface SessionOptions {
  readonly json?: boolean;
  readonly taskQueue?: string;
}

/** Adds the options of `SessionOptions`. */
export function withSessionOptions(command: Command): Command {
  return command.option('--task-queue <name>', 'default: RUNBOOK_TASK_QUEUE or runbooks').option('--json', 'as JSON');
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

/** Parses a number option within bounds, both included. @throws InvalidArgumentError */
export function numberBetween(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < minimum || value > maximum)
      throw new InvalidArgumentError(`Write a number from ${minimum} to ${maximum}.`);
    return value;
  };
}

/** Parses an integer option within bounds, both included. @throws InvalidArgumentError */
export function integerBetween(minimum: number, maximum: number): (text: string) => number {
  const parse = numberBetween(minimum, maximum);
  return (text) => {
    const value = parse(text);
    if (!Number.isInteger(value)) throw new InvalidArgumentError(`Write a whole number from ${minimum} to ${maximum}.`);
    return value;
  };
}

/** A date, or a time with its offset. `Date.parse` takes far more, such as `5`, and reads some of it by the clock of this machine. */
const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * Parses a moment: a date, a time with its offset, or a duration before (`ago`) or after (`ahead`) now.
 *
 * @returns a parser that returns epoch milliseconds and throws InvalidArgumentError
 */
export function moment(direction: 'ago' | 'ahead', remedy: string): (text: string) => number {
  return (text) => {
    const distanceMs = durationMs(text);
    if (distanceMs !== null) return direction === 'ago' ? Date.now() - distanceMs : Date.now() + distanceMs;
    const ms = MOMENT.test(text) ? Date.parse(text) : NaN;
    if (Number.isNaN(ms)) throw new InvalidArgumentError(remedy);
    return ms;
  };
}

/** The login name of the person at the terminal, for reports and for the notes of schedules. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // A container may run as a user without a name.
  }
}
