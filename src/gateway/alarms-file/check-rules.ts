/** Checks the rules of an alarms file beyond their shape, before any alarm arrives. */
import { fillIn, isBrokenExpression, namesUsed } from '../../domain/runbook/interpolate.js';
import { didYouMean } from '../../domain/text/suggest.js';
import type { Runbook } from '../../domain/runbook/runbook.js';
import { readInputs } from '../../domain/plan/start-arguments.js';
import type { RunbookLookup } from '../../runbooks/lookups.js';
import { emergencyProblems, problemsOfLookup } from '../../runbooks/lookups.js';
import type { PathProblem } from '../../yaml/yaml-document.js';
import type { RuleEntry } from './schema.js';
import { isWithin, labelNamed } from '../match-alarm.js';

/** What a rule refers to. */
export interface RuleReferences {
  readonly runbook: RunbookLookup;
  /** Names of the senders in the file. */
  readonly senders: readonly string[];
}

/** All problems of one rule, with paths relative to the rule. */
export function checkRule(rule: RuleEntry, { runbook, senders }: RuleReferences): PathProblem[] {
  return [
    ...checkWhen(rule, senders),
    ...checkTarget(rule),
    ...(runbook.kind === 'found' ? checkRunbook(runbook.runbook, rule) : problemsOfLookup(rule.runbook, runbook)),
    ...checkExpressions(rule.inputs, ['inputs']),
  ];
}

function checkRunbook(runbook: Runbook, { inputs }: RuleEntry): PathProblem[] {
  const remedy = 'Start another runbook, and let a person decide about this one';
  return [...emergencyProblems(runbook, remedy), ...checkInputs(runbook, inputs)];
}

function checkWhen({ when }: RuleEntry, senders: readonly string[]): PathProblem[] {
  if (Object.keys(when).length === 0) {
    const remedy = 'Name at least one label and its value, such as alertname: InstanceHangs';
    return [{ code: 'matches-everything', path: ['when'], found: 'without conditions it matches every alarm', remedy }];
  }
  return valuesOf(when['sender'])
    .filter((name) => !senders.includes(name))
    .map((name) => ({
      code: 'unknown-sender',
      path: ['when', 'sender'],
      found: `there is no sender "${name.slice(0, 80)}"`,
      remedy: `Use one of: ${senders.join(', ')}.${didYouMean(name, senders)}`,
    }));
}

/** The values of one condition, as a list. */
export function valuesOf(condition: string | readonly string[] | undefined): readonly string[] {
  if (condition === undefined) return [];
  return typeof condition === 'string' ? [condition] : condition;
}

/** Placeholder for the value of any label. A constant cannot contain it, because no YAML text does. */
const ANY = '\u0000';

function checkTarget({ target, within }: RuleEntry): PathProblem[] {
  const broken = checkExpressions(target, ['target']);
  if (broken.length > 0) return broken;
  const parts = String(fillIn(target, () => ANY)).split('/');
  if (parts.length !== 3 || parts.some((part) => part === '' || /[\s*]/.test(part))) {
    const remedy = 'Write application/component/instance, as in shop/${{ labels.component }}/${{ labels.instance }}';
    return [{ code: 'invalid-target', path: ['target'], found: `"${target.slice(0, 200)}" is not a target`, remedy }];
  }
  const constant = (pattern: string) => pattern.split('/').map((part, index) => openPart(parts[index] ?? '', part));
  if (within.some((pattern) => isWithin(constant(pattern).join('/'), pattern))) return [];
  return [
    {
      code: 'target-not-allowed',
      path: ['within'],
      found: `no alarm can make ${target.slice(0, 200)} a target within ${within.join(', ').slice(0, 200)}`,
      remedy: 'Change target or within so that they match',
    },
  ];
}

/** A part with labels in it is assumed to match. */
function openPart(part: string, wanted: string): string {
  return part.includes(ANY) ? wanted : part;
}

function checkExpressions(value: unknown, path: PathProblem['path']): PathProblem[] {
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, item]) => checkExpressions(item, [...path, key]));
  const remedy = 'Write ${{ labels.name }}; nothing else is allowed there';
  if (isBrokenExpression(value))
    return [{ code: 'broken-expression', path, found: 'an expression does not end, or is too long', remedy }];
  return namesUsed(value)
    .filter((name) => labelNamed(name) === null)
    .map((name) => ({ code: 'unknown-name', path, found: `\${{ ${name.slice(0, 80)} }} is unknown here`, remedy }));
}

/** Checks constant inputs. The run checks those that labels fill in. */
function checkInputs(runbook: Runbook, inputs: RuleEntry['inputs']): PathProblem[] {
  const constants = Object.entries(inputs).filter(
    ([name, value]) => !(Object.hasOwn(runbook.inputs, name) && namesUsed(value).length > 0),
  );
  const open = Object.keys(inputs).filter((name) => !constants.some(([constant]) => constant === name));
  return readInputs(runbook, Object.fromEntries(constants))
    .problems.filter(({ place }) => !open.some((name) => place === `inputs.${name}`))
    .map(({ place, found, remedy }) => ({
      code: 'invalid-input',
      path: ['inputs', place.slice('inputs.'.length)],
      found: `${place}: ${found}`,
      remedy,
    }));
}

/** Finds rules that can never match, because an earlier rule matches all their alarms. Paths are relative to the file. */
export function checkOrder(rules: readonly (readonly [string, RuleEntry])[]): PathProblem[] {
  return rules.flatMap(([name, { when }], index) => {
    const earlier = rules.slice(0, index).find(([, other]) => matchesAllOf(other.when, when));
    if (earlier === undefined) return [];
    const found = `the earlier rule ${earlier[0]} matches all its alarms`;
    const remedy = 'Put the narrower rule first, or remove one of them';
    return [{ code: 'unreachable-rule', path: ['rules', name], found, remedy, onKey: true as const }];
  });
}

function matchesAllOf(wider: RuleEntry['when'], narrower: RuleEntry['when']): boolean {
  return (
    Object.keys(wider).length > 0 &&
    Object.entries(wider).every(([label, values]) => {
      const wanted = valuesOf(narrower[label]);
      return wanted.length > 0 && wanted.every((value) => valuesOf(values).includes(value));
    })
  );
}
