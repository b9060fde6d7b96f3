/** What an alarm would start, and why or why not, without calling a server: for the dry run and `runbook alarm try`. */
import type { Alarm, AlarmStart, Brakes } from '../domain/alarms/alarm.js';
import { describeDuration } from '../domain/time/duration.js';
import { ruleFor, startOf, unmetConditions, type AlarmRule } from './match-alarm.js';

/** What would be decided about an alarm. */
export interface AlarmPreview {
  readonly alarm: string;
  readonly status: Alarm['status'];
  /** What rules match on. */
  readonly labels: Alarm['labels'];
  readonly rule: string | null;
  /** `null` if it would start nothing. */
  readonly start: AlarmStart | null;
  readonly why: string;
  /** What may still hold the start back, which only the server knows. */
  readonly brakes: readonly string[];
  /** Rules before the one that matches, and the conditions that each of them does not meet. */
  readonly passedOver: readonly { readonly rule: string; readonly unmet: readonly string[] }[];
}

/** Previews one alarm. */
export function previewAlarm(alarm: Alarm, rules: readonly AlarmRule[]): AlarmPreview {
  const rule = ruleFor(alarm, rules);
  const { name, status, labels } = alarm;
  const tried = rule === null ? rules : rules.slice(0, rules.indexOf(rule));
  const passedOver = tried.map((each) => ({ rule: each.name, unmet: unmetConditions(alarm, each) }));
  const seen = { alarm: name, status, labels, rule: rule?.name ?? null, passedOver };
  if (status === 'resolved') return { ...seen, start: null, why: whyResolved(rule), brakes: [] };
  if (rule === null) return { ...seen, start: null, why: 'no rule matches it', brakes: [] };
  const start = startOf(alarm, rule);
  if ('problem' in start) return { ...seen, start: null, why: `would start nothing: ${start.problem}`, brakes: [] };
  const brakes = describeBrakes(rule.brakes);
  const why = `would start ${start.runbook} on ${start.target} unless a brake holds: ${brakes.join('; ')}`;
  return { ...seen, start, why, brakes };
}

function whyResolved(rule: AlarmRule | null): string {
  if (rule === null) return 'no rule matches it; a rule that knows its firing is informed all the same';
  const { onResolved, debounceMs } = rule.brakes;
  const effects = [
    ...(debounceMs > 0 ? ['a start that waits is called off'] : []),
    ...(onResolved === 'withdraw' ? ['a run that has not begun a target is cancelled'] : []),
  ];
  return `resolved, so it would start nothing${effects.length === 0 ? '' : `; ${effects.join(', ')}`}`;
}

/** In the order in which they are checked. */
function describeBrakes({ debounceMs, coolDownMs, atMost, atOnce }: Brakes): string[] {
  return [
    'one run per firing',
    'no other run on the target',
    ...(coolDownMs > 0 ? [`no run on the target ended less than ${describeDuration(coolDownMs)} ago`] : []),
    ...(atMost === null ? [] : [`at most ${atMost.runs} in ${describeDuration(atMost.withinMs)}`]),
    ...(atOnce === null ? [] : [`at most ${atOnce} at once`]),
    ...(debounceMs > 0 ? [`it keeps firing for ${describeDuration(debounceMs)}`] : []),
  ];
}
