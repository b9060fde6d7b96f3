import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Calendar } from '../../../src/schedules/schedule-file.js';
import { firstStart, neverStarts, startsBetween } from '../../../src/schedules/starts.js';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const zone = 'Europe/Berlin';
const iso = (atMs: number | null) => (atMs === null ? null : new Date(atMs).toISOString());

describe('the first start', () => {
  it.each<[string, string, string]>([
    ['0 2 * * *', 'Europe/Berlin', '2026-12-01T01:00:00.000Z'],
    ['0 13 * * *', 'Europe/Berlin', '2026-11-30T12:00:00.000Z'],
    ['0 2 29 2 *', 'UTC', '2028-02-29T02:00:00.000Z'],
    ['0 0 * * *', 'Pacific/Kiritimati', '2026-12-01T10:00:00.000Z'],
    ['30 2 * 3 0', 'Europe/Berlin', '2027-03-07T01:30:00.000Z'],
    ['0 0 2 1 1 * 2099', 'UTC', '2099-01-01T02:00:00.000Z'],
  ])('of %s in %s', (cron, timezone, first) => {
    expect(iso(firstStart({ cron, timezone }, NOW))).toBe(first);
  });

  it('of a calendar uses all of its fields', () => {
    const calendar: Calendar = { dayOfMonth: 29, month: 'FEBRUARY', dayOfWeek: 'MONDAY', hour: [4, 3] };
    expect(iso(firstStart({ calendar, timezone: 'UTC' }, NOW))).toBe('2044-02-29T03:00:00.000Z');
  });
});

describe('a schedule that never starts anything', () => {
  it.each<[string, { cron?: string; calendar?: Calendar; timezone?: string }, string]>([
    ['30 February', { cron: '0 2 30 2 *' }, 'no day of any year fits'],
    ['31 February to April of even months', { cron: '0 2 31 2,4 *' }, 'no day of any year fits'],
    ['31 April', { calendar: { dayOfMonth: 31, month: 'APRIL' } }, 'no day of any year fits'],
    ['30 and 31 February', { calendar: { dayOfMonth: [30, 31], month: ['FEBRUARY'] } }, 'no day of any year fits'],
    ['a year that is over', { cron: '0 0 2 1 1 * 2020' }, 'its last day was 2020-01-01'],
    ['years that are over', { calendar: { year: { start: 2019, end: 2025 } } }, 'its last day was 2025-12-31'],
    ['the rest of this year', { cron: '0 0 2 1 11 * 2026' }, 'its last day was 2026-11-01'],
    ['every second of 30 February', { cron: '* * * 30 2 * *' }, 'no day of any year fits'],
    ['29 February of a year that has none', { cron: '0 0 2 29 2 * 2027' }, 'no day of its years fits'],
    [
      'a time that the clocks skip',
      { calendar: { dayOfMonth: 28, month: 'MARCH', year: 2027, hour: 2, minute: 30 } },
      'the clocks of Europe/Berlin are changed',
    ],
    [
      'one that they skip each year',
      {
        calendar: {
          dayOfMonth: { start: 25, end: 31 },
          month: 'MARCH',
          dayOfWeek: 'SUNDAY',
          hour: 2,
          minute: { start: 0, end: 59, step: 15 },
          year: { start: 2027, end: 2037 },
        },
      },
      'the clocks of Europe/Berlin are changed',
    ],
  ])('%s', (_case, { timezone = zone, ...when }, found) => {
    expect(neverStarts({ ...when, timezone }, NOW)?.found).toContain(found);
  });

  it.each<[string, { cron?: string; calendar?: Calendar }]>([
    ['29 February', { cron: '0 2 29 2 *' }],
    ['31 of every month that has one', { cron: '0 2 31 * *' }],
    ['30 February or March', { cron: '0 2 30 2,3 *' }],
    ['this year, still to come', { cron: '0 0 2 31 12 * 2026' }],
    ['a time that is skipped only once', { calendar: { dayOfMonth: 28, month: 'MARCH', hour: 2, minute: 30 } }],
  ])('is not %s', (_case, when) => {
    expect(neverStarts({ ...when, timezone: zone }, NOW)).toBeNull();
  });
});

it('starts are in order, within their bounds, and at the requested time', () => {
  const times = fc.record({
    hour: fc.nat(23),
    minute: fc.nat(59),
    days: fc.integer({ min: 1, max: 60 }),
    from: fc.nat(700),
  });
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata');
  fc.assert(
    fc.property(times, zones, ({ hour, minute, days, from }, timezone) => {
      const fromMs = NOW + from * 86_400_000;
      const toMs = fromMs + days * 86_400_000;
      const starts = [...startsBetween({ cron: `${minute} ${hour} * * *`, timezone }, fromMs, toMs)];
      expect(starts).toEqual([...starts].sort((left, right) => left - right));
      const clock = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hour: '2-digit', minute: '2-digit' });
      for (const atMs of starts) {
        expect(atMs >= fromMs && atMs < toMs).toBe(true);
        expect(clock.format(atMs)).toBe(`${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
      }
      // One a day; a clock change removes or adds one.
      expect(Math.abs(starts.length - days)).toBeLessThanOrEqual(1);
    }),
    { numRuns: 60 },
  );
});
