/**
 * Turns the options of `plan` and `start` into start arguments, and reports every problem at once. A worker checks
 * the same rules again.
 */
import type { Command } from 'commander';
import type { StartOptions } from '../client/start-request.js';
import { unprintableWords } from '../domain/plan/caller-text.js';
import type { WindowArguments } from '../domain/contract.js';
import type { Problem } from '../domain/failures.js';
import { CommandError, USAGE_EXIT_CODE } from './output.js';
import { collect, userName } from './options.js';

/** The options of `plan` and `start` as commander parses them. */
export interface RequestOptions {
  readonly target?: readonly string[];
  readonly input?: readonly string[];
  readonly reason?: string;
  readonly requestedBy?: string;
  readonly window?: string;
  readonly cutoff?: string;
  readonly opensAt?: string;
  /** `undefined`: neither `--fit` nor `--no-fit` was given. */
  readonly fit?: boolean;
  readonly freeze?: readonly string[];
  readonly waitAtMost?: string;
}

/** Which option gives which path of the start arguments. */
const OPTION_OF_PATH: Readonly<Record<string, string>> = {
  targets: '--target',
  inputs: '--input',
  'window.duration': '--window',
  'window.cutoff': '--cutoff',
  'window.opensAt': '--opens-at',
  freeze: '--freeze',
  waitAtMost: '--wait-at-most',
  reason: '--reason',
  requestedBy: '--requested-by',
};

/** Adds the options that `plan` and `start` share. */
export function withRequest(command: Command): Command {
  return withTerms(
    command
      .option('-t, --target <application/component/instance>', 'by name or id; may be repeated', collect)
      .option('-i, --input <name=value>', 'an input of the runbook; may be repeated', collect),
  );
}

/** Adds the options about when a run may begin, who asks and why. */
export function withTerms(command: Command): Command {
  return (
    command
      .option('--window <duration>', 'start targets only within a maintenance window of this length, such as 2h')
      .option('--opens-at <time>', 'when the window opens, such as 2026-12-01T02:30:00+01:00; default: now')
      .option('--cutoff <duration>', 'start no target in this last part of the window; default: from the runbook')
      // In this order: alone or first, `--no-fit` would give `fit` the default `true`.
      .option(
        '--fit',
        'start a target only if its steps usually fit into the window; default: from the runbook, else this',
      )
      .option('--no-fit', 'start a target even if its steps do not usually fit into the window')
      .option('--freeze <calendar>', 'start no target while this calendar is frozen; may be repeated', collect)
      .option(
        '--wait-at-most <duration>',
        'wait up to this long, such as 4h, for a freeze to end or the window to open, instead of being refused',
      )
      .option('--reason <text>', 'why; shown in the report')
      .option('--requested-by <name>', 'who asks for the run; default: your login name')
  );
}

/** Checks all that can be checked without the runbook; the worker checks the rest. @throws CommandError */
export async function requestFrom(options: RequestOptions): Promise<StartOptions & { inputs: Record<string, string> }> {
  const { target: targets = [] } = options;
  const problems: Problem[] = [];
  if (targets.length === 0)
    problems.push(problem('--target', 'it is missing', 'Name at least one: --target shop/checkout/prod-1'));
  return checkedRequest(options, targets, problems);
}

/** Like `requestFrom`, for a run that resumes another one: it has the targets that are left, and no inputs. @throws CommandError */
export async function resumeRequestFrom(options: RequestOptions): Promise<Omit<StartOptions, 'targets'>> {
  const { inputs: _inputs, targets: _targets, ...terms } = await checkedRequest(options, options.target ?? [], []);
  return terms;
}

async function checkedRequest(
  options: RequestOptions,
  targets: readonly string[],
  problems: Problem[],
): Promise<StartOptions & { inputs: Record<string, string> }> {
  const { input = [], requestedBy = userName(), reason, freeze, waitAtMost } = options;
  const { inputs, problems: ofInputs } = inputsFrom(input);
  problems.push(...ofInputs);
  for (const text of targets.filter((value) => value.split('/').length !== 3))
    problems.push(
      problem(`--target ${text}`, 'it must have the form application/component/instance', 'Write three names or ids'),
    );
  const { window, problems: ofWindow } = windowFrom(options);
  const given = { targets, inputs, requestedBy, reason, window, freeze, waitAtMost };
  problems.push(...ofWindow, ...(await problemsOf(given)));
  if (problems.length > 0)
    throw new CommandError('Usage', 'Cannot run the command; nothing was started:', USAGE_EXIT_CODE, problems);
  return given;
}

function problem(place: string, found: string, remedy: string): Problem {
  return { code: 'usage', place, found, remedy };
}

function inputsFrom(pairs: readonly string[]): { inputs: Record<string, string>; problems: Problem[] } {
  const inputs = new Map<string, string>();
  const problems: Problem[] = [];
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    if (at < 1)
      problems.push(
        problem(`--input ${pair}`, 'it must have the form name=value', 'For example: --input version=1.4.0'),
      );
    else if (inputs.has(name))
      problems.push(problem(`--input ${pair}`, `${name} is given twice`, 'Give each input once'));
    else inputs.set(name, pair.slice(at + 1));
  }
  return { inputs: Object.fromEntries(inputs), problems };
}

function windowFrom({ window: duration, cutoff, opensAt, fit }: RequestOptions): {
  window: WindowArguments | undefined;
  problems: Problem[];
} {
  const rest = {
    ...(cutoff === undefined ? {} : { cutoff }),
    ...(opensAt === undefined ? {} : { opensAt }),
    ...(fit === undefined ? {} : { fit }),
  };
  if (duration !== undefined) return { window: { duration, ...rest }, problems: [] };
  const problems = Object.entries(rest).map(([key, value]) =>
    problem(
      key === 'fit' ? fitOption(value === true) : `${OPTION_OF_PATH[`window.${key}`] ?? key} ${value}`,
      'there is no window',
      'Give its length as well: --window 2h',
    ),
  );
  return { window: undefined, problems };
}

function fitOption(fit: boolean): string {
  return fit ? '--fit' : '--no-fit';
}

/** Problems, with option names instead of paths. */
async function problemsOf(given: StartOptions & { readonly inputs: unknown }): Promise<Problem[]> {
  // Loaded late, like everything that `--help` does not need.
  const [{ readStartArguments }, { startArgumentsOf }] = await Promise.all([
    import('../domain/plan/start-arguments.js'),
    import('../client/start-request.js'),
  ]);
  const { problems } = readStartArguments(startArgumentsOf(given));
  problems.push(...unprintableWords({ inputs: given.inputs }));
  return problems
    .filter(({ place }) => place !== 'targets' || given.targets.length > 0)
    .map(({ place, found, remedy }) => {
      const [path, option] = Object.entries(OPTION_OF_PATH).find(([key]) => place.startsWith(key)) ?? [place, place];
      const value = place.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown>)?.[key], given);
      return problem(typeof value === 'string' ? `${option} ${value}` : place.replace(path, option), found, remedy);
    });
}
