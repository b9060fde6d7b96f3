/** Alarms of Cloud Eye in their two forms, and messages that are not alarms. */
import { describe, expect, it } from 'vitest';
import { readCloudEye } from '../../../src/gateway/senders/cloud-eye.js';
import { NOW_MS, TOPIC } from './deliveries.js';

const read = (message: unknown, subject = '') =>
  readCloudEye({
    sender: 'cloud-eye',
    topicUrn: TOPIC,
    messageId: 'f0e1',
    subject,
    message: typeof message === 'string' ? message : JSON.stringify(message),
    sentAtMs: NOW_MS,
  });
const alarmIn = (message: unknown, subject = '') => {
  const [alarm] = read(message, subject).alarms;
  if (alarm === undefined) throw new Error(`no alarm: ${JSON.stringify(message)}`);
  return alarm;
};

const DATA = {
  AccountName: 'ops',
  Namespace: '弹性云服务器',
  DimensionName: '云服务器',
  ResourceName: 'shop-prod-1',
  MetricName: 'CPU使用率',
  IsAlarm: true,
  AlarmLevel: '紧急',
  Region: '华东-上海一',
  RegionId: 'cn-east-3',
  ResourceId: '11111111-2222-3333-4444-555555555555',
  PrivateIp: '192.168.0.10',
  CurrentData: '96.00 %',
  AlarmTime: '2026/01/02 11:04:03 GMT+08:00',
  AlarmRecordID: 'ah1767323043000abcdef',
  AlarmRuleName: 'instance-hangs',
  IsOriginalValue: true,
  Filter: '原始值',
  ComparisonOperator: '\u003e',
  Value: '90 %',
  Unit: '%',
  Count: 3,
};
const template = (change: object = {}) => ({ version: 'v1', data: { ...DATA, ...change } });

const RAW = {
  message_type: 'alarm',
  alarm_id: 'al1600000000000AAAA',
  alarm_name: 'instance-hangs',
  alarm_status: 'alarm',
  time: NOW_MS,
  namespace: 'SYS.ECS',
  metric_name: 'cpu_util',
  dimension: 'instance_id:1111',
  period: 300,
  filter: 'average',
  comparison_operator: '\u003e',
  value: 90,
  unit: '%',
  count: 3,
  alarmValue: [{ time: NOW_MS, value: 96 }],
  sms_content: 'a long text',
  template_variable: { AlarmId: 'al1', RegionId: 'cn-east-3', ResourceId: '1111', CurrentData: '96 %', IsAlarm: false },
};
const raw = (change: object = {}) => ({ ...RAW, ...change });

describe('the form of a template', () => {
  it('is read whole', () => {
    expect(alarmIn(template())).toEqual({
      sender: 'cloud-eye',
      name: 'instance-hangs',
      status: 'firing',
      episode: `${TOPIC} ah1767323043000abcdef`,
      incident: expect.stringMatching(/^[0-9a-f]{32}$/),
      atMs: NOW_MS,
      labels: {
        alertname: 'instance-hangs',
        region: 'cn-east-3',
        resourceId: '11111111-2222-3333-4444-555555555555',
        resourceName: 'shop-prod-1',
        metric: 'CPU使用率',
        namespace: '弹性云服务器',
        dimension: '云服务器',
        level: '紧急',
      },
      summary: 'instance-hangs shop-prod-1 CPU使用率 96.00 %',
    });
  });

  it('matches resolved alarms with their firings', () => {
    const resolved = alarmIn(template({ IsAlarm: false, CurrentData: '3 %', AlarmRecordID: 'ah2' }));
    expect(resolved.status).toBe('resolved');
    expect(resolved.incident).toBe(alarmIn(template()).incident);
  });

  it.each([{ RegionId: 'cn-north-4' }, { ResourceId: '2' }, { MetricName: 'x' }, { AlarmRuleName: 'x' }])(
    'distinguishes incidents by %j',
    (change) => {
      expect(alarmIn(template(change)).incident).not.toBe(alarmIn(template()).incident);
    },
  );

  it('without a record has the episode of its message', () => {
    for (const AlarmRecordID of [undefined, 7, 'two words'])
      expect(alarmIn(template({ AlarmRecordID })).episode).toBe(`${TOPIC} f0e1`);
  });

  it('needs no more than a rule and a state', () => {
    expect(alarmIn({ data: { AlarmRuleName: 'r', IsAlarm: true } })).toMatchObject({
      labels: { alertname: 'r' },
      summary: 'r',
    });
  });

  it('leaves out undocumented values, and keeps the alarm', () => {
    const { labels } = alarmIn(template({ ResourceName: {}, ResourceId: '', MetricName: 'x'.repeat(1_025) }));
    expect(Object.keys(labels).sort()).toEqual(['alertname', 'dimension', 'level', 'namespace', 'region']);
  });

  it.each([undefined, null, 'true', 1, 'false'])('with IsAlarm: %j starts nothing and resolves nothing', (IsAlarm) => {
    expect(read(template({ IsAlarm }))).toMatchObject({
      alarms: [],
      notes: [expect.stringContaining('IsAlarm is missing')],
    });
  });

  it('without a rule starts nothing', () => {
    expect(read(template({ AlarmRuleName: undefined }))).toMatchObject({
      alarms: [],
      notes: [expect.stringContaining('AlarmRuleName')],
    });
  });

  it('uses the subject as the summary if there is one', () => {
    expect(alarmIn(template(), '【紧急告警】\nshop').summary).toBe('【紧急告警】 shop');
  });
});

describe('the raw form', () => {
  it('is read whole', () => {
    expect(alarmIn(raw())).toMatchObject({
      name: 'instance-hangs',
      status: 'firing',
      episode: `${TOPIC} f0e1`,
      labels: {
        alertname: 'instance-hangs',
        alarmId: 'al1600000000000AAAA',
        namespace: 'SYS.ECS',
        metric: 'cpu_util',
        dimension: 'instance_id:1111',
        region: 'cn-east-3',
        resourceId: '1111',
      },
    });
  });

  it('matches resolved alarms with their firings, for each dimension of its rule', () => {
    expect(alarmIn(raw({ alarm_status: 'ok' }))).toMatchObject({
      status: 'resolved',
      incident: alarmIn(raw()).incident,
    });
    expect(alarmIn(raw({ dimension: 'instance_id:2' })).incident).not.toBe(alarmIn(raw()).incident);
    expect(alarmIn(raw({ alarm_id: 'al2' })).incident).not.toBe(alarmIn(raw()).incident);
  });

  it.each(['insufficient_data', 'ALARM', '', 'constructor', 1, null, undefined])(
    'in the state %j starts nothing',
    (alarm_status) => {
      expect(read(raw({ alarm_status }))).toMatchObject({
        alarms: [],
        notes: [expect.stringContaining('neither alarm nor ok')],
      });
    },
  );

  it('is read by its other names too', () => {
    const { alarm_status: _, dimension: __, ...rest } = RAW;
    const other = { ...rest, alarm_state: 'alarm', dimensions: 'instance_id:1111', alarm_level: 1 };
    expect(alarmIn(other)).toMatchObject({
      status: 'firing',
      incident: alarmIn(raw()).incident,
      labels: { level: '1' },
    });
  });

  it('is read without its template_variable, and identifies the episode by its record', () => {
    expect(alarmIn(raw({ template_variable: 'none' })).status).toBe('firing');
    expect(alarmIn(raw({ template_variable: { AlarmRecordID: 'ah1' } })).episode).toBe(`${TOPIC} ah1`);
  });
});

describe('a text', () => {
  it.each(['Hello from the console', '', '[1]', 'null', '"alarm"', '{"message_type":"alarm"}', '{"data":[]}', '{'])(
    'that is not an alarm starts nothing: %s',
    (message) => {
      const { alarms, notes } = read(message, 'A test\u001b[2J');
      expect(alarms).toEqual([]);
      expect(notes).toEqual([
        expect.stringMatching(/^message f0e1 of urn:smn:\S+ starts nothing: .*\(subject: A test \[2J\)$/),
      ]);
    },
  );

  it('in our own form, as a template of AOM can write it, is an alarm', () => {
    const own = {
      id: 'component-checkout',
      name: 'ComponentDown',
      status: 'firing',
      labels: { component: 'checkout' },
    };
    expect(alarmIn(own)).toMatchObject({
      name: 'ComponentDown',
      incident: 'component-checkout',
      episode: `component-checkout ${TOPIC} f0e1`,
      atMs: NOW_MS,
      labels: { alertname: 'ComponentDown', component: 'checkout' },
    });
    expect(read({ ...own, status: 'alarm' })).toMatchObject({ alarms: [], notes: [expect.stringContaining('status')] });
  });
});
