/** What is proved of a runbook when it is loaded, beyond its shape. Each check has a code and a remedy. */
import { longestCheckMs } from '../checks/check.js';
import { ACTIONS } from '../target/actions.js';
import { durationMs } from '../time/duration.js';
import { CHECK_STEP_CHECKS, checkCheckSteps, checkTimes } from './check-step-checks.js';
import { checkExpressions, checkRestores, EXPRESSION_CHECKS } from './expression-checks.js';
import { valueProblem } from './input-value.js';
import type { Input, Runbook, RunbookProblem } from './runbook.js';
import { isActionStep, isApprovalStep, isCheckStep, stepIds, type RunbookActionStep } from './step-shapes.js';
import { isReservedName } from './names.js';

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
  ...CHECK_STEP_CHECKS,
  ...EXPRESSION_CHECKS,
  'impossible-rule': 'An input has a value that fits it: no minimum above its maximum',
  'invalid-default': 'The default of an input fits its own rules',
  'duplicate-freeze': 'No calendar is named twice',
  'empty-guard': 'Every key under `guards` has a value: no empty `guards`, `window` or `freeze`',
  'needs-approval': 'A runbook with `risk: high` asks for an approval before its first action',
  'emergency-is-not-guarded': 'A runbook with `emergency` has no guards and no approvals: it would wait for them',
  'deadline-too-short': 'A step has time for its verification, and the run for its steps',
} as const;
type CheckCode = keyof typeof RUNBOOK_CHECKS;

/** Proves what the shape of a runbook cannot. @param fileName the last part of its path */
export function checkRunbook(runbook: Runbook, fileName: string): RunbookProblem[] {
  return [
    ...checkName(runbook, fileName),
    ...checkSteps(runbook),
    ...checkCheckSteps(runbook),
    ...checkExpressions(runbook),
    ...checkRestores(runbook),
    ...checkDefaults(runbook),
    ...checkGuards(runbook),
    ...checkRisk(runbook),
    ...checkDeadlines(runbook),
  ];
}

function problem(code: CheckCode, path: RunbookProblem['path'], found: string, remedy: string): RunbookProblem {
  return { code, path, found, remedy };
}

function checkName({ name }: Runbook, fileName: string): RunbookProblem[] {
  const problems: RunbookProblem[] = [];
  const expected = fileName.replace(/\.ya?ml$/i, '');
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
          `the id "${id}" appears twice`,
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

function checkDefaults({ inputs }: Runbook): RunbookProblem[] {
  return Object.entries(inputs).flatMap(([name, input]) => {
    // Nothing fits it, so neither does the default: that is the same fault.
    const impossible = impossibleRule(input);
    if (impossible !== null)
      return [problem('impossible-rule', ['inputs', name], impossible, 'Exchange the two, or take one out')];
    const wrong = input.default === undefined ? null : valueProblem(input, input.default);
    return wrong === null
      ? []
      : [problem('invalid-default', ['inputs', name, 'default'], wrong, 'Fix the default or the rule')];
  });
}

function impossibleRule(input: Input): string | null {
  const [least, most] =
    input.type === 'integer'
      ? [input.minimum, input.maximum]
      : input.type === 'string'
        ? [input.minLength, input.maxLength]
        : [];
  return least !== undefined && most !== undefined && least > most ? `${least} at least and ${most} at most` : null;
}

function checkRisk({ risk, guards, steps, emergency }: Runbook): RunbookProblem[] {
  if (emergency === true) return emergencyWaits(guards, steps);
  const first = steps.find((step) => isActionStep(step) || isApprovalStep(step));
  if (risk !== 'high' || guards?.approval !== undefined || first === undefined || isApprovalStep(first)) return [];
  return [
    problem(
      'needs-approval',
      ['risk'],
      'risk: high without an approval before the first action',
      'Write guards: { approval: { need: 1 } }, or begin with a step - approval: {}',
    ),
  ];
}

function emergencyWaits(guards: Runbook['guards'], steps: Runbook['steps']): RunbookProblem[] {
  const code = 'emergency-is-not-guarded';
  const approval = steps.findIndex(isApprovalStep);
  return [
    ...(guards === undefined
      ? []
      : [problem(code, ['guards'], 'an emergency waits for no guard', 'Take guards or emergency out')]),
    ...(approval < 0
      ? []
      : [
          problem(
            code,
            ['steps', approval],
            'an emergency waits for no approval',
            'Take the approval or emergency out',
          ),
        ]),
  ];
}

/** Only what is useless whatever a start brings: `cutoff` and `waitAtMost` alone wait for its window or its freezes. */
function checkGuards({ guards }: Runbook): RunbookProblem[] {
  const names = guards?.freeze ?? [];
  const twice = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [problem('duplicate-freeze', ['guards', 'freeze', index], `"${name}" appears twice`, 'Name it once')],
  );
  return [...twice, ...emptyGuards(guards)];
}

function emptyGuards(guards: Runbook['guards']): RunbookProblem[] {
  if (guards === undefined) return [];
  const empty = (path: string[], what: string, remedy: string) =>
    problem('empty-guard', ['guards', ...path], `${what}, so it guards nothing`, remedy);
  const { window, freeze } = guards;
  return [
    ...(Object.keys(guards).length === 0
      ? [
          empty(
            [],
            'it is empty',
            'Write approval, window.cutoff, window.fit, freeze or waitAtMost, or take guards out',
          ),
        ]
      : []),
    ...(window !== undefined && Object.keys(window).length === 0
      ? [
          empty(
            ['window'],
            'it is empty',
            'Write cutoff: 30m or fit: false, or take it out; the window itself comes with a start',
          ),
        ]
      : []),
    ...(freeze?.length === 0
      ? [empty(['freeze'], 'it names no calendar', 'Name calendars of RUNBOOK_CALENDARS, or take it out')]
      : []),
  ];
}

function checkDeadlines({ steps, deadline }: Runbook): RunbookProblem[] {
  const problems: RunbookProblem[] = [];
  let sumMs = 0;
  for (const [index, step] of steps.entries()) {
    if (isCheckStep(step)) {
      sumMs += longestCheckMs(checkTimes(step));
      continue;
    }
    if (isApprovalStep(step)) continue;
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

/** How long a desired state may take and must hold, where the runbook does not say. Milliseconds. */
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
