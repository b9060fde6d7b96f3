/** Reads alarms of Cloud Eye from the text of an SMN message, in its two known forms. Its keys identify the form, because subjects and many values are in the user's language. */
import { z } from 'zod';
import type { Alarm } from '../../domain/alarms/alarm.js';
import { idOf, labelsOf, LONGEST_LABEL_VALUE, oneLine } from './alarm-values.js';
import { parseJson } from './json-body.js';
import { genericAlarmsIn } from './generic-alarm.js';
import type { AlarmsRead } from './sender.js';

/** An unexpected value counts as missing, so that only the fields that an alarm needs can make it unreadable. */
const Value = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => text !== '' && text.length <= LONGEST_LABEL_VALUE)
  .optional()
  .catch(undefined);

const Variables = z.object({
  AlarmRuleName: Value,
  AlarmRecordID: z
    .string()
    .regex(/^[\w-]{1,128}$/)
    .optional()
    .catch(undefined),
  RegionId: Value,
  ResourceId: Value,
  ResourceName: Value,
  MetricName: Value,
  Namespace: Value,
  DimensionName: Value,
  AlarmLevel: Value,
  CurrentData: Value,
});

/** The form of a notification template: `{"version":"v1","data":{…}}`. Source: alarm notifications of Cloud Eye, a capture of 2025. */
const TemplateForm = z.object({ data: Variables.extend({ IsAlarm: z.unknown().optional() }) });

/** The form of a rule without a template. Source: a message of 2022; `alarm_state`, `dimensions` and `alarm_level` as another receiver expects them. */
const RawForm = z.object({
  alarm_id: z.string().regex(/^[\w-]{1,128}$/),
  alarm_name: Value,
  alarm_status: z.unknown().optional(),
  alarm_state: z.unknown().optional(),
  alarm_level: Value,
  namespace: Value,
  metric_name: Value,
  dimension: Value,
  dimensions: Value,
  template_variable: Variables.optional().catch(undefined),
});

/** The SMN message around the text. SMN signed every field. */
export interface Envelope {
  readonly sender: string;
  readonly topicUrn: string;
  readonly messageId: string;
  readonly subject: string;
  readonly message: string;
  readonly sentAtMs: number;
}

type Variables = z.infer<typeof Variables>;
type Values = Readonly<Record<string, string | undefined>>;

/** One alarm, or none and a note why: prose, a state that is neither firing nor resolved, an unknown form. */
export function readCloudEye(envelope: Envelope): AlarmsRead {
  const parsed = parseJson(Buffer.from(envelope.message));
  // Otherwise prose: an operator's test, or a rule with an e-mail template.
  const json = parsed.kind === 'json' ? parsed.json : undefined;
  const { data: template } = TemplateForm.safeParse(json);
  if (template !== undefined) return fromTemplate(template.data, envelope);
  const { data: raw } = RawForm.safeParse(json);
  if (raw !== undefined) return fromRaw(raw, envelope);
  if (typeof json === 'object' && json !== null && ('alarms' in json || 'status' in json)) {
    const { sender, sentAtMs, topicUrn, messageId } = envelope;
    const reading = genericAlarmsIn(json, { sender, receivedAtMs: sentAtMs, deliveryId: `${topicUrn} ${messageId}` });
    if (reading.kind === 'alarms') return reading;
    return nothing(envelope, reading.kind === 'refused' ? reading.what : reading.kind);
  }
  return nothing(envelope, 'it is not a known form of alarm');
}

function fromTemplate(data: Variables & { IsAlarm?: unknown }, envelope: Envelope): AlarmsRead {
  // An event alarm may come without it, and is then neither firing nor resolved.
  if (typeof data.IsAlarm !== 'boolean') return nothing(envelope, 'IsAlarm is missing');
  const { AlarmRuleName: name, RegionId, ResourceId, MetricName } = data;
  if (name === undefined) return nothing(envelope, 'AlarmRuleName is missing');
  const incident = idOf([RegionId, name, ResourceId, MetricName]);
  return alarm(envelope, name, data.IsAlarm ? 'firing' : 'resolved', incident, data, {});
}

const RAW_STATUS: Readonly<Record<string, Alarm['status']>> = { alarm: 'firing', ok: 'resolved' };

function fromRaw(raw: z.infer<typeof RawForm>, envelope: Envelope): AlarmsRead {
  const given = raw.alarm_status ?? raw.alarm_state;
  const status = typeof given === 'string' && Object.hasOwn(RAW_STATUS, given) ? RAW_STATUS[given] : undefined;
  if (status === undefined) return nothing(envelope, 'its state is neither alarm nor ok');
  const { alarm_id: alarmId, namespace, metric_name: metric, alarm_level: level } = raw;
  const dimension = raw.dimension ?? raw.dimensions;
  const variables: Variables = raw.template_variable ?? {};
  const name = raw.alarm_name ?? variables.AlarmRuleName;
  if (name === undefined) return nothing(envelope, 'alarm_name is missing');
  // `alarm_id` is the id of the alarm rule, which watches many resources.
  const incident = idOf([alarmId, dimension ?? variables.ResourceId]);
  return alarm(envelope, name, status, incident, variables, { alarmId, namespace, metric, dimension, level });
}

function alarm(
  { sender, topicUrn, messageId, subject, sentAtMs }: Envelope,
  name: string,
  status: Alarm['status'],
  incident: string,
  variables: Variables,
  own: Values,
): AlarmsRead {
  const { AlarmRecordID, MetricName, CurrentData, ResourceName } = variables;
  const labels = { ...labelsOfVariables(variables), ...present(own), alertname: name };
  const described = [name, ResourceName, MetricName, CurrentData].filter((part) => part !== undefined).join(' ');
  const one: Alarm = {
    sender,
    name: oneLine(name),
    status,
    episode: `${topicUrn} ${AlarmRecordID ?? messageId}`,
    incident,
    atMs: sentAtMs,
    labels: labelsOf(Object.entries(labels)),
    summary: oneLine(subject) || oneLine(described),
  };
  return { kind: 'alarms', alarms: [one], notes: [] };
}

function labelsOfVariables(variables: Variables): Readonly<Record<string, string>> {
  return present({
    region: variables.RegionId,
    resourceId: variables.ResourceId,
    resourceName: variables.ResourceName,
    metric: variables.MetricName,
    namespace: variables.Namespace,
    dimension: variables.DimensionName,
    level: variables.AlarmLevel,
  });
}

function present(values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function nothing({ topicUrn, messageId, subject }: Envelope, why: string): AlarmsRead {
  const note = `message ${messageId} of ${topicUrn} starts nothing: ${why} (subject: ${oneLine(subject) || 'none'})`;
  return { kind: 'alarms', alarms: [], notes: [note] };
}
