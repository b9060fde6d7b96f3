/** Webhooks of Prometheus Alertmanager. It signs nothing: a token admits. Each alert decides for itself, never the status of its group. */
import { z } from 'zod';
import type { Alarm } from '../../domain/alarms/alarm.js';
import type { AlertmanagerSettings, Reading, Sender } from '../sender.js';
import { ID, idOf, Labels, MOST_ALARMS, Moment, oneLine, problemIn } from './alarm-values.js';
import { admitBearers } from './bearer.js';
import { jsonIn, refused } from './body.js';

/**
 * Only what is read: `receiver` comes escaped and `groupKey` changes with the configuration, so neither is used.
 * Source: `notify/webhook` of Alertmanager 0.28. Version 4 is Alertmanager's, version 1 that of Grafana's own alerting, in the same shape.
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
  /** Of a firing alert the zero time of Go: none. */
  endsAt: Moment.nullable().catch(null),
  /** Hash of all labels: 16 hex digits of Alertmanager, what others in its shape make of it. */
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
  const admits = admitBearers(name, tokens);
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
  const parsed = jsonIn(body);
  if (parsed.kind === 'refused') return parsed;
  const { data, error } = Body.safeParse(parsed.json);
  if (error !== undefined) {
    const needed = 'version "4" and a list of alerts are needed';
    return refused(400, 'unreadable', `no body of Alertmanager: ${needed} (${problemIn(error)})`);
  }
  const { alerts, truncatedAlerts = 0 } = data;
  if (alerts.length > MOST_ALARMS) return refused(413, 'tooLarge', `more than ${MOST_ALARMS} alerts`);
  const alarms: Alarm[] = [];
  const leftOut = new Map<string, number>();
  for (const each of alerts) {
    const alarm = readAlert(each, reader);
    if (typeof alarm === 'string') leftOut.set(alarm, (leftOut.get(alarm) ?? 0) + 1);
    else alarms.push(alarm);
  }
  const notes = notesOf(leftOut, alerts.length);
  if (truncatedAlerts > 0)
    notes.push(`Alertmanager cut ${truncatedAlerts} alerts off (max_alerts): what they say is lost here`);
  return { kind: 'alarms', alarms: oneOfEach(alarms), notes };
}

/** One for each problem, of which a sender can make as many as it sends alerts. */
function notesOf(leftOut: ReadonlyMap<string, number>, all: number): string[] {
  const problems = [...leftOut];
  const shown = problems
    .slice(0, MOST_NOTES)
    .map(([problem, count]) => `${count} of ${all} alerts left out: ${problem}`);
  const others = problems.slice(MOST_NOTES).reduce((sum, [, count]) => sum + count, 0);
  return others === 0 ? shown : [...shown, `${others} of ${all} alerts left out: other problems`];
}

/** @returns the alarm, or which field is wrong and how */
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
    // It says again what fires, and gives up what does not get through when its group is due again.
    saidAtMs: receivedAtMs,
    labels,
    summary: oneLine(typeof text === 'string' ? text : alertname),
  };
}

function fingerprintWithout(ignored: readonly string[], labels: Readonly<Record<string, string>>): string {
  const counted = Object.entries(labels).filter(([name]) => !ignored.includes(name));
  return idOf(counted.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** What replicas say of one problem: it fires while one of them says so, since the first of them did. */
function oneOfEach(alarms: readonly Alarm[]): Alarm[] {
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
