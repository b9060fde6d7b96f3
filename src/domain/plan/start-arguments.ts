/** Checks start arguments as they arrive, typed by hand or from a program, and reports every problem at once. */
import { z } from 'zod';
import { HOLDS_CONTROL_CHARACTERS, ONE_LINE_REMEDY } from './caller-text.js';
import type { StartArguments } from '../contract.js';
import { durationMs, DURATION_REMEDY } from '../time/duration.js';
import { LONGEST_WAIT_MS, LONGEST_WAIT_REMEDY } from '../gates/gates.js';
import type { Problem } from '../failures.js';
import { didYouMean } from '../text/suggest.js';
import { inputRemedy, typedValue, valueProblem } from '../runbook/input-value.js';
import type { Runbook } from '../runbook/runbook.js';
import { hasControlCharacters } from '../text/text.js';

const text = z
  .string('Write text')
  .min(1, 'Write at least one character, or leave it out')
  .refine((value) => !hasControlCharacters(value), ONE_LINE_REMEDY);
const duration = z.string(DURATION_REMEDY).refine((value) => durationMs(value) !== null, DURATION_REMEDY);
const positive = duration.refine((value) => durationMs(value) !== 0, 'Write more than 0s');
const waiting = duration.refine((value) => (durationMs(value) ?? 0) <= LONGEST_WAIT_MS, LONGEST_WAIT_REMEDY);
const atMost = (count: number, what = 'characters') => `Give at most ${count} ${what}`;
const OPENS_AT_REMEDY = 'Write a time with its offset, as in 2026-12-01T02:30:00+01:00';
const TARGETS_REMEDY = 'Write a list of text, as in ["shop/checkout/prod-1"]';
const RESUMES_REMEDY = 'Write both ids of a run, as in {"workflowId": "…", "runId": "…"}';
const Window = z.strictObject(
  {
    duration: positive,
    cutoff: duration.optional(),
    opensAt: z.iso.datetime({ offset: true, error: OPENS_AT_REMEDY }).optional(),
    fit: z.boolean('Write true or false').optional(),
  },
  { error: ({ code }) => (code === 'invalid_type' ? 'Write keys and values, as in {"duration": "2h"}' : undefined) },
);
const Resumes = z.strictObject(
  { workflowId: text.max(1_000, atMost(1_000)), runId: text.max(100, atMost(100)) },
  { error: ({ code }) => (code === 'invalid_type' ? RESUMES_REMEDY : undefined) },
);
const Shape = z.strictObject({
  targets: z
    .array(text, TARGETS_REMEDY)
    .min(1, 'Name at least one target: application/component/instance')
    .max(100, atMost(100, 'targets')),
  inputs: z.record(z.string(), z.unknown(), 'Write keys and values, as in {"replica": 4}').optional(),
  requestedBy: text.max(200, atMost(200)).optional(),
  reason: text.max(1_000, atMost(1_000)).optional(),
  dryRun: z.boolean('Write true or false').optional(),
  window: Window.optional(),
  freeze: z
    .array(text.max(200, atMost(200)), 'Write a list of names of calendars')
    .max(20, atMost(20, 'calendars'))
    .optional(),
  waitAtMost: waiting.optional(),
  resumes: Resumes.optional(),
});
/** Long enough to recognize a value. All problems share one message of the run, and Temporal limits those. */
const LONGEST = 200;
const MOST_KEYS = 20;
const KEYS = Object.keys(Shape.shape);
const NESTED_KEYS: Readonly<Record<string, readonly string[]>> = {
  window: Object.keys(Window.shape),
  resumes: Object.keys(Resumes.shape),
};
const EXAMPLE = '{"targets": ["shop/checkout/prod-1"], "requestedBy": "alice"}';

/** Checks everything except the inputs. `value` is `null` if the arguments cannot be used. */
export function readStartArguments(given: unknown): { value: StartArguments | null; problems: Problem[] } {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const found =
      given === undefined ? 'nothing was given' : `${JSON.stringify(given).slice(0, 100)} is not a JSON object`;
    return { value: null, problems: [problem('start arguments', found, `Give one JSON object, such as ${EXAMPLE}`)] };
  }
  const parsed = Shape.safeParse(given);
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, given));
  if (!parsed.success) return { value: null, problems };
  const { targets, inputs = {} } = parsed.data;
  const twice = targets.filter((target, index) => targets.indexOf(target) < index);
  for (const target of new Set(twice))
    problems.push(problem(`targets, "${target}"`, 'it appears more than once', 'Name each target once'));
  // Keys that were not given are absent; only the type allows `undefined`.
  if (parsed.data.resumes !== undefined && Object.keys(inputs).length > 0)
    problems.push(
      problem(
        'inputs',
        'a run that resumes another one has its inputs',
        'Leave them out, or start again without "resumes"',
      ),
    );
  const value = { ...parsed.data, targets: [...new Set(targets)], inputs } as StartArguments;
  return { value, problems };
}

function problemsOf(issue: z.core.$ZodIssue, given: object): Problem[] {
  const place = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = NESTED_KEYS[place] ?? KEYS;
    return issue.keys
      .slice(0, MOST_KEYS)
      .map((key) =>
        problem(
          place === '' ? key : `${place}.${key}`,
          `unknown key "${key.slice(0, LONGEST)}"`,
          `Use one of: ${known.join(', ')}.${didYouMean(key, known)}`,
        ),
      );
  }
  const value = valueAt(given, issue.path);
  if (value === undefined) return [problem(place, `"${place}" is missing`, missingRemedy(issue))];
  if (issue.message === ONE_LINE_REMEDY) return [problem(place, HOLDS_CONTROL_CHARACTERS, ONE_LINE_REMEDY)];
  return [problem(place, `${shown(value)} does not fit`, issue.message)];
}

function missingRemedy({ path, message }: z.core.$ZodIssue): string {
  return path.length === 1 ? `Give it, as in ${EXAMPLE}` : message;
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    given,
  );
}

function shown(value: unknown): string {
  if (value === '') return 'empty text';
  return typeof value === 'object' && value !== null ? kindOf(value) : JSON.stringify(value).slice(0, 100);
}

function kindOf(value: object): string {
  if (!Array.isArray(value)) return 'an object';
  return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
}

/** Fills in defaults of inputs and converts text to the declared types. */
export function readInputs(
  runbook: Runbook,
  given: Readonly<Record<string, unknown>>,
): { inputs: Record<string, unknown>; problems: Problem[] } {
  const problems: Problem[] = [];
  const inputs: Record<string, unknown> = {};
  const known = Object.keys(runbook.inputs);
  for (const name of Object.keys(given)
    .filter((key) => !known.includes(key))
    .slice(0, MOST_KEYS)) {
    const remedy =
      known.length === 0
        ? `${runbook.name} takes no inputs`
        : `Inputs of ${runbook.name}: ${known.join(', ')}.${didYouMean(name, known)}`;
    problems.push(problem(`inputs.${name}`, `unknown input "${name.slice(0, LONGEST)}"`, remedy));
  }
  for (const [name, input] of Object.entries(runbook.inputs)) {
    const value = Object.hasOwn(given, name) ? given[name] : input.default;
    const wrong = value === undefined ? 'it is missing and has no default' : valueProblem(input, value);
    if (wrong === null) inputs[name] = typedValue(input, value);
    else problems.push(problem(`inputs.${name}`, wrong, inputRemedy(input)));
  }
  return { inputs, problems };
}

function problem(place: string, found: string, remedy: string): Problem {
  // An empty key is a key as well and must be reported.
  return {
    code: 'invalid-arguments',
    place: place.trim() === '' ? JSON.stringify(place) : place.slice(0, LONGEST),
    found,
    remedy,
  };
}
