/** What a start takes, checked by the compiler for the runbooks of a map of inputs. */
import { unprintableWords } from '../domain/plan/caller-text.js';
import type { StartArguments, WindowArguments } from '../domain/contract.js';
import { MOST_PROBLEMS } from '../domain/failures.js';
import { InvalidRequest } from '../temporal/errors.js';

/** Everything but the inputs, which depend on the runbook. */
export interface StartOptions {
  /** `application/component/instance`, by name or id. */
  readonly targets: readonly string[];
  /**
   * The caller's idempotency key, taken as the workflow id: the same id never starts a second run, also after the first has ended,
   * for as long as the namespace keeps it. Default: a new one.
   */
  readonly id?: string | undefined;
  /**
   * What to do when a run of this id is there, under way or ended. `attach` (default): give that run, if it was asked for alike,
   * else throw `RunIdTaken`. `fail`: throw `RunAlreadyStarted`.
   */
  readonly onExisting?: 'attach' | 'fail' | undefined;
  /** Who asks; stands in the report. */
  readonly requestedBy?: string | undefined;
  /** Why; stands in the report. */
  readonly reason?: string | undefined;
  /** No new target is begun outside it. */
  readonly window?: WindowArguments | undefined;
  /** Names of calendars, beside those of the runbook's own guards: no new target is begun while one of them is frozen. */
  readonly freeze?: readonly string[] | undefined;
  /** How long a start outside its window or inside a freeze waits, such as `4h`. Default: the runbook's own, else it is refused at once. */
  readonly waitAtMost?: string | undefined;
}

/** A name of the map, which editors complete, or any other: a runbook that only the worker knows. */
export type RunbookName<Inputs extends object> = (keyof Inputs & string) | (string & Record<never, never>);

/** Keys that must be given. A runbook that takes no inputs is a map of every key to nothing: it has none. */
type RequiredKey<Values> = {
  [Key in keyof Values]-?: string extends Key
    ? never
    : Pick<Values, Key> extends Required<Pick<Values, Key>>
      ? Key
      : never;
}[keyof Values];

/** Inputs as the map says; those that all have defaults may be left out. A runbook that is not in the map takes any. */
export type InputsOf<Inputs extends object, Name extends string> = Name extends keyof Inputs
  ? [RequiredKey<Inputs[Name]>] extends [never]
    ? { readonly inputs?: Inputs[Name] | undefined }
    : { readonly inputs: Inputs[Name] }
  : { readonly inputs?: Readonly<Record<string, unknown>> | undefined };

export type StartRequest<Inputs extends object, Name extends string> = StartOptions & InputsOf<Inputs, Name>;

/** A plan is no run: it has no id of the caller's. */
export type PlanRequest<Inputs extends object, Name extends string> = Omit<StartOptions, 'id' | 'onExisting'> &
  InputsOf<Inputs, Name>;

/** The start arguments of a request, once every word of it is one that can be shown. @throws InvalidRequest */
export function checkedArguments(
  runbook: string,
  request: StartOptions & { readonly inputs?: unknown },
): StartArguments {
  const startArguments = startArgumentsOf(request);
  const problems = unprintableWords({ runbook, ...startArguments });
  if (problems.length > 0) throw new InvalidRequest(problems.slice(0, MOST_PROBLEMS));
  return startArguments;
}

/** The start arguments of a request: without what is for the client alone, and without keys that hold `undefined`. */
export function startArgumentsOf(request: StartOptions & { readonly inputs?: unknown }): StartArguments {
  const { id: _id, onExisting: _onExisting, ...rest } = request;
  return Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== undefined),
  ) as unknown as StartArguments;
}
