/** One fault in the start arguments is one problem: its consequences are not reported, and each remedy fits. */
import { describe, expect, it } from 'vitest';
import { readInputs, readStartArguments } from '../../../src/domain/plan/start-arguments.js';
import { parseRunbook } from '../../../src/runbooks/catalogue.js';
import { ACTIONS, ACTION_NAMES, type ActionName } from '../../../src/domain/target/actions.js';
import { planSteps } from '../../../src/domain/plan/plan-steps.js';
import { DEFAULT_VERIFY } from '../../../src/domain/runbook/runbook-checks.js';
import type { Runbook } from '../../../src/domain/runbook/runbook.js';
import { anObservation } from '../../support/build.js';

const runbook = parseRunbook(
  `name: x
title: t
inputs:
  calm: { type: duration, default: 5s }
  replica: { type: integer, minimum: 1, description: How many }
  most: { type: integer, maximum: 9, default: 3 }
  version: { type: string, minLength: 1, maxLength: 40, default: "1.4.0" }
  mode: { type: string, enum: [fast, slow], default: fast }
  sure: { type: boolean, default: true }
steps:
  - wait: '\${{ inputs.calm }}'
  - action: scale
    with: { replica: '\${{ inputs.replica }}' }
    compensation: { action: scale, with: { replica: '\${{ inputs.most }}' } }
  - action: rollback
    with: { version: '\${{ inputs.version }}' }
    compensation: { irreversible: y }
  - action: rollback
    with: { version: '\${{ inputs.mode }}-\${{ inputs.sure }}' }
    compensation: { irreversible: y }
`,
  'x.yaml',
) as Runbook;

const usualDurationsMs = Object.fromEntries(
  ACTION_NAMES.map((name) => [name, ACTIONS[name].usualDurationMs]),
) as Record<ActionName, number>;
const target = {
  path: 'a/b/c',
  instanceId: 'i',
  applicationId: 'a',
  componentId: 'b',
  environmentId: 'e',
  platformType: 'cce',
};

function problemsOf(given: Record<string, unknown>): string[] {
  const { inputs, problems } = readInputs(runbook, given);
  const facts = { target, seen: anObservation(), snapshotVersions: ['1.4.0', 'fast-true'] };
  const rules = { inputs, usualDurationsMs, verify: DEFAULT_VERIFY, refusalOfUrl: () => null };
  const planned = planSteps(runbook, facts as never, rules);
  return [...problems, ...planned.problems].map(({ place, found, remedy }) => `${place}: ${found}. ${remedy}`);
}

describe('an input', () => {
  it('that is valid is not reported', () => {
    expect(problemsOf({ replica: '4' })).toEqual([]);
  });

  it.each([
    [{ calm: 'soon' }, /^inputs\.calm: .* Give a duration such as 90s or 5m$/],
    [{ replica: '0' }, /^inputs\.replica: 0 is less than 1\. Give 1 or more: How many$/],
    [{ replica: 'zero' }, /^inputs\.replica: "zero" is not an integer\. Give 1 or more: How many$/],
    [{ replica: undefined }, /^inputs\.replica: it is missing and has no default\. Give 1 or more: How many$/],
    [{ most: '12' }, /^inputs\.most: 12 is more than 9\. Give at most 9$/],
    [{ version: '' }, /^inputs\.version: .*\. Give text of 1 to 40 characters$/],
    [{ mode: 'medium' }, /^inputs\.mode: "medium" is none of fast, slow\. Give one of fast, slow$/],
    [{ sure: 'perhaps' }, /^inputs\.sure: .*\. Give true or false$/],
  ])('that is refused (%j) is one problem, and no step is judged by it', (given, wanted) => {
    const problems = problemsOf(JSON.parse(JSON.stringify({ replica: 2, ...given })) as Record<string, unknown>);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(wanted);
  });
});

describe('start arguments', () => {
  it.each([
    [{ reason: '' }, 'reason: empty text does not fit. Write at least one character, or leave it out'],
    [{ reason: 'x'.repeat(1_001) }, 'Give at most 1000 characters'],
    [{ requestedBy: 7 }, 'requestedBy: 7 does not fit. Write text'],
    [{ dryRun: 'yes' }, 'dryRun: "yes" does not fit. Write true or false'],
    [{ window: { duration: 'banana' } }, 'window.duration: "banana" does not fit. Write a number and a unit'],
    [{ window: '2h' }, 'Write keys and values, as in {"duration": "2h"}'],
    [{ window: {} }, 'window.duration: "window.duration" is missing. Write a number and a unit'],
    [{ freeze: 'prod' }, 'freeze: "prod" does not fit. Write a list of names of calendars'],
    [{ inputs: [] }, 'inputs: an empty list does not fit. Write keys and values'],
    [{ targets: 'a/b/c' }, 'targets: "a/b/c" does not fit. Write a list of text'],
  ])('%j are reported in our own words, not those of zod', (more, wanted) => {
    const { problems } = readStartArguments({ targets: ['a/b/c'], ...more });
    expect(problems).toHaveLength(1);
    const text = problems.map(({ place, found, remedy }) => `${place}: ${found}. ${remedy}`).join();
    expect(text).toContain(wanted);
    expect(text).not.toMatch(/expected|Invalid|Too /);
  });
});
