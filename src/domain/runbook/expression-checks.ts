/** What is proved of the expressions of a runbook when it is loaded: names that exist, types that fit, what is captured and by whom. */
import { ACTIONS, type ActionName } from '../target/actions.js';
import { didYouMean } from '../text/suggest.js';
import { CAPTURED_NAMES, isBrokenExpression, isWholeExpression, namesUsed, TARGET_NAMES } from './interpolate.js';
import type { Input, Runbook, RunbookProblem } from './runbook.js';
import { isActionStep, isApprovalStep, isCheckStep, type RunbookCheckStep } from './step-shapes.js';

/** A part of `RUNBOOK_CHECKS`. */
export const EXPRESSION_CHECKS = {
  'unknown-name': 'Expressions use declared inputs, known names of the target, and what is captured',
  'invalid-input-type': 'An input that is a whole value has the type that is wanted there',
  'unused-input': 'Every declared input is used',
  'captured-without-restores': 'What another runbook captured is used only with `restores`, which names that runbook',
  'unused-restores': 'A runbook with `restores` uses `${{ captured.replicaCount }}`',
  'restores-itself': 'A runbook restores another one, not itself',
} as const;

function problem(
  code: keyof typeof EXPRESSION_CHECKS,
  path: RunbookProblem['path'],
  found: string,
  remedy: string,
): RunbookProblem {
  return { code, path, found, remedy };
}

/** `any`: text, a number or a boolean, whichever the expression has. */
type Wanted = Input['type'] | 'stringList' | 'any';

/** Values that may hold expressions: where they stand, and the type that a whole expression must have. */
function* expressionPlaces({
  steps,
}: Runbook): Generator<{ path: (string | number)[]; value: unknown; wanted: Wanted }> {
  for (const [index, step] of steps.entries()) {
    if (isCheckStep(step)) {
      yield* checkPlaces(step, ['steps', index, 'check']);
      continue;
    }
    if (isApprovalStep(step)) continue;
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

function* checkPlaces(
  { check: { http, header = {}, json = {}, text } }: RunbookCheckStep,
  path: (string | number)[],
): Generator<{ path: (string | number)[]; value: unknown; wanted: Wanted }> {
  yield { path: [...path, 'http'], value: http, wanted: 'string' };
  for (const [name, value] of Object.entries(header)) yield { path: [...path, 'header', name], value, wanted: 'any' };
  for (const [name, value] of Object.entries(json)) yield { path: [...path, 'json', name], value, wanted: 'any' };
  yield { path: [...path, 'text'], value: text, wanted: 'any' };
}

function* parameterPlaces(action: ActionName, parameters: unknown, path: (string | number)[]) {
  for (const [key, value] of Object.entries(typeof parameters === 'object' && parameters !== null ? parameters : {})) {
    const wanted = Object.entries(ACTIONS[action].parameters).find(([name]) => name === key)?.[1].type ?? 'string';
    yield { path: [...path, key], value: value as unknown, wanted };
  }
}

/** Checks every expression: its names exist, its type fits, and every declared input is used. */
export function checkExpressions(runbook: Runbook): RunbookProblem[] {
  const problems: RunbookProblem[] = [];
  const inputs = Object.keys(runbook.inputs);
  const used = new Set<string>();
  for (const { path, value, wanted } of expressionPlaces(runbook)) {
    if (isBrokenExpression(value))
      problems.push(
        problem(
          'unknown-name',
          path,
          'an expression begins with ${{ and does not end',
          'Write it as in ${{ inputs.name }}',
        ),
      );
    for (const name of namesUsed(value)) {
      const [scope, key = '', ...rest] = name.split('.');
      const known = namesOf(scope, inputs);
      if (scope === 'inputs') used.add(key);
      if (rest.length === 0 && known.includes(key)) {
        problems.push(...checkType(runbook.inputs[key], scope ?? '', value, wanted, path, name));
        continue;
      }
      const all = ['inputs', 'target', 'captured'].flatMap((each) =>
        namesOf(each, inputs).map((known) => `${each}.${known}`),
      );
      problems.push(
        problem(
          'unknown-name',
          path,
          `"${name.slice(0, 80)}" is not known`,
          `Use one of: ${all.join(', ')}.${didYouMean(name, all)}`,
        ),
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

function namesOf(scope: string | undefined, inputs: readonly string[]): readonly string[] {
  if (scope === 'inputs') return inputs;
  if (scope === 'target') return TARGET_NAMES;
  return scope === 'captured' ? CAPTURED_NAMES : [];
}

/** `restores` and what is captured belong together. */
export function checkRestores(runbook: Runbook): RunbookProblem[] {
  const { name, restores } = runbook;
  const uses = [...expressionPlaces(runbook)].filter(({ value }) =>
    namesUsed(value).some((used) => used.startsWith('captured.')),
  );
  if (restores === undefined) {
    return uses.map(({ path }) =>
      problem(
        'captured-without-restores',
        path,
        'it uses what another runbook captured, and no runbook is named',
        'Write restores: with the name of the runbook that changes the replica count, such as restores: scale-down',
      ),
    );
  }
  const problems: RunbookProblem[] = [];
  if (uses.length === 0) {
    const found = 'nothing uses what that runbook captured';
    problems.push(
      problem('unused-restores', ['restores'], found, 'Use ${{ captured.replicaCount }} in a step, or take it out'),
    );
  }
  if (restores === name)
    problems.push(
      problem('restores-itself', ['restores'], 'a runbook cannot restore itself', 'Name the runbook that captures'),
    );
  return problems;
}

function checkType(
  input: Input | undefined,
  scope: string,
  value: unknown,
  wanted: Wanted,
  path: (string | number)[],
  name: string,
): RunbookProblem[] {
  if (!isWholeExpression(value)) {
    return wanted === 'string' || wanted === 'any'
      ? []
      : [
          problem(
            'invalid-input-type',
            path,
            `"${String(value).slice(0, 80)}" is text where ${PHRASES[wanted]} is wanted`,
            `Write the expression alone: \${{ ${name.slice(0, 80)} }}`,
          ),
        ];
  }
  const given = scope === 'inputs' ? input?.type : name.endsWith('.replicaCount') ? 'integer' : 'string';
  if (given === wanted || wanted === 'any' || (wanted === 'string' && given === 'duration')) return [];
  return [
    problem(
      'invalid-input-type',
      path,
      `${name} is ${PHRASES[given ?? 'string']}, and ${PHRASES[wanted]} is wanted`,
      `Use ${PHRASES[wanted]}`,
    ),
  ];
}

/** The types as they stand in a sentence. */
const PHRASES: Readonly<Record<Wanted, string>> = {
  integer: 'an integer',
  string: 'text',
  stringList: 'a list of text',
  duration: 'a duration',
  boolean: 'a boolean',
  any: 'any value',
};
