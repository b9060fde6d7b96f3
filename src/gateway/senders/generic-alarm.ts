/** Our own JSON form of an alarm, for senders whose body can be configured: one alarm, or several under `alarms`. */
import { z } from 'zod';
import type { Alarm } from '../../domain/alarms/alarm.js';
import {
  CLOCKS_DIFFER_BY_MS,
  labelsOf,
  Labels,
  Line,
  MOST_ALARMS,
  Moment,
  oneLine,
  problemIn,
} from './alarm-values.js';
import { refused } from './authentication.js';
import { parseJson } from './json-body.js';
import type { Reading, Refusal } from './sender.js';

const GenericAlarm = z.object({
  /** Identifies the problem: the same when it is resolved, and when it returns. */
  id: Line,
  name: Line,
  status: z.enum(['firing', 'resolved']),
  labels: Labels.optional(),
  summary: z.string().optional(),
  /** When it began to fire, or was resolved. */
  at: Moment.optional(),
});

/** The delivery that a body belongs to. */
export interface GenericDelivery {
  readonly sender: string;
  readonly receivedAtMs: number;
  /** The same when the delivery is repeated. Identifies a firing without `at`; `null` if the sender gives none. */
  readonly deliveryId: string | null;
}

/** Reads all alarms of a body, or refuses all: the people who configured the body can fix it. */
export function readGenericAlarms(body: Buffer, delivery: GenericDelivery): Reading {
  const parsed = parseJson(body);
  return parsed.kind === 'refused' ? parsed : genericAlarmsIn(parsed.json, delivery);
}

/** As `readGenericAlarms`, for a body that is already parsed. */
export function genericAlarmsIn(json: unknown, delivery: GenericDelivery): Reading {
  const several = typeof json === 'object' && json !== null && 'alarms' in json ? json.alarms : [json];
  if (!Array.isArray(several)) return refused(400, 'unreadable', 'alarms is not a list');
  if (several.length > MOST_ALARMS) return refused(413, 'tooLarge', `more than ${MOST_ALARMS} alarms`);
  const alarms: Alarm[] = [];
  for (const [index, each] of several.entries()) {
    const alarm = genericAlarm(each, delivery);
    if ('kind' in alarm) return refused(alarm.status, alarm.reason, `alarm ${index + 1}: ${alarm.what}`);
    alarms.push(alarm);
  }
  return { kind: 'alarms', alarms, notes: [] };
}

function genericAlarm(json: unknown, { sender, receivedAtMs, deliveryId }: GenericDelivery): Alarm | Refusal {
  const { success, data, error } = GenericAlarm.safeParse(json);
  if (!success) return refused(400, 'unreadable', problemIn(error));
  const { id, name, status, labels = {}, summary = name, at } = data;
  if (at !== undefined && at > receivedAtMs + CLOCKS_DIFFER_BY_MS)
    return refused(400, 'unreadable', 'at: is in the future');
  if (at === undefined && deliveryId === null)
    return refused(400, 'unreadable', 'at: is required, because the delivery has no webhook-id');
  return {
    sender,
    name,
    status,
    episode: `${id} ${at === undefined ? deliveryId : new Date(at).toISOString()}`,
    incident: id,
    atMs: at ?? receivedAtMs,
    labels: labelsOf([...Object.entries(labels), ['alertname', name]]),
    summary: oneLine(summary),
  };
}
