/** Which rule matches an alarm, and what run it would start. Pure: the gateway, its dry run and `runbook alarm try` share it. */
import type { Alarm, AlarmStart, Brakes } from '../domain/alarms/alarm.js';
import { LONGEST } from '../domain/alarms/alarm-rule-checks.js';
import { fillIn, namesUsed } from '../domain/runbook/interpolate.js';
import { jsonBytes } from '../domain/text/json-bytes.js';

/** A rule of an alarms file, checked. */
export interface AlarmRule {
  readonly name: string;
  /** Label → the values that match. `sender` is the sender of the alarm, never a label. */
  readonly when: Readonly<Record<string, readonly string[]>>;
  readonly runbook: string;
  /** May contain `${{ labels.x }}`. */
  readonly target: string;
  /** Patterns `application/component/instance`, in which `*` matches one whole part. */
  readonly within: readonly string[];
  /** Strings may contain `${{ labels.x }}`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly brakes: Brakes;
}

/** The first rule of the file that matches. */
export function ruleFor(alarm: Alarm, rules: readonly AlarmRule[]): AlarmRule | null {
  return rules.find((rule) => unmetConditions(alarm, rule).length === 0) ?? null;
}

/** True if the rule may know a firing of the resolved alarm: the firing may have had other labels, or the rule may have been edited since. */
export function mayKnowFiring({ sender }: Alarm, { when }: AlarmRule): boolean {
  return when['sender']?.includes(sender) ?? true;
}

/** The conditions that the alarm does not meet, each as a sentence; empty if the rule matches. */
export function unmetConditions(alarm: Alarm, rule: AlarmRule): string[] {
  return Object.entries(rule.when).flatMap(([label, values]) => {
    const value = label === 'sender' ? alarm.sender : labelOf(alarm, label);
    if (value !== null && values.includes(value)) return [];
    return [`${label} is ${value === null ? 'missing' : `"${value}"`}, not ${values.join(' or ')}`];
  });
}

/** The run that the alarm would start, or why its labels make none. Labels are untrusted text, so only a plain name may go into a target. */
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
  const notPlain = labelsIn(target).find((label) => !PLAIN_NAME.test(labelOf(alarm, label) ?? ''));
  if (notPlain !== undefined) return `the label "${notPlain}" is not a plain name, so it cannot be part of a target`;
  const filled = String(fillIn(target, (name) => labelOf(alarm, labelNamed(name) ?? '')));
  return within.some((pattern) => isWithin(filled, pattern))
    ? null
    : `the target ${filled} is not within ${within.join(', ')}`;
}

/** What a label may put into a target: no slash, star, space or other special character. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** True if the target matches the pattern. */
export function isWithin(target: string, pattern: string): boolean {
  const parts = target.split('/');
  const wanted = pattern.split('/');
  return parts.length === wanted.length && wanted.every((part, index) => part === '*' || part === parts[index]);
}

/** `labels.x` → `x`; `null` for any other name. */
export function labelNamed(name: string): string | null {
  return name.startsWith('labels.') && name.length > 'labels.'.length ? name.slice('labels.'.length) : null;
}

/** The labels that a value uses, in their order. */
function labelsIn(value: unknown): string[] {
  return namesUsed(value).flatMap((name) => labelNamed(name) ?? []);
}

function labelOf({ labels }: Alarm, name: string): string | null {
  return Object.hasOwn(labels, name) ? (labels[name] ?? null) : null;
}
