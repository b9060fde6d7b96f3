/** Schedules that are valid but look like a mistake. */
import { describe, expect, it } from 'vitest';
import { findRunbook } from '../../../src/runbooks/catalogue.js';
import type { Problem } from '../../../src/domain/failures.js';
import type { Freeze } from '../../../src/domain/gates/gates.js';
import { parseSchedules } from '../../../src/schedules/read-schedules.js';
import { scheduleWarnings } from '../../../src/schedules/warnings.js';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const DAY_MS = 86_400_000;

async function warningsOf(
  entry: string,
  freezes: readonly Omit<Freeze, 'calendar'>[] = [],
  problems: readonly Problem[] = [],
) {
  const text = `owner: t\nschedules:\n  s:\n    runbook: restart\n    targets: [shop/checkout/prod-1]\n    timezone: UTC\n${entry
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('')}`;
  const read = await parseSchedules(text, 'x.yaml', { findRunbook: (name) => findRunbook([], name), nowMs: NOW });
  if (Array.isArray(read)) throw new Error(JSON.stringify(read));
  const warnings = await scheduleWarnings(read.schedules, {
    nowMs: NOW,
    untilMs: NOW + 400 * DAY_MS,
    freezesBetween: async ([calendar = '']) => ({
      freezes: freezes.map((freeze) => ({ ...freeze, calendar })),
      problems: [...problems],
    }),
  });
  return warnings.map(({ kind, text: words }) => `${kind}: ${words}`);
}

const freeze = (from: string, to: string, name = 'Year end') => ({
  name,
  fromMs: Date.parse(from),
  toMs: Date.parse(to),
});
const NIGHTLY = 'cron: 0 2 * * *\nwindow: 1h\nfreeze: [prod]';

describe('a schedule is warned about', () => {
  it('that starts in more than a year', async () => {
    expect(await warningsOf('cron: 0 2 29 2 *\nwindow: 1h')).toEqual([
      'far: its next start is 2028-02-29 02:00 (UTC), more than a year away',
    ]);
    expect(await warningsOf('cron: 0 2 1 11 *\nwindow: 1h')).toEqual([]);
  });

  it('whose window lies in a freeze, with how often, by which freeze and when first', async () => {
    expect(await warningsOf(NIGHTLY, [freeze('2026-12-20T00:00Z', '2027-01-01T00:00Z')])).toEqual([
      'frozen: the whole window of 12 of its 56 starts in the next eight weeks lies in a freeze (prod: Year end), the first on 2026-12-20 02:00 (UTC): such a run does nothing',
    ]);
  });

  it('all of whose starts are frozen', async () => {
    const all = [freeze('2026-11-01T00:00Z', '2027-06-01T00:00Z', 'Migration')];
    expect((await warningsOf(NIGHTLY, all)).join()).toContain('all its 56 starts');
  });

  it('whose window is covered by several consecutive freezes', async () => {
    const two = [
      freeze('2026-12-05T02:30Z', '2026-12-05T03:00Z', 'B'),
      freeze('2026-12-05T01:00Z', '2026-12-05T02:30Z', 'A'),
    ];
    expect((await warningsOf(NIGHTLY, two)).join()).toContain('1 of its 56 starts');
  });

  it('with a step that fits unevenly', async () => {
    expect(await warningsOf('cron: "*/45 * * * *"\nwindow: 10m')).toEqual([
      'uneven: a step of 45 minutes starts at minute 0 and 45 of every hour: after 45 minutes, then after 15',
    ]);
  });

  it('whose calendar cannot be read, unless there is no folder of calendars at all', async () => {
    const problem = { place: 'prod.ics:7', found: 'an event without a beginning', remedy: 'Correct it' };
    expect(await warningsOf(NIGHTLY, [], [{ ...problem, code: 'wrong-event' }])).toEqual([
      'frozen: a calendar has a problem, and counts as frozen: prod.ics:7: an event without a beginning',
    ]);
    expect(await warningsOf(NIGHTLY, [], [{ ...problem, code: 'calendar-not-read' }])).toEqual([]);
  });

  it('not if the window is longer than the freeze, ends after it, or no calendar is named', async () => {
    expect(await warningsOf(NIGHTLY, [freeze('2026-12-05T02:00Z', '2026-12-05T02:59Z')])).toEqual([]);
    expect(await warningsOf(NIGHTLY, [freeze('2026-12-05T02:01Z', '2026-12-05T04:00Z')])).toEqual([]);
    expect(await warningsOf('cron: 0 2 * * *\nwindow: 1h', [freeze('2026-12-01T00:00Z', '2027-06-01T00:00Z')])).toEqual(
      [],
    );
  });

  it('whose starts are too many to count, all of them or some', async () => {
    const all = [freeze('2026-11-01T00:00Z', '2027-06-01T00:00Z')];
    const found = await warningsOf('cron: "* * * * * * *"\nwindow: 10s\nfreeze: [prod]', all);
    expect(found.join()).toContain('the whole window of all its starts in the next eight weeks');
    const later = [freeze('2026-12-25T00:00Z', '2026-12-27T00:00Z')];
    for (const cron of ['* * * * *', '* * * * * * *'])
      expect(await warningsOf(`cron: "${cron}"\nwindow: 30m\nfreeze: [prod]`, later)).toEqual([
        'frozen: the whole window of some of its starts in the next eight weeks lies in a freeze (prod: Year end), the first on 2026-12-25 00:00 (UTC): such a run does nothing',
      ]);
    const never = [freeze('2026-12-25T00:00Z', '2026-12-25T00:29:59Z')];
    expect(await warningsOf('cron: "* * * * *"\nwindow: 30m\nfreeze: [prod]', never)).toEqual([]);
  });

  it('whose cut-off leaves no time to begin after a freeze', async () => {
    const cut = 'cron: 0 2 * * *\nwindow: 2h\ncutoff: 30m\nfreeze: [prod]';
    expect((await warningsOf(cut, [freeze('2026-12-05T02:00Z', '2026-12-05T03:45Z')])).join()).toContain(
      '1 of its 56 starts',
    );
    expect((await warningsOf(cut, [freeze('2026-12-05T02:00Z', '2026-12-05T03:30Z')])).join()).toContain(
      '1 of its 56 starts',
    );
    expect(await warningsOf(cut, [freeze('2026-12-05T02:00Z', '2026-12-05T03:29Z')])).toEqual([]);
    expect(await warningsOf(cut, [freeze('2026-12-05T02:01Z', '2026-12-05T03:59Z')])).toEqual([]);
  });

  it('by only the freezes that cover a start', async () => {
    const two = [
      freeze('2026-12-05T01:00Z', '2026-12-05T04:00Z', 'Long'),
      freeze('2026-12-06T02:00Z', '2026-12-06T02:10Z', 'Short'),
    ];
    expect((await warningsOf(NIGHTLY, two)).join()).toContain(
      '1 of its 56 starts in the next eight weeks lies in a freeze (prod: Long)',
    );
  });
});
