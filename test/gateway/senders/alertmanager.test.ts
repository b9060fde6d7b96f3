/** Bodies of a real Alertmanager (../fixtures, made by record.ts), and misleading ones. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeSender } from '../../../src/gateway/senders/make-sender.js';
import { alarmsIn, delivery, notesIn, NOW_MS, refusalIn } from './deliveries.js';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/alertmanager-${name}.json`, import.meta.url));
const sender = (ignoreLabels: readonly string[] = []) =>
  makeSender('prod', { kind: 'alertmanager', tokens: ['old-token', 'new-token'], ignoreLabels });
const read = (body: unknown, ignoreLabels: readonly string[] = []) =>
  sender(ignoreLabels).read(delivery(body, { headers: { authorization: 'Bearer new-token' } }));

const LABELS = { alertname: 'InstanceHangs', instance: 'prod-1' };
const ALERT = {
  status: 'firing',
  labels: LABELS,
  annotations: { summary: 'hangs' },
  startsAt: '2026-01-02T03:04:05Z',
  endsAt: '0001-01-01T00:00:00Z',
  fingerprint: 'ee46de743d098895',
};
const body = (...alerts: object[]) => ({ version: '4', status: 'firing', alerts });

describe('real bodies', () => {
  it('are read completely: name, labels, summary, start', async () => {
    expect(await read(fixture('1-firing'))).toEqual({
      kind: 'alarms',
      notes: [],
      alarms: [
        {
          sender: 'prod',
          name: 'InstanceHangs',
          status: 'firing',
          episode: 'ee46de743d098895 2026-01-02T03:04:05.678Z',
          incident: 'ee46de743d098895',
          atMs: Date.parse('2026-01-02T03:04:05.678Z'),
          saidAtMs: NOW_MS,
          labels: { alertname: 'InstanceHangs', component: 'checkout', instance: 'prod-1', severity: 'critical' },
          summary: 'checkout <prod> hangs & waits',
        },
      ],
    });
  });

  it('of a group give each alert its own alarm, and the same ones again in a repeat', async () => {
    const group = alarmsIn(await read(fixture('2-group')));
    expect(group.map(({ labels, atMs }) => [labels['instance'], new Date(atMs).toISOString()])).toEqual([
      ['prod-1', '2026-01-02T03:04:05.678Z'],
      ['prod-2', '2026-01-02T03:04:06.000Z'],
    ]);
    expect(alarmsIn(await read(fixture('3-repeat')))).toEqual(group);
  });

  it('distinguish the resolved alert from the one that still fires, whatever status their group has', async () => {
    const [first, second] = alarmsIn(await read(fixture('2-group')));
    const part = alarmsIn(await read(fixture('4-one-resolved')));
    expect(part.map(({ status }) => status)).toEqual(['resolved', 'firing']);
    expect(part[0]).toMatchObject({ incident: first?.incident, episode: first?.episode });
    expect(part[0]?.atMs).toBe(Date.parse(JSON.parse(fixture('4-one-resolved').toString()).alerts[0].endsAt));
    const last = alarmsIn(await read(fixture('5-all-resolved')));
    expect(last).toMatchObject([{ status: 'resolved', incident: second?.incident, episode: second?.episode }]);
  });

  it('that were cut are read as far as they go, with a warning', async () => {
    const reading = await read(fixture('6-truncated'));
    expect(alarmsIn(reading)).toHaveLength(1);
    expect(notesIn(reading)).toEqual([expect.stringContaining('cut off 1 alerts')]);
  });
});

describe('tokens', () => {
  it('are both accepted while one replaces the other', () => {
    for (const authorization of ['Bearer old-token', 'bearer new-token'])
      expect(sender().admits({ authorization })).toBeNull();
  });

  it.each([
    {},
    { authorization: '' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer new-token-not' },
    { authorization: 'new-token' },
  ])('refuse %j before the body is read, and with it', async (headers) => {
    expect(sender().admits(headers)).toMatchObject({ status: 401, reason: 'unauthorized' });
    expect(refusalIn(await sender().read(delivery(body(ALERT), { headers })))).toEqual({
      status: 401,
      reason: 'unauthorized',
    });
  });

  it('are required: a sender with none, or an empty one, cannot be made', () => {
    for (const tokens of [[], [''], ['good', '']])
      expect(() => makeSender('prod', { kind: 'alertmanager', tokens, ignoreLabels: [] })).toThrow('prod has no token');
  });
});

describe('a body', () => {
  it.each([
    ['no JSON', 'hello'],
    ['no UTF-8', Buffer.from(JSON.stringify(body(ALERT)).replace('hangs', '\u00ff'), 'latin1')],
    ['no version', { alerts: [] }],
    ['another version', { version: '5', alerts: [] }],
    ['no list of alerts', { version: '4', alerts: {} }],
    ['no object', null],
    ['one that calls itself a reading', { kind: 'refused', status: 200 }],
  ])('is refused: %s', async (_, bad) => {
    expect(refusalIn(await read(bad))).toEqual({ status: 400, reason: 'unreadable' });
  });

  it('of more than 1,000 alerts is refused', async () => {
    const many = (count: number) =>
      body(...Array.from({ length: count }, (_, index) => ({ ...ALERT, fingerprint: `f${index}` })));
    expect(alarmsIn(await read(many(1_000)))).toHaveLength(1_000);
    expect(refusalIn(await read(many(1_001)))).toEqual({ status: 413, reason: 'tooLarge' });
  });

  it('with a thousand different problems gives a few notes, which count them all', async () => {
    const alerts = Array.from({ length: 1_000 }, (_, index) => ({ ...ALERT, labels: { [`l${index}`]: index } }));
    const reading = await read(body(...alerts));
    const notes = 'notes' in reading ? reading.notes : [];
    expect(notes).toHaveLength(11);
    expect(notes.at(-1)).toBe('990 of 1000 alerts left out: other problems');
  });

  it('of another sender in the same shape may have other fingerprints', async () => {
    const fingerprint = 'sha256:9f86d081884c7d65/9a2feaa0c55ad015==';
    expect(alarmsIn(await read(body({ ...ALERT, fingerprint })))).toMatchObject([{ incident: fingerprint }]);
  });

  it("of Grafana's alerting is read the same", async () => {
    const grafana = {
      ...body({ ...ALERT, values: { A: 1 }, silenceURL: 'https://grafana/x' }),
      version: '1',
      orgId: 1,
      title: 'x',
    };
    expect(alarmsIn(await read(grafana))).toHaveLength(1);
  });
});

describe('an alert', () => {
  const tooManyLabels = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, '']));
  it.each<[string, object, string]>([
    ['no status', { status: undefined }, 'status: '],
    ['a status that is not known', { status: 'ok' }, 'status: '],
    ['no fingerprint', { fingerprint: undefined }, 'fingerprint: '],
    ['a fingerprint with a line end', { fingerprint: 'a\nb' }, 'fingerprint: '],
    ['a start that is not a time', { startsAt: 'yesterday' }, 'startsAt: is not an RFC 3339 time'],
    ['no beginning', { startsAt: '0001-01-01T00:00:00Z' }, 'startsAt: is not an RFC 3339 time'],
    ['labels that are a list', { labels: ['a'] }, 'labels: is not an object'],
    ['a label that is not text', { labels: { a: 1 } }, 'labels.a: a label that is not text'],
    ['a label name with a control character', { labels: { 'a\u001b': '' } }, 'labels.a\\u001b: a bad label name'],
    [
      'a label name that is too long',
      { labels: { ['a'.repeat(129)]: '' } },
      `labels.${'a'.repeat(40)}: a bad label name`,
    ],
    ['a label that is too long', { labels: { a: 'b'.repeat(1_025) } }, 'labels.a: a label longer than 1024 characters'],
    ['too many labels', { labels: tooManyLabels }, 'labels: more than 64 labels'],
    ['a label named __proto__', { labels: JSON.parse('{"__proto__":"x"}') }, 'labels.__proto__: a bad label name'],
  ])('with %s is left out with a note, and the others are not', async (_, change, why) => {
    const reading = await read(body({ ...ALERT, ...change }, { ...ALERT, fingerprint: 'other' }));
    expect(alarmsIn(reading).map(({ incident }) => incident)).toEqual(['other']);
    expect(notesIn(reading)).toEqual([expect.stringContaining(`1 of 2 alerts left out: ${why}`)]);
  });

  it('has no labels but its own', async () => {
    const [alarm] = alarmsIn(await read(body(ALERT)));
    expect(alarm?.labels['constructor']).toBeUndefined();
    expect(alarm?.labels['toString']).toBeUndefined();
  });

  it('that was resolved without an end was resolved when it arrived', async () => {
    const [alarm] = alarmsIn(await read(body({ ...ALERT, status: 'resolved' })));
    expect(alarm?.atMs).toBe(NOW_MS);
  });

  it('has the same episode whichever offset its time is written with', async () => {
    const [left] = alarmsIn(await read(body(ALERT)));
    const [right] = alarmsIn(await read(body({ ...ALERT, startsAt: '2026-01-02T05:04:05.000+02:00' })));
    expect(right?.episode).toBe(left?.episode);
  });

  it('has a summary of one line, without terminal control characters', async () => {
    const annotations = { summary: `a\nb\u001b[31m\u202e${'x'.repeat(500)}` };
    const [alarm] = alarmsIn(await read(body({ ...ALERT, annotations })));
    expect(alarm?.summary).toMatch(/^a b \[31m x+$/);
    expect(alarm?.summary).toHaveLength(300);
  });

  it('takes its description, or its name, where there is no summary', async () => {
    const summaryOf = async (annotations: unknown) => alarmsIn(await read(body({ ...ALERT, annotations })))[0]?.summary;
    expect(await summaryOf({ description: 'long' })).toBe('long');
    expect(await summaryOf({ summary: 7 })).toBe('InstanceHangs');
    expect(await summaryOf('none')).toBe('InstanceHangs');
  });
});

describe('labels to ignore', () => {
  const replica = (name: string, change: object = {}) => ({
    ...ALERT,
    labels: { ...LABELS, replica: name },
    fingerprint: `of-${name}`,
    ...change,
  });

  it('make the alerts of two replicas one alarm, of the first of them', async () => {
    const alerts = [replica('b', { startsAt: '2026-01-02T03:04:20Z' }), replica('a')];
    const alarms = alarmsIn(await read(body(...alerts), ['replica']));
    expect(alarms).toMatchObject([{ status: 'firing', atMs: Date.parse(ALERT.startsAt) }]);
    expect(alarmsIn(await read(body(replica('c')), ['replica']))[0]?.incident).toBe(alarms[0]?.incident);
    expect(alarmsIn(await read(body(...alerts)))).toHaveLength(2);
  });

  it('still distinguish other alerts', async () => {
    const other = replica('a', { labels: { ...LABELS, instance: 'prod-2', replica: 'a' } });
    expect(alarmsIn(await read(body(replica('a'), other), ['replica']))).toHaveLength(2);
  });

  it('let a replica that still fires prevail over one that does not', async () => {
    const alerts = [replica('a', { status: 'resolved', endsAt: '2026-01-02T03:04:09Z' }), replica('b')];
    for (const order of [alerts, alerts.toReversed()])
      expect(alarmsIn(await read(body(...order), ['replica']))).toMatchObject([{ status: 'firing' }]);
  });

  it('use the later of two ends', async () => {
    const resolved = (name: string, endsAt: string) => replica(name, { status: 'resolved', endsAt });
    const alerts = [resolved('a', '2026-01-02T03:04:08Z'), resolved('b', '2026-01-02T03:04:07Z')];
    expect(alarmsIn(await read(body(...alerts), ['replica']))[0]?.atMs).toBe(Date.parse('2026-01-02T03:04:08Z'));
  });
});

it('an unchecked reading needs no token', () => {
  expect(alarmsIn(sender().readUnchecked(fixture('1-firing'), NOW_MS))).toHaveLength(1);
});
