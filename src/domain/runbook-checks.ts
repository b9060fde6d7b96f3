/** What is proved of a runbook when it is loaded, beyond its shape. Each check has a code and a remedy. */
import { ACTIONS, type ActionName } from './actions.js';
import { durationMs } from './duration.js';
import { valueProblem } from './input-value.js';
import { isWholeExpression, namesUsed, TARGET_NAMES } from './interpolate.js';
import { isActionStep, isReservedName, stepIds, type Input, type Runbook, type RunbookActionStep } from './runbook.js';

/** A problem inside a file, before its place is known in lines and columns. */
export interface RunbookProblem {
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly found: string;
  readonly remedy: string;
}

/**
 * What each check proves, for docs/runbook-reference.md.
 * @public read by scripts/generate.mjs
 */
export const RUNBOOK_CHECKS = {
  'name-is-file-name': 'The name is the file name without `.yaml`, since it is the workflow type',
  'reserved-name': 'The name is not one of the workflow bundle itself',
  'duplicate-step-id': 'No two steps have the same id',
  'irreversible-not-declared': 'An action that nothing reverses is declared: `compensation: { irreversible: why }`',
  'not-an-inverse': 'A declared undo is an accepted inverse of its action',
  'unknown-name': 'Expressions use declared inputs and known names of the target',
  'wrong-input-type': 'An input that stands for a whole value has the type that is wanted there',
  'unused-input': 'Every declared input is used',
  'wrong-default': 'The default of an input fits its own rules',
  'freeze-stands-twice': 'No calendar is named twice',
  'deadline-too-short': 'A step has time for its verification, and the run for its steps',
} as const;
type CheckCode = keyof typeof RUNBOOK_CHECKS;

export function checkRunbook(runbook: Runbook, fileName: string): RunbookProblem[] {
  return [
    ...checkName(runbook, fileName),
    ...checkSteps(runbook),
    ...checkExpressions(runbook),
    ...checkDefaults(runbook),
    ...checkGuards(runbook),
    ...checkDeadlines(runbook),
  ];
}

function problem(code: CheckCode, path: RunbookProblem['path'], found: string, remedy: string): RunbookProblem {
  return { code, path, found, remedy };
}

function checkName({ name }: Runbook, fileName: string): RunbookProblem[] {
  const problems: RunbookProblem[] = [];
  const expected = fileName.replace(/\.ya?ml$/, '');
  if (name !== expected)
    problems.push(
      problem(
        'name-is-file-name',
        ['name'],
        `the name is "${name}" and the file ${fileName}`,
        `Write name: ${expected}, or rename the file to ${name}.yaml`,
      ),
    );
  if (isReservedName(name))
    problems.push(problem('reserved-name', ['name'], `"${name}" is a reserved name`, 'Choose another name'));
  return problems;
}

function checkSteps({ steps }: Runbook): RunbookProblem[] {
  const problems: RunbookProblem[] = [];
  const ids = stepIds(steps);
  for (const [index, step] of steps.entries()) {
    const id = ids[index] ?? '';
    if (ids.indexOf(id) < index)
      problems.push(
        problem(
          'duplicate-step-id',
          ['steps', index],
          `the id "${id}" stands twice`,
          'Give each step an id of its own',
        ),
      );
    if (!isActionStep(step)) continue;
    const rule = ACTIONS[step.action];
    const { compensation } = step;
    if (rule.reversal === 'irreversible' && (compensation === undefined || !('irreversible' in compensation))) {
      const remedy = `Declare it: compensation: { irreversible: "${rule.irreversibleBecause ?? 'why'}" }`;
      problems.push(
        problem('irreversible-not-declared', ['steps', index], `nothing reverses a ${step.action}`, remedy),
      );
    }
    if (compensation !== undefined && 'action' in compensation && !rule.inverses.includes(compensation.action)) {
      const remedy = rule.inverses.length === 0 ? 'Leave the compensation out' : `Use ${rule.inverses.join(' or ')}`;
      problems.push(
        problem(
          'not-an-inverse',
          ['steps', index, 'compensation', 'action'],
          `${compensation.action} does not undo a ${step.action}`,
          remedy,
        ),
      );
    }
  }
  return problems;
}

/** Values that may hold expressions: where they stand, and the type that a whole expression must have. */
function* expressionPlaces({
  steps,
}: Runbook): Generator<{ path: (string | number)[]; value: unknown; wanted: Input['type'] | 'stringList' }> {
  for (const [index, step] of steps.entries()) {
    if (!isActionStep(step)) {
      yield { path: ['steps', index, 'wait'], value: step.wait, wanted: 'duration' };
      continue;
    }
    yield* parameterPlaces(step.action, 'with' in step ? step.with : undefined, ['steps', index, 'with']);
    const { compensation } = step;
    if (compensation !== undefined && 'action' in compensation) {
      yield* parameterPlaces(compensation.action, 'with' in compensation ? compensation.with : undefined, [
        'steps',
        index,
        'compensation',
        'with',
      ]);
    }
  }
}

function* parameterPlaces(action: ActionName, parameters: unknown, path: (string | number)[]) {
  for (const [key, value] of Object.entries(typeof parameters === 'object' && parameters !== null ? parameters : {})) {
    const wanted = Object.entries(ACTIONS[action].parameters).find(([name]) => name === key)?.[1].type ?? 'string';
    yield { path: [...path, key], value: value as unknown, wanted };
  }
}

function checkExpressions(runbook: Runbook): RunbookProblem[] {
  const problems: RunbookProblem[] = [];
  const inputs = Object.keys(runbook.inputs);
  const used = new Set<string>();
  for (const { path, value, wanted } of expressionPlaces(runbook)) {
    for (const name of namesUsed(value)) {
      const [scope, key = '', ...rest] = name.split('.');
      const known = scope === 'inputs' ? inputs : scope === 'target' ? [...TARGET_NAMES] : [];
      used.add(key);
      if (rest.length === 0 && known.includes(key)) {
        problems.push(...checkType(runbook.inputs[key], scope ?? '', value, wanted, path, name));
        continue;
      }
      const all = [...inputs.map((input) => `inputs.${input}`), ...TARGET_NAMES.map((target) => `target.${target}`)];
      problems.push(
        problem('unknown-name', path, `"${name.slice(0, 80)}" is not known`, `Use one of: ${all.join(', ')}`),
      );
    }
  }
  const unused = inputs.filter((input) => !used.has(input));
  return [
    ...problems,
    ...unused.map((input) =>
      problem('unused-input', ['inputs', input], `the input "${input}" is used nowhere`, 'Use it or take it out'),
    ),
  ];
}

function checkType(
  input: Input | undefined,
  scope: string,
  value: unknown,
  wanted: string,
  path: (string | number)[],
  name: string,
): RunbookProblem[] {
  if (!isWholeExpression(value)) {
    return wanted === 'string'
      ? []
      : [
          problem(
            'wrong-input-type',
            path,
            `"${String(value).slice(0, 80)}" is text where ${article(wanted)} is wanted`,
            `Write the expression alone: \${{ ${name.slice(0, 80)} }}`,
          ),
        ];
  }
  const given = scope === 'inputs' ? input?.type : name === 'target.replicaCount' ? 'integer' : 'string';
  if (given === wanted || (wanted === 'string' && given === 'duration')) return [];
  return [
    problem(
      'wrong-input-type',
      path,
      `${name} is ${article(given ?? 'text')}, and ${article(wanted)} is wanted`,
      `Use ${article(wanted)}`,
    ),
  ];
}

function article(type: string): string {
  const words: Record<string, string> = {
    integer: 'an integer',
    string: 'text',
    stringList: 'a list of text',
    duration: 'a duration',
    boolean: 'a boolean',
  };
  return words[type] ?? type;
}

function checkDefaults({ inputs }: Runbook): RunbookProblem[] {
  return Object.entries(inputs).flatMap(([name, input]) => {
    const wrong = input.default === undefined ? null : valueProblem(input, input.default);
    return wrong === null
      ? []
      : [problem('wrong-default', ['inputs', name, 'default'], wrong, 'Mend the default or the rule')];
  });
}

function checkGuards({ guards }: Runbook): RunbookProblem[] {
  const names = guards?.freeze ?? [];
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [problem('freeze-stands-twice', ['guards', 'freeze', index], `"${name}" stands twice`, 'Name it once')],
  );
}

function checkDeadlines({ steps, deadline }: Runbook): RunbookProblem[] {
  const problems: RunbookProblem[] = [];
  let sumMs = 0;
  for (const [index, step] of steps.entries()) {
    if (!isActionStep(step)) {
      sumMs += durationMs(step.wait) ?? 0;
      continue;
    }
    const { deadlineMs } = stepTimes(step, DEFAULT_VERIFY);
    sumMs += deadlineMs;
    const withinMs = durationMs(step.verify?.within ?? '') ?? 0;
    const stableMs = durationMs(step.verify?.stable ?? '') ?? 0;
    if (step.deadline !== undefined && withinMs + stableMs >= deadlineMs) {
      problems.push(
        problem(
          'deadline-too-short',
          ['steps', index, 'deadline'],
          `verification alone may take ${step.verify?.within ?? ''} and ${step.verify?.stable ?? '0s'}`,
          'Give the step more time than its verify',
        ),
      );
    }
  }
  const runMs = deadline === undefined ? null : durationMs(deadline);
  if (runMs !== null && runMs < sumMs) {
    problems.push(
      problem(
        'deadline-too-short',
        ['deadline'],
        `the steps of one target may take ${Math.ceil(sumMs / 60_000)}m together`,
        `Write deadline: ${Math.ceil(sumMs / 60_000)}m or more, or shorten the steps`,
      ),
    );
  }
  return problems;
}

/** How long a wished state may take and must hold, where the runbook does not say. Milliseconds. */
export interface VerifyDefaults {
  readonly withinMs: number;
  readonly stableMs: number;
}

/** Chosen: a container that comes up and falls over again does so within seconds, and a slow one needs minutes. */
export const DEFAULT_VERIFY: VerifyDefaults = { withinMs: 5 * 60_000, stableMs: 10_000 };

interface StepTimes {
  readonly deadlineMs: number;
  readonly verify: VerifyDefaults;
}

type TimedStep = Pick<RunbookActionStep, 'action' | 'deadline' | 'verify'>;

/** A step's times in milliseconds, defaults filled in. Verification by default never takes more than the step has. */
export function stepTimes(step: TimedStep, defaults: VerifyDefaults): StepTimes {
  const deadlineMs = durationMs(step.deadline ?? '') ?? ACTIONS[step.action].deadlineMs;
  const stableMs = durationMs(step.verify?.stable ?? '') ?? Math.min(defaults.stableMs, deadlineMs / 4);
  const withinMs = durationMs(step.verify?.within ?? '') ?? Math.min(defaults.withinMs, deadlineMs);
  return { deadlineMs, verify: { withinMs, stableMs } };
}
