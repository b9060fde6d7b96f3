/** An alarm in the form that its rule takes: matched, and no longer than the rule keeps, whatever a sender lets through. */
import { createHash } from 'node:crypto';
import { UNMATCHED, type Alarm, type RuleAlarm } from '../domain/alarm.js';
import { jsonBytes, LONGEST } from '../domain/alarm-rule-checks.js';
import { ruleFor, startOf, type AlarmRule } from './match-alarm.js';
import { holdsUrl, withoutUrls } from './without-urls.js';

export interface ToldBy {
  readonly owner: string;
  readonly rules: readonly AlarmRule[];
  readonly receivedAtMs: number;
}

/** With the name of the rule that takes it, or `UNMATCHED`. */
export function toldToRule(
  alarm: Alarm,
  { owner, rules, receivedAtMs }: ToldBy,
): { readonly rule: string; readonly told: RuleAlarm } {
  const found = ruleFor(alarm, rules);
  const rule = found?.name ?? UNMATCHED;
  const start = found === null ? { problem: 'no rule takes it' } : startOf(alarm, found);
  const { sender, name, status, episode, incident, atMs, summary } = alarm;
  const told: RuleAlarm = {
    sender,
    name: clipped(withoutUrls(name), LONGEST.name),
    status,
    // Only shown: what tells one from another is its hash.
    episode: holdsUrl(episode) ? hashOf([episode]) : shortId(episode),
    // A sender speaks for its own alarms only: another's id, spelled alike, is another incident.
    incident: shortId(JSON.stringify([sender, incident])),
    atMs,
    summary: clipped(withoutUrls(summary), LONGEST.line),
    receivedAtMs,
    episodeHash: hashOf([owner, rule, sender, episode]),
    start: 'problem' in start ? { problem: clipped(start.problem, LONGEST.line) } : start,
  };
  return { rule, told };
}

/** Ids are compared, never shortened: two long ones may differ at their ends. */
function shortId(id: string): string {
  return jsonBytes(id) <= LONGEST.id ? id : hashOf([id]);
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** By bytes, as the rule counts them. */
export function clipped(text: string, longest: number): string {
  const characters = Array.from(text);
  while (jsonBytes(characters.join('')) > longest) characters.length = Math.floor(characters.length * 0.9);
  return characters.join('');
}
