/** What an alarm would start, and why or why not, without asking anybody: for the dry run and `runbook alarm try`. */
import type { Alarm, AlarmStart, Brakes } from '../domain/alarms/alarm.js';
import { describeDuration } from '../domain/time/duration.js';
import { ruleFor, startOf, unmetConditions, type AlarmRule } from './match-alarm.js';

export interface AlarmPreview {
  readonly alarm: string;
  readonly status: Alarm['status'];
  /** As read; what rules match on. */
  readonly labels: Alarm['labels'];
  readonly rule: string | null;
  /** What a firing alarm would start; `null`: nothing. */
  readonly start: AlarmStart | null;
  readonly why: string;
  /** What may still hold the start back: only the server knows. */
  readonly brakes: readonly string[];
  /** Rules that do not take it, up to the one that does, and what keeps each from it. */
  readonly passedOver: readonly { readonly rule: string; readonly unmet: readonly string[] }[];
}

export function previewAlarm(alarm: Alarm, rules: readonly AlarmRule[]): AlarmPreview {
  const rule = ruleFor(alarm, rules);
  const { name, status, labels } = alarm;
  const tried = rule === null ? rules : rules.slice(0, rules.indexOf(rule));
  const passedOver = tried.map((each) => ({ rule: each.name, unmet: unmetConditions(alarm, each) }));
  const seen = { alarm: name, status, labels, rule: rule?.name ?? null, passedOver };
  if (status === 'resolved') return { ...seen, start: null, why: whyResolved(rule), brakes: [] };
  if (rule === null) return { ...seen, start: null, why: 'no rule takes it', brakes: [] };
  const start = startOf(alarm, rule);
  if ('problem' in start) return { ...seen, start: null, why: `would start nothing: ${start.problem}`, brakes: [] };
  const brakes = describeBrakes(rule.brakes);
  const why = `would start ${start.runbook} on ${start.target} unless a brake holds: ${brakes.join('; ')}`;
  return { ...seen, start, why, brakes };
}

function whyResolved(rule: AlarmRule | null): string {
  if (rule === null) return 'no rule takes it; one that its firing went to is told all the same';
  const { onResolved, debounceMs } = rule.brakes;
  const effects = [
    ...(debounceMs > 0 ? ['a start that still waits is called off'] : []),
    ...(onResolved === 'withdraw' ? ['a run of it that has begun no target is cancelled'] : []),
  ];
  return `resolved, so it would start nothing${effects.length === 0 ? '' : `; ${effects.join(', ')}`}`;
}

/** In the order in which they are looked at. */
function describeBrakes({ debounceMs, coolDownMs, atMost, atOnce }: Brakes): string[] {
  return [
    'one run for one firing',
    'no other run on the target',
    ...(coolDownMs > 0 ? [`none within ${describeDuration(coolDownMs)} of the end of one on the target`] : []),
    ...(atMost === null ? [] : [`at most ${atMost.runs} in ${describeDuration(atMost.withinMs)}`]),
    ...(atOnce === null ? [] : [`at most ${atOnce} at once`]),
    ...(debounceMs > 0 ? [`it must fire for ${describeDuration(debounceMs)}`] : []),
  ];
}
