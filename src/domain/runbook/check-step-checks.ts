/** What is proved of the steps `check` of a runbook when it is loaded, and their times. */
import { DEFAULT_CHECK_TIMES, MOST_OF_CHECK, type HttpCheck } from '../checks/check.js';
import { parseJsonPath } from '../checks/json-path.js';
import { durationMs } from '../time/duration.js';
import type { Runbook, RunbookProblem } from './runbook.js';
import { isCheckStep, type RunbookCheckStep } from './step-shapes.js';

/** A part of `RUNBOOK_CHECKS`. */
export const CHECK_STEP_CHECKS = {
  'invalid-check': 'A check names headers and JSON paths as they can be, and not too many of them',
  'before-stops': 'A check with `before: true` has no `onFailure`: if it fails, nothing is begun',
} as const;

function problem(
  code: keyof typeof CHECK_STEP_CHECKS,
  path: RunbookProblem['path'],
  found: string,
  remedy: string,
): RunbookProblem {
  return { code, path, found, remedy };
}

/** Checks names and numbers of what each check wants. */
export function checkCheckSteps({ steps }: Runbook): RunbookProblem[] {
  return steps.flatMap((step, index) => {
    if (!isCheckStep(step)) return [];
    const path = ['steps', index, 'check'];
    const { header = {}, json = {} } = step.check;
    const stops =
      step.before === true && step.onFailure !== undefined
        ? [
            problem(
              'before-stops',
              ['steps', index, 'onFailure'],
              'nothing is begun if this check fails',
              'Take it out',
            ),
          ]
        : [];
    return [
      ...stops,
      ...wrongNames(header, (name) => HEADER_NAME.test(name), [...path, 'header'], 'the name of a header', 'x-version'),
      ...sameHeaders(header, [...path, 'header']),
      ...tooMany(header, MOST_OF_CHECK.headers, [...path, 'header'], 'headers'),
      ...wrongNames(json, (name) => parseJsonPath(name) !== null, [...path, 'json'], 'a path', 'data.items[0].state'),
      ...tooMany(json, MOST_OF_CHECK.paths, [...path, 'json'], 'paths'),
    ];
  });
}

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,100}$/;

function wrongNames(
  map: Readonly<Record<string, unknown>>,
  fits: (name: string) => boolean,
  path: RunbookProblem['path'],
  noun: string,
  example: string,
): RunbookProblem[] {
  return Object.keys(map)
    .filter((name) => !fits(name))
    .map((name) =>
      problem('invalid-check', [...path, name], `"${name.slice(0, 80)}" is not ${noun}`, `Write it such as ${example}`),
    );
}

/** Headers have no case, so that the second of two would silently replace the first. */
function sameHeaders(header: Readonly<Record<string, unknown>>, path: RunbookProblem['path']): RunbookProblem[] {
  const names = Object.keys(header).map((name) => name.toLowerCase());
  return Object.keys(header)
    .filter((_name, index) => names.indexOf(names[index] ?? '') < index)
    .map((name) => problem('invalid-check', [...path, name], `the header ${name} appears twice`, 'Name it once'));
}

function tooMany(
  map: Readonly<Record<string, unknown>>,
  most: number,
  path: RunbookProblem['path'],
  noun: string,
): RunbookProblem[] {
  const count = Object.keys(map).length;
  return count <= most ? [] : [problem('invalid-check', path, `it has ${count} ${noun}`, `Name at most ${most}`)];
}

/** A check's times in milliseconds, defaults filled in. */
export function checkTimes({ check }: RunbookCheckStep): Pick<HttpCheck, 'withinMs' | 'stableMs' | 'timeoutMs'> {
  const { within, stable, timeout } = check;
  return {
    withinMs: durationMs(within ?? '') ?? DEFAULT_CHECK_TIMES.withinMs,
    stableMs: durationMs(stable ?? '') ?? DEFAULT_CHECK_TIMES.stableMs,
    timeoutMs: durationMs(timeout ?? '') ?? DEFAULT_CHECK_TIMES.timeoutMs,
  };
}
