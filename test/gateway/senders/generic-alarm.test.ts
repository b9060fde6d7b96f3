/** Our own form of an alarm, sent with a token. */
import { describe, expect, it } from 'vitest';
import { makeSender } from '../../../src/gateway/senders/make-sender.js';
import { alarmsIn, delivery, NOW_MS, refusalIn } from './deliveries.js';

const ALARM = {
  id: 'disk-42',
  name: 'DiskFull',
  status: 'firing',
  labels: { disk: 'sda' },
  at: '2026-01-02T03:04:05Z',
};
const sender = makeSender('script', { kind: 'bearer', tokens: ['a-token'] });
const read = (body: unknown, headers: Record<string, string> = {}) =>
  sender.read(delivery(body, { headers: { authorization: 'Bearer a-token', ...headers } }));

describe('an alarm', () => {
  it('is read whole', async () => {
    expect(await read({ ...ALARM, summary: 'sda is\nfull' })).toEqual({
      kind: 'alarms',
      notes: [],
      alarms: [
        {
          sender: 'script',
          name: 'DiskFull',
          status: 'firing',
          episode: 'disk-42 2026-01-02T03:04:05.000Z',
          incident: 'disk-42',
          atMs: Date.parse('2026-01-02T03:04:05Z'),
          labels: { alertname: 'DiskFull', disk: 'sda' },
          summary: 'sda is full',
        },
      ],
    });
  });

  it('has its name as the label alertname, whatever its labels say', async () => {
    const [alarm] = alarmsIn(await read({ ...ALARM, labels: { alertname: 'Other' } }));
    expect(alarm?.labels).toEqual({ alertname: 'DiskFull' });
  });

  it('may hold brackets in its texts', async () => {
    const summary = `\\"${'[{'.repeat(50)}`;
    expect(alarmsIn(await read({ ...ALARM, summary }))[0]?.summary).toBe(summary);
  });

  it('may come alone or with others', async () => {
    const alarms = [ALARM, { ...ALARM, id: 'disk-43', status: 'resolved', labels: undefined }];
    expect(alarmsIn(await read({ alarms })).map(({ status }) => status)).toEqual(['firing', 'resolved']);
    expect(alarmsIn(await read({ alarms: [] }))).toEqual([]);
  });

  it.each([
    ['2026-01-02t03:04:05z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T04:04:05.123456789+01:00', '2026-01-02T03:04:05.123Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z'],
  ])('may write its time in every way of RFC 3339: %s', async (at, moment) => {
    expect(alarmsIn(await read({ ...ALARM, at }))[0]?.atMs).toBe(Date.parse(moment));
  });

  it('may have any name that people use, with new or joined emoji too', async () => {
    const name = 'Überlauf 👩‍💻 🫩 磁盘已满';
    expect(alarmsIn(await read({ ...ALARM, name }))[0]?.name).toBe(name);
  });

  it('without a time needs the id of its delivery', async () => {
    const { at: _, ...timeless } = ALARM;
    expect(refusalIn(await read(timeless))).toEqual({ status: 400, reason: 'unreadable' });
    const [alarm] = alarmsIn(await read(timeless, { 'webhook-id': 'd-1' }));
    expect(alarm).toMatchObject({ episode: 'disk-42 d-1', atMs: NOW_MS });
    expect(alarmsIn(sender.readUnchecked(Buffer.from(JSON.stringify(timeless)), NOW_MS))).toHaveLength(1);
  });
});

describe('a body is refused as a whole, with the place', () => {
  it.each<[string, unknown, RegExp]>([
    ['an unknown status', { ...ALARM, status: 'ok' }, /alarm 1: status/],
    ['no id', { ...ALARM, id: '' }, /alarm 1: id/],
    ['an id of two lines', { ...ALARM, id: 'a\nb' }, /alarm 1: id/],
    ['a name that is too long', { ...ALARM, name: 'a'.repeat(201) }, /alarm 1: name/],
    ['a label that is not text', { ...ALARM, labels: { disk: 1 } }, /alarm 1: labels\.disk: a label that is not text/],
    ['a label named __proto__', { ...ALARM, labels: JSON.parse('{"__proto__":"x"}') }, /a bad label name/],
    ['a time that is none', { ...ALARM, at: 'now' }, /alarm 1: at/],
    ['a time to come', { ...ALARM, at: '2026-01-02T03:10:00Z' }, /alarm 1: at: is in the future/],
    ['one bad alarm among others', { alarms: [ALARM, null] }, /alarm 2/],
    ['alarms that are not a list', { alarms: ALARM }, /alarms is not a list/],
    ['nothing', null, /alarm 1/],
    ['a number', 7, /alarm 1/],
  ])('%s', async (_, body, what) => {
    const reading = await read(body);
    expect(refusalIn(reading)).toEqual({ status: 400, reason: 'unreadable' });
    expect(reading).toMatchObject({ what: expect.stringMatching(what) });
  });
});

it('more than 1,000 alarms are refused', async () => {
  expect(refusalIn(await read({ alarms: Array.from({ length: 1_001 }, () => ALARM) }))).toEqual({
    status: 413,
    reason: 'tooLarge',
  });
});

it('a wrong token is refused both before and after the body is read', async () => {
  const headers = { authorization: 'Bearer other' };
  expect(sender.admits(headers)).toMatchObject({ status: 401, reason: 'unauthorized' });
  expect(refusalIn(await read(ALARM, headers))).toEqual({ status: 401, reason: 'unauthorized' });
});

it('without a token there is no sender', () => {
  expect(() => makeSender('script', { kind: 'bearer', tokens: [] })).toThrow('script has no token');
});
