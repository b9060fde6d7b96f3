/** Webhooks of Prometheus Alertmanager. It signs nothing, so a token authenticates it. Only the status of each alert counts, not that of its group. */
import { z } from 'zod';
import type { Alarm } from '../../domain/alarms/alarm.js';
import { ID, idOf, Labels, MOST_ALARMS, Moment, oneLine, problemIn } from './alarm-values.js';
import { bearerCheck, refused } from './authentication.js';
import { parseJson } from './json-body.js';
import type { AlertmanagerSettings, Reading, Sender } from './sender.js';

/**
 * Only the fields that are used. `receiver` arrives escaped and `groupKey` changes with the configuration, so neither is.
 * Source: `notify/webhook` of Alertmanager 0.28. Grafana's own alerting sends the same shape as version 1.
 */
const Body = z.object({
  version: z.enum(['4', '1']),
  alerts: z.array(z.unknown()),
  truncatedAlerts: z.number().optional().catch(undefined),
});

const Alert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: Labels,
  annotations: z.record(z.string(), z.unknown()).catch({}),
  startsAt: Moment,
  /** A firing alert has Go's zero time here, which is read as none. */
  endsAt: Moment.nullable().catch(null),
  /** Hash of all labels. 16 hex digits from Alertmanager; other senders of this shape use other ids. */
  fingerprint: z.string().regex(ID),
});

const MOST_NOTES = 10;

interface Reader {
  readonly sender: string;
  readonly ignoreLabels: readonly string[];
  readonly receivedAtMs: number;
}

/** @throws Error without tokens */
export function alertmanagerSender(name: string, { tokens, ignoreLabels }: AlertmanagerSettings): Sender {
  const admits = bearerCheck(name, tokens);
  const readUnchecked = (body: Buffer, receivedAtMs: number) =>
    readBody(body, { sender: name, ignoreLabels, receivedAtMs });
  return {
    name,
    admits,
    read: async ({ headers, body, receivedAtMs }) => admits(headers) ?? readUnchecked(body, receivedAtMs),
    readUnchecked,
  };
}

function readBody(body: Buffer, reader: Reader): Reading {
  const parsed = parseJson(body);
  if (parsed.kind === 'refused') return parsed;
  const { data, error } = Body.safeParse(parsed.json);
  if (error !== undefined) {
    const needed = 'version "4" and a list of alerts are needed';
    return refused(400, 'unreadable', `not a body of Alertmanager: ${needed} (${problemIn(error)})`);
  }
  const { alerts, truncatedAlerts = 0 } = data;
  if (alerts.length > MOST_ALARMS) return refused(413, 'tooLarge', `more than ${MOST_ALARMS} alerts`);
  const alarms: Alarm[] = [];
  const skipped = new Map<string, number>();
  for (const each of alerts) {
    const alarm = readAlert(each, reader);
    if (typeof alarm === 'string') skipped.set(alarm, (skipped.get(alarm) ?? 0) + 1);
    else alarms.push(alarm);
  }
  const notes = notesOf(skipped, alerts.length);
  if (truncatedAlerts > 0)
    notes.push(`Alertmanager cut off ${truncatedAlerts} alerts (max_alerts), which are lost here`);
  return { kind: 'alarms', alarms: mergeReplicas(alarms), notes };
}

/** One note per problem, up to a limit: a sender can cause as many problems as it sends alerts. */
function notesOf(skipped: ReadonlyMap<string, number>, all: number): string[] {
  const problems = [...skipped];
  const shown = problems
    .slice(0, MOST_NOTES)
    .map(([problem, count]) => `${count} of ${all} alerts left out: ${problem}`);
  const others = problems.slice(MOST_NOTES).reduce((sum, [, count]) => sum + count, 0);
  return others === 0 ? shown : [...shown, `${others} of ${all} alerts left out: other problems`];
}

/** @returns the alarm, or the field that is wrong and why */
function readAlert(json: unknown, { sender, ignoreLabels, receivedAtMs }: Reader): Alarm | string {
  const { success, data, error } = Alert.safeParse(json);
  if (!success) return problemIn(error);
  const { status, labels, annotations, startsAt, endsAt } = data;
  const { alertname = '' } = labels;
  const fingerprint = ignoreLabels.length === 0 ? data.fingerprint : fingerprintWithout(ignoreLabels, labels);
  const { summary, description } = annotations;
  const text = [summary, description].find((each) => typeof each === 'string' && each !== '');
  return {
    sender,
    name: oneLine(alertname) || 'unnamed',
    status,
    episode: `${fingerprint} ${new Date(startsAt).toISOString()}`,
    incident: fingerprint,
    atMs: status === 'firing' ? startsAt : (endsAt ?? receivedAtMs),
    // Alertmanager keeps repeating the current state, and drops a message that it could not deliver when the group is due again.
    saidAtMs: receivedAtMs,
    labels,
    summary: oneLine(typeof text === 'string' ? text : alertname),
  };
}

function fingerprintWithout(ignored: readonly string[], labels: Readonly<Record<string, string>>): string {
  const counted = Object.entries(labels).filter(([name]) => !ignored.includes(name));
  return idOf(counted.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Merges what replicas report about one problem: it fires while any of them reports it, since the earliest start. */
function mergeReplicas(alarms: readonly Alarm[]): Alarm[] {
  const byIncident = new Map<string, Alarm>();
  for (const alarm of alarms) {
    const other = byIncident.get(alarm.incident);
    byIncident.set(alarm.incident, other === undefined ? alarm : prevailing(other, alarm));
  }
  return [...byIncident.values()];
}

function prevailing(left: Alarm, right: Alarm): Alarm {
  if (left.status !== right.status) return left.status === 'firing' ? left : right;
  const earlier = left.atMs <= right.atMs ? left : right;
  const later = earlier === left ? right : left;
  return left.status === 'firing' ? earlier : later;
}
