/** Which rules an alarm goes to, in the form that a rule accepts: matched, without links, and within the lengths that a rule keeps. */
import { createHash } from 'node:crypto';
import { UNMATCHED, type Alarm, type AlarmNote, type RuleAlarm } from '../domain/alarms/alarm.js';
import { LONGEST } from '../domain/alarms/alarm-rule-checks.js';
import { clipped, jsonBytes } from '../domain/text/json-bytes.js';
import { mayKnowFiring, ruleFor, startOf, type AlarmRule } from './match-alarm.js';
import { holdsUrl, oneLine, redactUrls } from './senders/alarm-values.js';

/** What routing depends on besides the alarm. */
export interface Routing {
  readonly owner: string;
  readonly rules: readonly AlarmRule[];
  /** Epoch milliseconds. */
  readonly receivedAtMs: number;
}

/** An alarm on its way to one rule. */
export interface RoutedAlarm {
  /** Name of the rule, or `UNMATCHED`. */
  readonly rule: string;
  readonly alarm: RuleAlarm;
}

/** The rule that matches the alarm, first; for a resolved alarm, also every other rule that may know a firing of the problem. */
export function routeToRules(alarm: Alarm, { owner, rules, receivedAtMs }: Routing): [RoutedAlarm, ...RoutedAlarm[]] {
  const found = ruleFor(alarm, rules);
  const { sender, name, status, episode, incident, atMs, saidAtMs, summary } = alarm;
  const common = {
    sender,
    name: clipped(redactUrls(name), LONGEST.name),
    status,
    // Only for display: the hash identifies the firing.
    episode: holdsUrl(episode) ? hashOf([episode]) : shortId(episode),
    // With the sender, because two senders may use the same id for different problems.
    incident: shortId(JSON.stringify([sender, incident])),
    atMs,
    ...(saidAtMs === undefined ? {} : { saidAtMs }),
    summary: clipped(redactUrls(summary), LONGEST.line),
    receivedAtMs,
  };
  const routed = (rule: string, more: Pick<RuleAlarm, 'start' | 'onlyIfKnown'>): RoutedAlarm => ({
    rule,
    alarm: { ...common, episodeHash: hashOf([owner, rule, sender, episode]), ...more },
  });
  const others = rules.filter((rule) => status === 'resolved' && rule !== found && mayKnowFiring(alarm, rule));
  const elsewhere = { start: { problem: 'another rule matches it' }, onlyIfKnown: true };
  return [
    routed(found?.name ?? UNMATCHED, { start: boundedStart(alarm, found) }),
    ...others.map((rule) => routed(rule.name, elsewhere)),
  ];
}

/** A note of a delivery in the form that the log of a rule keeps. */
export function noteForLog(sender: string, text: string, receivedAtMs: number): AlarmNote {
  return { sender, text: clipped(redactUrls(oneLine(text)), LONGEST.line), receivedAtMs };
}

function boundedStart(alarm: Alarm, rule: AlarmRule | null): RuleAlarm['start'] {
  const start = rule === null ? { problem: 'no rule matches it' } : startOf(alarm, rule);
  return 'problem' in start ? { problem: clipped(start.problem, LONGEST.line) } : start;
}

/** Hashes a long id instead of clipping it, because two long ids may differ only at their ends. */
function shortId(id: string): string {
  return jsonBytes(id) <= LONGEST.id ? id : hashOf([id]);
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
