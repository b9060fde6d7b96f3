/** What the server does on the two days of the year when clocks are changed, and that our warnings say the same. */
import { beforeAll, describe, expect, it } from 'vitest';
import { clockSurprises } from '../../src/schedules/daylight-saving.js';
import { CALM, useSchedules } from '../support/schedules.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useSchedules(temporal);
let owner: string;

const SCHEDULES = {
  berlin: { ...CALM, cron: '30 2 * * *', timezone: 'Europe/Berlin' },
  'berlin-calendar': { ...CALM, cron: undefined, calendar: { hour: 2, minute: 30 }, timezone: 'Europe/Berlin' },
  shanghai: { ...CALM, cron: '30 2 * * *', timezone: 'Asia/Shanghai' },
  'new-york': { ...CALM, cron: '30 1 * * *', timezone: 'America/New_York' },
  hourly: { ...CALM, cron: '0 * * * *', timezone: 'Europe/Berlin' },
  jittered: { ...CALM, cron: '30 2 * * *', timezone: 'Europe/Berlin', jitter: '10m' },
};
beforeAll(async () => {
  owner = desk.newOwner();
  await desk.apply(await desk.file(owner, SCHEDULES));
});

async function timesOf(name: string, from: string, to: string): Promise<string[]> {
  const at = (text: string) => ({ seconds: Date.parse(text) / 1_000 }) as never;
  const { startTime } = await temporal.client.workflowService.listScheduleMatchingTimes({
    namespace: 'default',
    scheduleId: `${owner}/${name}`,
    startTime: at(from),
    endTime: at(to),
  });
  return (startTime ?? []).map(({ seconds }) => new Date(Number(seconds) * 1_000).toISOString().slice(0, 16));
}

async function surprisesOf(name: string, from: string, to: string) {
  const { spec } = await temporal.client.schedule.getHandle(`${owner}/${name}`).describe();
  return clockSurprises(spec.calendars ?? [], spec.timezone ?? '', Date.parse(from), Date.parse(to)).map(
    ({ kind, localTime }) => `${kind} ${localTime}`,
  );
}

describe('the night when an hour is missing', () => {
  const night = ['2027-03-27T00:00:00Z', '2027-03-30T00:00:00Z'] as const;

  it.each(['berlin', 'berlin-calendar'])('no run is started for it (%s)', async (name) => {
    expect(await timesOf(name, ...night)).toEqual(['2027-03-27T01:30', '2027-03-29T00:30']);
    expect(await surprisesOf(name, ...night)).toEqual(['missing 2027-03-28 02:30']);
  });

  it('means nothing where clocks are not changed', async () => {
    expect(await timesOf('shanghai', ...night)).toEqual(['2027-03-27T18:30', '2027-03-28T18:30', '2027-03-29T18:30']);
    expect(await surprisesOf('shanghai', ...night)).toEqual([]);
  });
});

describe('the night when an hour comes twice', () => {
  const night = ['2027-10-30T00:00:00Z', '2027-11-01T12:00:00Z'] as const;

  // Which of them depends on the zone and on the server; docs/schedules.md has what was measured.
  it.each(['berlin', 'berlin-calendar'])('one run is started, or two (%s)', async (name) => {
    const times = await timesOf(name, ...night);
    const atNight = times.filter((time) => time.startsWith('2027-10-31'));
    expect([1, 2]).toContain(atNight.length);
    for (const time of atNight) expect(['2027-10-31T00:30', '2027-10-31T01:30']).toContain(time);
    expect(times.filter((time) => !atNight.includes(time))).toEqual(['2027-10-30T00:30', '2027-11-01T01:30']);
    expect(await surprisesOf(name, ...night)).toEqual(['twice 2027-10-31 02:30']);
  });

  it('is another one in another zone', async () => {
    const year = ['2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z'] as const;
    expect(await surprisesOf('new-york', ...year)).toEqual(['twice 2027-11-07 01:30']);
    for (const time of await timesOf('new-york', '2027-11-07T04:00:00Z', '2027-11-07T12:00:00Z'))
      expect(['2027-11-07T05:30', '2027-11-07T06:30']).toContain(time);
  });

  it('means little to a schedule of every hour, which is not warned of', async () => {
    const times = await timesOf('hourly', '2027-10-30T23:30:00Z', '2027-10-31T04:30:00Z');
    expect(times.length).toBeGreaterThanOrEqual(4);
    expect(await surprisesOf('hourly', ...night)).toEqual([]);
  });
});

describe('the command line', () => {
  it('warns of both when it applies', async () => {
    const { stderr, exitCode } = await desk.run('apply', await desk.file(owner, SCHEDULES));
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(new RegExp(`! ${owner}/berlin: 2027-03-28 02:30 does not exist in Europe/Berlin`));
    expect(stderr).toMatch(new RegExp(`! ${owner}/berlin: 2027-10-31 02:30 comes twice in Europe/Berlin`));
    expect(stderr).not.toContain('shanghai');
  });

  it('shows both in next, in the zone and in UTC', async () => {
    const { stdout } = await desk.run('next', `${owner}/berlin`, '--count', '350');
    expect(stdout).toContain('2027-03-27 02:30 Europe/Berlin  2027-03-27T01:30:00Z');
    expect(stdout).toContain('! 2027-03-28 02:30 does not exist in Europe/Berlin');
    expect(stdout).toMatch(
      /2027-10-31 02:30 Europe\/Berlin {2}2027-10-31T0[01]:30:00Z {2}this time comes twice on that day/,
    );
    expect(stdout).toContain('! 2027-10-31 02:30 comes twice in Europe/Berlin');
  });

  it('shows jittered times as the server will keep them', async () => {
    const { stdout } = await desk.run('next', `${owner}/jittered`, '--count', '3', '--json');
    const { schedules } = JSON.parse(stdout) as { schedules: { jitterMs: number; coming: { localTime: string }[] }[] };
    expect(schedules[0]?.jitterMs).toBe(600_000);
    for (const { localTime } of schedules[0]?.coming ?? []) expect(localTime).toMatch(/ 02:(3\d|40)$/);
  });
});
