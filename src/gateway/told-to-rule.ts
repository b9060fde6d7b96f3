/** An alarm in the form that rules take: matched, and no longer than the rule keeps, whatever a sender lets through. */
import { createHash } from 'node:crypto';
import { UNMATCHED, type Alarm, type RuleAlarm } from '../domain/alarms/alarm.js';
import { LONGEST } from '../domain/alarms/alarm-rule-checks.js';
import { clipped, jsonBytes } from '../domain/text/json-bytes.js';
import { mayKnowFiring, ruleFor, startOf, type AlarmRule } from './match-alarm.js';
import { holdsUrl, withoutUrls } from './without-urls.js';

export interface ToldBy {
  readonly owner: string;
  readonly rules: readonly AlarmRule[];
  readonly receivedAtMs: number;
}

export interface Told {
  /** Its name, or `UNMATCHED`. */
  readonly rule: string;
  readonly told: RuleAlarm;
}

/** First the rule that takes it. A resolved alarm is told to each other rule as well that may know its firing. */
export function toldToRules(alarm: Alarm, { owner, rules, receivedAtMs }: ToldBy): [Told, ...Told[]] {
  const found = ruleFor(alarm, rules);
  const { sender, name, status, episode, incident, atMs, saidAtMs, summary } = alarm;
  const same = {
    sender,
    name: clipped(withoutUrls(name), LONGEST.name),
    status,
    // Only shown: what tells one from another is its hash.
    episode: holdsUrl(episode) ? hashOf([episode]) : shortId(episode),
    // A sender speaks for its own alarms only: another's id, spelled alike, is another incident.
    incident: shortId(JSON.stringify([sender, incident])),
    atMs,
    ...(saidAtMs === undefined ? {} : { saidAtMs }),
    summary: clipped(withoutUrls(summary), LONGEST.line),
    receivedAtMs,
  };
  const tell = (rule: string, more: Pick<RuleAlarm, 'start' | 'onlyIfKnown'>): Told => ({
    rule,
    told: { ...same, episodeHash: hashOf([owner, rule, sender, episode]), ...more },
  });
  const others = rules.filter((rule) => status === 'resolved' && rule !== found && mayKnowFiring(alarm, rule));
  const elsewhere = { start: { problem: 'its labels lead elsewhere' }, onlyIfKnown: true };
  return [
    tell(found?.name ?? UNMATCHED, { start: startToTell(alarm, found) }),
    ...others.map((rule) => tell(rule.name, elsewhere)),
  ];
}

function startToTell(alarm: Alarm, rule: AlarmRule | null): RuleAlarm['start'] {
  const start = rule === null ? { problem: 'no rule takes it' } : startOf(alarm, rule);
  return 'problem' in start ? { problem: clipped(start.problem, LONGEST.line) } : start;
}

/** Ids are compared, never shortened: two long ones may differ at their ends. */
function shortId(id: string): string {
  return jsonBytes(id) <= LONGEST.id ? id : hashOf([id]);
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
