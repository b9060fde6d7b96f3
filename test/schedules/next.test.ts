/** `runbook schedule next`, and the freezes that hit coming runs. */
import { describe, expect, it } from 'vitest';
import type { Calendars } from '../../src/calendars/calendars.js';
import type { Freeze } from '../../src/domain/gates/gates.js';
import { findSchedule } from '../../src/schedules/operate.js';
import { nextOccurrences } from '../../src/schedules/occurrences.js';
import { CALM, useSchedules } from '../support/schedules.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useSchedules(temporal);

/** Calendars in memory, read as the real ones are. */
const readerOf =
  (all: readonly Freeze[]): Calendars['freezesBetween'] =>
  async (names, fromMs, toMs) => ({
    freezes: all.filter((freeze) => names.includes(freeze.calendar) && freeze.fromMs < toMs && fromMs < freeze.toMs),
    problems: names
      .filter((name) => !all.some(({ calendar }) => calendar === name))
      .map((name) => ({ code: 'unknown-calendar', place: name, found: 'there is no such calendar', remedy: 'x' })),
  });

describe.concurrent('next', () => {
  it('shows the coming runs of each schedule in a file, and names those not applied', async () => {
    const owner = desk.newOwner();
    const daily = { ...CALM, cron: '30 12 * * *' };
    await desk.apply(await desk.file(owner, { daily }));
    const file = await desk.file(owner, { daily, fresh: CALM });
    const { stdout, stderr, exitCode } = await desk.run('next', file, '--count', '2');
    expect(exitCode).toBe(0);
    expect(stdout.match(/12:30 Europe\/Berlin {2}\d{4}-\d{2}-\d{2}T1[01]:30:00Z/g)).toHaveLength(2);
    expect(stdout).toContain('restart on shop/checkout/prod-1');
    expect(stderr).toContain(`There is no schedule ${owner}/fresh on the server; apply the file first`);
  });

  it('obeys --count and --until, and shows that a schedule is paused', async () => {
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { daily: { ...CALM, cron: '30 12 * * *' } }));
    await desk.run('pause', `${owner}/daily`);
    const { stdout } = await desk.run('next', `${owner}/daily`, '--count', '9', '--until', '3d', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      schedules: [{ id: `${owner}/daily`, paused: true, timezone: 'Europe/Berlin' }],
    });
    expect((JSON.parse(stdout) as { schedules: { coming: unknown[] }[] }).schedules[0]?.coming).toHaveLength(3);
    expect(await desk.run('next', `${owner}/daily`, '--count', 'all')).toMatchObject({ exitCode: 2 });
    expect(await desk.run('next', `${owner}/daily`, '--until', 'soon')).toMatchObject({ exitCode: 2 });
  });

  it('shows the jitter, and that the times include it', async () => {
    const owner = desk.newOwner();
    const daily = { ...CALM, cron: '30 12 * * *' };
    await desk.apply(await desk.file(owner, { daily, spread: { ...daily, jitter: '20m' } }));
    const spread = await desk.run('next', `${owner}/spread`, '--count', '20');
    expect(spread.stdout).toContain('jitter 20m: the times include it');
    const clocks = [...spread.stdout.matchAll(/ 12:(\d\d) Europe\/Berlin/g)].map(([, minute]) => Number(minute));
    expect(clocks).toHaveLength(20);
    expect(clocks.every((minute) => minute >= 30 && minute <= 50)).toBe(true);
    expect(new Set(clocks).size).toBeGreaterThan(1);
    const json = await desk.run('next', `${owner}/spread`, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ schedules: [{ jitterMs: 20 * 60_000 }] });
    expect((await desk.run('next', `${owner}/daily`)).stdout).not.toContain('jitter');
  });

  it('names the calendars that it cannot check because there is no folder of them', async () => {
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { daily: { ...CALM, cron: '30 12 * * *', freeze: ['prod-freeze'] } }));
    expect((await desk.run('next', `${owner}/daily`)).stdout).toContain('prod-freeze');
  });

  it('shows which freezes hit which occurrence: at its start, or within its window', async () => {
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { daily: { ...CALM, cron: '0 12 * * *', timezone: 'UTC' } }));
    const { seen } = await findSchedule(temporal.client, `${owner}/daily`);
    const at = (text: string) => Date.parse(text);
    const freeze = (name: string, from: string, to: string) => ({
      calendar: 'prod',
      name,
      fromMs: at(from),
      toMs: at(to),
    });
    const found = await nextOccurrences(temporal.client, seen, {
      fromMs: at('2027-06-01T00:00:00Z'),
      untilMs: at('2027-06-05T00:00:00Z'),
      count: 10,
      freezeNames: ['prod', 'unknown'],
      windowMs: 3_600_000,
      freezesBetween: readerOf([
        freeze('quarter end', '2027-06-01T00:00:00Z', '2027-06-02T12:00:00Z'),
        freeze('launch', '2027-06-03T12:30:00Z', '2027-06-03T14:00:00Z'),
        freeze('after the window', '2027-06-04T13:00:00Z', '2027-06-04T14:00:00Z'),
      ]),
    });
    expect(found.coming.map(({ freezes }) => freezes.map(({ name, atStart }) => `${name} ${atStart}`))).toEqual([
      ['quarter end true'],
      [],
      ['launch false'],
      [],
    ]);
    expect(found.problems).toMatchObject([{ place: 'unknown' }]);
  });
});
