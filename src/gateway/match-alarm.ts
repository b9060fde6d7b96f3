/** Which rule takes an alarm, and what that would start. Pure: the same for the gateway, its dry run and `runbook alarm try`. */
import type { Alarm, AlarmStart, Brakes } from '../domain/alarms/alarm.js';
import { LONGEST } from '../domain/alarms/alarm-rule-checks.js';
import { fillIn, namesUsed } from '../domain/runbook/interpolate.js';
import { jsonBytes } from '../domain/text/json-bytes.js';

/** A rule of an alarms file, checked. */
export interface AlarmRule {
  readonly name: string;
  /** Label → the values that fit; `sender` is the alarm's sender, whatever its labels say. */
  readonly when: Readonly<Record<string, readonly string[]>>;
  readonly runbook: string;
  /** May hold `${{ labels.x }}`. */
  readonly target: string;
  /** Each `application/component/instance`, where `*` stands for one whole part. */
  readonly within: readonly string[];
  /** Text may hold `${{ labels.x }}`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly brakes: Brakes;
}

/** The first rule of the file that fits. */
export function ruleFor(alarm: Alarm, rules: readonly AlarmRule[]): AlarmRule | null {
  return rules.find((rule) => unmetConditions(alarm, rule).length === 0) ?? null;
}

/** The firing of a resolved alarm may have gone to the rule: under other labels, or when the rule read otherwise. */
export function mayKnowFiring({ sender }: Alarm, { when }: AlarmRule): boolean {
  return when['sender']?.includes(sender) ?? true;
}

/** What keeps the rule from taking the alarm, in words; none: it fits. */
export function unmetConditions(alarm: Alarm, rule: AlarmRule): string[] {
  return Object.entries(rule.when).flatMap(([label, values]) => {
    const value = label === 'sender' ? alarm.sender : labelOf(alarm, label);
    if (value !== null && values.includes(value)) return [];
    return [`${label} is ${value === null ? 'not there' : `"${value}"`}, not ${values.join(' or ')}`];
  });
}

/** The start, or why the labels make none. Values of labels are text of a stranger: what goes into a target must be a plain name. */
export function startOf(alarm: Alarm, rule: AlarmRule): AlarmStart | { readonly problem: string } {
  const problem = problemOf(alarm, rule);
  if (problem !== null) return { problem };
  const valueOf = (name: string) => labelOf(alarm, labelNamed(name) ?? '');
  const target = String(fillIn(rule.target, valueOf));
  const inputs = Object.fromEntries(
    Object.entries(rule.inputs).map(([name, value]) => [name, fillIn(value, valueOf)] as const),
  );
  const start: AlarmStart = { runbook: rule.runbook, target, arguments: { targets: [target], inputs } };
  if (jsonBytes(start) <= LONGEST.start && jsonBytes(target) <= LONGEST.target) return start;
  return { problem: `its labels make arguments of more than ${LONGEST.start} bytes` };
}

function problemOf(alarm: Alarm, { target, within, inputs }: AlarmRule): string | null {
  const labels = [target, ...Object.values(inputs)].flatMap(labelsIn);
  const missing = labels.find((label) => labelOf(alarm, label) === null);
  if (missing !== undefined) return `the alarm has no label "${missing}"`;
  const odd = labelsIn(target).find((label) => !PLAIN_NAME.test(labelOf(alarm, label) ?? ''));
  if (odd !== undefined) return `the label "${odd}" is no plain name, so it makes no target`;
  const made = String(fillIn(target, (name) => labelOf(alarm, labelNamed(name) ?? '')));
  return within.some((pattern) => isWithin(made, pattern))
    ? null
    : `the target ${made} is not within ${within.join(', ')}`;
}

/** What may stand in a target from a label: no slash, no star, no space, nothing that is special anywhere. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

export function isWithin(target: string, pattern: string): boolean {
  const parts = target.split('/');
  const wanted = pattern.split('/');
  return parts.length === wanted.length && wanted.every((part, index) => part === '*' || part === parts[index]);
}

/** `labels.x` → `x`; `null` for every other name. */
export function labelNamed(name: string): string | null {
  return name.startsWith('labels.') && name.length > 'labels.'.length ? name.slice('labels.'.length) : null;
}

/** Labels that a value takes, in the order they stand. */
function labelsIn(value: unknown): string[] {
  return namesUsed(value).flatMap((name) => labelNamed(name) ?? []);
}

function labelOf({ labels }: Alarm, name: string): string | null {
  return Object.hasOwn(labels, name) ? (labels[name] ?? null) : null;
}
