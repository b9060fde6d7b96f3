/** The request of a start. The compiler checks the inputs of runbooks in a map such as `CatalogueInputs`. */
import { unprintableWords } from '../domain/plan/caller-text.js';
import type { StartArguments, WindowArguments } from '../domain/contract.js';
import type { RunName } from '../domain/report/report.js';
import { MOST_PROBLEMS } from '../domain/failures.js';
import { InvalidRequest } from '../temporal/errors.js';

/** A request without its inputs, which depend on the runbook. */
export interface StartOptions {
  /** `application/component/instance`, by name or id. */
  readonly targets: readonly string[];
  /**
   * The caller's idempotency key, used as the workflow id. An id never starts a second run, even after the first has
   * ended, for as long as the namespace keeps it. Default: a new id.
   */
  readonly id?: string | undefined;
  /**
   * What to do if a run of this id exists, in progress or ended. `attach` (default): return that run if it was
   * started by the same request, else throw `RunIdTaken`. `fail`: throw `RunAlreadyStarted`.
   */
  readonly onExisting?: 'attach' | 'fail' | undefined;
  /** Who asks; shown in the report. */
  readonly requestedBy?: string | undefined;
  /** Why; shown in the report. */
  readonly reason?: string | undefined;
  /** No target starts outside this window. */
  readonly window?: WindowArguments | undefined;
  /**
   * Names of calendars, in addition to those of the runbook's guards. No target starts while one of them is frozen.
   */
  readonly freeze?: readonly string[] | undefined;
  /**
   * How long a start outside its window or inside a freeze waits, such as `4h`. Default: the runbook's value, else
   * it is refused at once.
   */
  readonly waitAtMost?: string | undefined;
  /** The run continues where this one failed, with its inputs. `RunbookClient.resumption` makes such a request. */
  readonly resumes?: RunName | undefined;
}

/** A name in the map, which editors complete, or any other name that only the worker knows. */
export type RunbookName<Inputs extends object> = (keyof Inputs & string) | (string & Record<never, never>);

/** Keys that must be given. A runbook without inputs maps every key to nothing, so it has none. */
type RequiredKey<Values> = {
  [Key in keyof Values]-?: string extends Key
    ? never
    : Pick<Values, Key> extends Required<Pick<Values, Key>>
      ? Key
      : never;
}[keyof Values];

/**
 * Inputs as the map declares them. They may be omitted if all have defaults. A runbook that is not in the map
 * accepts any.
 */
export type InputsOf<Inputs extends object, Name extends string> = Name extends keyof Inputs
  ? [RequiredKey<Inputs[Name]>] extends [never]
    ? { readonly inputs?: Inputs[Name] | undefined }
    : { readonly inputs: Inputs[Name] }
  : { readonly inputs?: Readonly<Record<string, unknown>> | undefined };

/** The request of `RunbookClient.start`. */
export type StartRequest<Inputs extends object, Name extends string> = StartOptions & InputsOf<Inputs, Name>;

/** The request of `RunbookClient.plan`; the caller cannot choose an id. */
export type PlanRequest<Inputs extends object, Name extends string> = Omit<StartOptions, 'id' | 'onExisting'> &
  InputsOf<Inputs, Name>;

/** The start arguments of a request, after checking that all its text is printable. @throws InvalidRequest */
export function checkedArguments(
  runbook: string,
  request: StartOptions & { readonly inputs?: unknown },
): StartArguments {
  const startArguments = startArgumentsOf(request);
  const problems = unprintableWords({ runbook, ...startArguments });
  if (problems.length > 0) throw new InvalidRequest(problems.slice(0, MOST_PROBLEMS));
  return startArguments;
}

/** The start arguments of a request: without the client's own options and without keys that are `undefined`. */
export function startArgumentsOf(request: StartOptions & { readonly inputs?: unknown }): StartArguments {
  const { id: _id, onExisting: _onExisting, ...rest } = request;
  return Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== undefined),
  ) as unknown as StartArguments;
}
