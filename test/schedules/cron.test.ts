/**
 * Our reading of cron lines and calendars, compared with the server's answers: the server accepts every line that we
 * accept, with the same meaning.
 */
import { randomUUID } from 'node:crypto';
import type { ScheduleSpec } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { cronProblems } from '../../src/schedules/cron.js';
import { describedForm } from '../../src/schedules/ownership.js';
import type { Calendar } from '../../src/schedules/schedule-file.js';
import { startsBetween } from '../../src/schedules/starts.js';
import { calendarOf } from '../../src/schedules/spelled-out.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();

const FROM = Date.parse('2027-01-01T00:00:00Z');
const DAYS_OF_400 = 400 * 86_400;

/** The calendars that the server makes of it, and its times from 2027 on, at most 1,000. */
async function serverMakes(spec: ScheduleSpec): Promise<{ when: unknown; times: number[] }> {
  const scheduleId = `cron-${randomUUID()}`;
  const { client } = temporal;
  const handle = await client.schedule.create({
    scheduleId,
    spec: { timezone: 'Europe/Berlin', ...spec },
    action: { type: 'startWorkflow', workflowType: 'none', taskQueue: temporal.taskQueue },
    state: { paused: true },
  });
  const { when } = describedForm(await handle.describe()) as { when: string[] };
  const timestamp = (seconds: number) => ({ seconds: seconds as unknown as Long });
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId,
    startTime: timestamp(FROM / 1_000),
    endTime: timestamp(FROM / 1_000 + DAYS_OF_400),
  });
  await handle.delete();
  return { when, times: (startTime ?? []).map(({ seconds }) => Number(seconds)) };
}

/** Its calendars, or its refusal. */
async function serverAnswer(cron: string): Promise<unknown> {
  try {
    return (await serverMakes({ cronExpressions: [cron] })).when;
  } catch (error) {
    return error instanceof TypeError ? 'refused' : error;
  }
}

/** As the server would describe it. */
const whenOf = (spec: ScheduleSpec & Parameters<typeof describedForm>[0]['spec']) =>
  (
    describedForm({ spec, policies: {}, action: {}, state: {} } as Parameters<typeof describedForm>[0]) as {
      when: unknown;
    }
  ).when;

describe('a cron line', () => {
  it.each([
    ['30 2 * * *', '0 30 2 * * * *'],
    ['*/15 8-18 * * 1-5', '0 */15 8-18 * * MONDAY-FRIDAY *'],
    ['0 20 1,15 * */7', '0 0 20 1,15 * SUNDAY,*/7 *'],
    ['0 3 * jan-mar/2 7', '0 0 3 * JANUARY-MARCH/2 SUNDAY *'],
    ['0 3 * DEC Fri-Sat', '0 0 3 * DECEMBER FRIDAY-SATURDAY *'],
    ['10/20 * * * *', '0 10-59/20 * * * * *'],
    ['*/2 * * * * * *', '*/2 * * * * * *'],
    ['0 30 2 * * * 2027-2028', '0 30 2 * * * 2027-2028'],
  ])('(%s) that is let through is taken', async (cron, calendar) => {
    expect(cronProblems(cron)).toEqual([]);
    expect(await serverAnswer(cron)).toEqual([calendar]);
  });

  it.each([
    ['60 2 * * *'],
    ['0 24 * * *'],
    ['0 0 0 * *'],
    ['0 0 32 * *'],
    ['0 0 * 13 *'],
    ['0 0 * 0 *'],
    ['0 0 * * 8'],
    ['0 0 * foo *'],
    ['0 0 * * funday'],
    ['0 0 * *'],
    ['0 0 * * * * * *'],
    [''],
    ['5-2 * * * *'],
    ['*/0 * * * *'],
    ['1/2/3 * * * *'],
    ['1-2-3 * * * *'],
    ['0 0 L * *'],
    ['0 0 ? * *'],
    ['a b c d e'],
    ['1,,2 * * * *'],
    ['-1 * * * *'],
    ['CRON_TZ=UTC 0 2 * * *'],
    ['0 30 2 * * *'],
  ])('(%s) that the server rejects is a problem', async (cron) => {
    expect(cronProblems(cron).length).toBeGreaterThan(0);
    expect(await serverAnswer(cron)).toBe('refused');
  });

  // The server accepts these. They are refused here because other tools read them differently, or because they override
  // another field of the file.
  it.each([
    ['30 2 * * * *'],
    ['@daily'],
    ['@every 1h'],
    ['CRON_TZ=Europe/Berlin 0 2 * * *'],
    ['0 2 * * * # nightly'],
    ['0 20 1-7 * mon'],
    ['0 20 1-31 * 5'],
    ['0 0 20 13 * fri *'],
    ['*/90 * * * *'],
    ['0 */36 * * *'],
    ['0 12 1/40 * *'],
    ['0 12 * * 7/2'],
  ])('(%s) that is ambiguous, or hardly ever intended, is a problem, although the server accepts it', async (cron) => {
    expect(cronProblems(cron).length).toBeGreaterThan(0);
    expect(await serverAnswer(cron)).not.toBe('refused');
  });
});

describe('a day of the month and a day of the week', () => {
  it('mean days that are both to the server, while classic cron means either', async () => {
    const { times } = await serverMakes({ cronExpressions: ['0 12 13 * 5'], timezone: 'UTC' });
    expect(times.map((time) => new Date(time * 1_000).toISOString())).toEqual(['2027-08-13T12:00:00.000Z']);
  });
});

describe('what is spelled out', () => {
  it.each([
    '30 2 * * *',
    '*/15 8-18 * * 1-5',
    '0 3 1 jan-mar/2 *',
    '0 3 * DEC Fri-Sat',
    '10/20,5 * * * *',
    '0 12 * * 7',
    '0 12 * * 0-7',
    '0 12 * * 5-7',
    '0 12 * * 1/2',
    '0 12 * * 2/3',
    '0 12 * * */2',
    '0 12 1/20 * *',
    '0 12 29,2 feb *',
    '1-5/2,30 0 0 1 */2 * *',
    '0 30 2 1 * * 2027/2',
    '0 30 2 1 * * 2028,2027',
  ])('of a cron line (%s) starts at the same moments, and is given back as it was written', async (cron) => {
    expect(cronProblems(cron)).toEqual([]);
    const spec = { calendars: [calendarOf({ cron })] };
    const written = await serverMakes(spec);
    expect(written.times).toEqual((await serverMakes({ cronExpressions: [cron] })).times);
    expect(written.times.length).toBeGreaterThan(0);
    expect(written.when).toEqual(whenOf(spec));
  });

  it.each<Calendar>([
    {},
    { hour: '*', minute: [45, { start: 0, end: 20, step: 10 }], year: [2028, 2027] },
    { second: { start: 5, end: 9, step: 3 }, dayOfMonth: [31, 1], month: ['MARCH', 'JANUARY'], hour: 3 },
    { dayOfWeek: ['FRIDAY', { start: 'MONDAY', end: 'TUESDAY' }], month: { start: 'MAY', end: 'JULY' }, year: '*' },
    { year: { start: 2027, end: 2031, step: 2 }, dayOfWeek: '*', month: '*', dayOfMonth: '*' },
  ])('of a calendar (%o) starts at the same moments, and is given back as it was written', async (calendar) => {
    const spec = { calendars: [calendarOf({ calendar })] };
    const written = await serverMakes(spec);
    const given = Object.fromEntries(Object.entries(calendar));
    expect(written.times).toEqual((await serverMakes({ calendars: [given] })).times);
    expect(written.times.length).toBeGreaterThan(0);
    expect(written.when).toEqual(whenOf(spec));
  });
});

describe('starts computed here', () => {
  it.each([
    ['30 2 * * *', 'Europe/Berlin'],
    ['0 2 * * *', 'Europe/Berlin'],
    ['*/45 1-3 * * 0', 'America/New_York'],
    ['15 */6 1,31 * *', 'Asia/Kathmandu'],
    ['0 0 * * 1', 'Australia/Lord_Howe'],
    ['0 3 29 2 *', 'UTC'],
    ['5 30 1 * 3,10,11 * 2027-2028', 'America/Sao_Paulo'],
  ])('of %s in %s are those of the server', async (cron, timezone) => {
    const { times } = await serverMakes({ cronExpressions: [cron], timezone });
    const ours = [...startsBetween({ cron, timezone }, FROM + 1, FROM + DAYS_OF_400 * 1_000 + 1)];
    // If a clock time comes twice, the server starts one run or two: its documentation leaves that open.
    expect(ours.map((atMs) => atMs / 1_000)).toEqual(expect.arrayContaining(times));
    expect(ours.length - times.length).toBeLessThanOrEqual(12);
  });
});
