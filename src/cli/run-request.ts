/** The words of `plan` and `start` as start arguments: every problem of the words at once, by the rules that a worker checks again. */
import type { Command } from 'commander';
import type { StartOptions } from '../client/start-request.js';
import { unprintableWords } from '../domain/plan/caller-text.js';
import type { WindowArguments } from '../domain/contract.js';
import type { Problem } from '../domain/failures.js';
import { CommandError, USAGE_EXIT_CODE } from './output.js';
import { userName } from './user-name.js';

export interface RequestOptions {
  readonly target?: readonly string[];
  readonly input?: readonly string[];
  readonly reason?: string;
  readonly requestedBy?: string;
  readonly window?: string;
  readonly cutoff?: string;
  readonly opensAt?: string;
  readonly freeze?: readonly string[];
  readonly waitAtMost?: string;
}

/** Options by the paths of the start arguments that they give. */
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

export function withRequest(command: Command): Command {
  const collect = (value: string, earlier: readonly string[] = []) => [...earlier, value];
  return command
    .option('-t, --target <application/component/instance>', 'by name or id; repeat it for several', collect)
    .option('-i, --input <name=value>', 'an input of the runbook; repeat it for several', collect)
    .option('--window <duration>', 'begin targets only within a maintenance window of that length, such as 2h')
    .option('--opens-at <time>', 'when the window opens, such as 2026-12-01T02:30:00+01:00; default: at the start')
    .option('--cutoff <duration>', "begin no target that long before the window's end; default: as the runbook says")
    .option('--freeze <calendar>', 'begin no target while this calendar is frozen; repeat it for several', collect)
    .option('--wait-at-most <duration>', 'wait for a freeze or window that long, such as 4h, instead of being refused')
    .option('--reason <text>', 'why; stands in the report')
    .option('--requested-by <name>', 'who asks; default: the user of this computer');
}

/** What needs the runbook itself is checked by the worker. @throws CommandError */
export async function requestFrom(options: RequestOptions): Promise<StartOptions & { inputs: Record<string, string> }> {
  const { target: targets = [], input = [], requestedBy = userName(), reason, freeze, waitAtMost } = options;
  const { inputs, problems } = inputsFrom(input);
  if (targets.length === 0)
    problems.push(problem('--target', 'there is none', 'Name at least one: --target shop/checkout/prod-1'));
  for (const text of targets.filter((value) => value.split('/').length !== 3))
    problems.push(
      problem(`--target ${text}`, 'it is not of the form application/component/instance', 'Write three names or ids'),
    );
  const { window, problems: ofWindow } = windowFrom(options);
  const given = { targets, inputs, requestedBy, reason, window, freeze, waitAtMost };
  problems.push(...ofWindow, ...(await problemsOf(given)));
  if (problems.length > 0)
    throw new CommandError(
      'Usage',
      'The command cannot be carried out; nothing was started:',
      USAGE_EXIT_CODE,
      problems,
    );
  return given;
}

function problem(place: string, found: string, remedy: string): Problem {
  return { code: 'usage', place, found, remedy };
}

function inputsFrom(pairs: readonly string[]): { inputs: Record<string, string>; problems: Problem[] } {
  const inputs: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at >= 1) inputs[pair.slice(0, at)] = pair.slice(at + 1);
    else
      problems.push(
        problem(`--input ${pair}`, 'it is not of the form name=value', 'Write it as in --input version=1.4.0'),
      );
  }
  return { inputs, problems };
}

function windowFrom({ window: duration, cutoff, opensAt }: RequestOptions): {
  window: WindowArguments | undefined;
  problems: Problem[];
} {
  const rest = { ...(cutoff === undefined ? {} : { cutoff }), ...(opensAt === undefined ? {} : { opensAt }) };
  if (duration !== undefined) return { window: { duration, ...rest }, problems: [] };
  const problems = Object.entries(rest).map(([key, value]) =>
    problem(
      `${OPTION_OF_PATH[`window.${key}`] ?? key} ${value}`,
      'there is no window',
      'Give its length as well, as in --window 2h',
    ),
  );
  return { window: undefined, problems };
}

/** In the words of the command line. */
async function problemsOf(given: StartOptions & { readonly inputs: unknown }): Promise<Problem[]> {
  // Late, as everything that --help does not need.
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
