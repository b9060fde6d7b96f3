import { describe, expect, it } from 'vitest';
import { calendarOfCron, cronProblems } from '../../../src/schedules/cron.js';
import { stepProblem, unevenStep } from '../../../src/schedules/steps.js';

function secondsOfDay(cron: string): number[] {
  const { hour, minute, second } = calendarOfCron(cron);
  const [hours = [], minutes = [], seconds = []] = [hour, minute, second].map((ranges) =>
    ranges.flatMap(({ start, end, step }) =>
      Array.from({ length: Math.floor((end - start) / step) + 1 }, (_item, index) => start + index * step),
    ),
  );
  return hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => (h * 60 + m) * 60 + s)));
}

describe('a step that is never reached', () => {
  it.each([
    ['*/90 * * * *', 'minute 90', 'cron "0 */3 * * *" and "30 1-23/3 * * *"'],
    ['*/120 * * * *', 'minute 120', 'Every 120 minutes is cron "0 */2 * * *"'],
    ['*/60 * * * *', 'minute 60', 'Write 0 if once an hour is meant'],
    ['*/1440 * * * *', 'minute 1440', 'Write 0'],
    ['*/100 * * * *', 'minute 100', 'cannot be written as times on a clock'],
    ['15/50 * * * *', 'minute 50', 'Write 15'],
    ['10-20/15 * * * *', 'minute 15', 'Write 10'],
    ['0 */36 * * *', 'hour 36', 'cannot be written as times on a clock'],
    ['0 */48 * * *', 'hour 48', '0 0 */2 * *'],
    ['0 */24 * * *', 'hour 24', 'Write 0'],
    ['0 0 */45 * *', 'days 45', 'Write 1'],
    ['0 0 */31 * *', 'days 31', 'Write 1'],
    ['0 0 1 */18 *', 'months 18', 'Write jan'],
    ['0 0 * * */10', 'days 10', 'Write sun'],
    ['*/90 * * * * * *', 'second 90', 'Write 0'],
    ['0 0 0 1 1 * */200', 'years 200', 'Name each year that is meant'],
    ['0 0 0 1 1 * 2020-2026/7', 'years 7', 'Name each year that is meant'],
    ['0-0/5 * * * *', 'minute 5', 'Every 5 minutes is */5, a range over the whole hour'],
    ['59/2 * * * *', 'minute 2', 'Every 2 minutes is */2'],
    ['59/15 * * * *', 'minute 15', 'Every 15 minutes is */15'],
    ['50/30 * * * * * *', 'second 30', 'Every 30 seconds is */30'],
    ['0 23/6 * * *', 'hour 6', 'Every 6 hours is */6, a range over the whole day'],
    ['0 0 1 12/3 *', 'months 3', 'Every 3 months is */3, a range over the whole year'],
    ['0 0 1 */24 *', 'months 24', 'such as */2 as the last of seven fields'],
    ['0 0 31/2 * *', 'days 2', 'comes nearest to cron "0 0 */2 * *"'],
    ['0 0 30/7 * *', 'days 7', 'is a day of the week, such as cron "0 0 * * 1"'],
    ['59/45 * * * *', 'minute 45', 'are 4 schedules'],
    ['59/50 * * * * * *', 'second 50', 'cannot be written as times on a clock'],
    ['5,*/90 * * * *', 'minute 90', 'Write 0'],
  ])('(%s) is a problem with a remedy', (cron, step, remedy) => {
    const problems = cronProblems(cron);
    expect(problems).toHaveLength(1);
    const [unit = '', length = ''] = step.split(' ');
    expect(problems[0]?.found).toContain(
      `the step of ${length} ${unit.endsWith('s') ? unit : `${unit}s`} is never reached`,
    );
    expect(problems[0]?.remedy).toContain(remedy);
  });

  it.each([
    '*/1 * * * *',
    '*/59 * * * *',
    '*/45 * * * *',
    '0 */23 * * *',
    '0 8-18/10 * * *',
    '0 0 */30 * *',
    '0 0 1 */11 *',
    '0 0 1 */12 *',
    '0 0 * * */7',
    '0 0 * * 1-7/6',
    '59 * * * *',
  ])('is not found in (%s)', (cron) => {
    expect(cronProblems(cron)).toEqual([]);
  });

  it.each([
    ['0 0 * * 1-7/7', 'Write mon if once a week is meant'],
    ['0 0 1 mar-dec/12 *', 'Write mar if once a year is meant'],
    ['0 */24 * * *', 'Write 0 if once a day is meant'],
  ])('(%s) is reported with one remedy if the step is exactly one cycle', (cron, remedy) => {
    expect(cronProblems(cron).map((problem) => problem.remedy)).toEqual([remedy]);
  });

  it('has a remedy that starts exactly at the interval of the step', () => {
    const bySecond = Array.from({ length: 150 }, (_item, index) => [1, index + 60] as const);
    const byMinute = Array.from({ length: 1_440 }, (_item, index) => [60, index + 60] as const);
    let checked = 0;
    for (const [unit, step] of [...bySecond, ...byMinute]) {
      const field = unit === 1 ? 'second' : 'minute';
      const { remedy } = stepProblem(field, { start: 0, end: 59, step }, '0') ?? { remedy: '' };
      const lines = [...remedy.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text);
      if (lines.length === 0 || remedy.includes('comes nearest')) continue;
      expect(lines.flatMap(cronProblems)).toEqual([]);
      const times = lines.flatMap(secondsOfDay).sort((left, right) => left - right);
      expect(times).toEqual(Array.from({ length: 86_400 / (step * unit) }, (_item, index) => index * step * unit));
      checked++;
    }
    // The steps that divide a day evenly and need at most four schedules.
    expect(checked).toBe(18);
  });

  it('is checked against its own range', () => {
    expect(stepProblem('hour', { start: 8, end: 18, step: 11 }, '8')).not.toBeNull();
    expect(stepProblem('hour', { start: 8, end: 19, step: 11 }, '8')).toBeNull();
  });
});

describe('a step that fits twice, unevenly', () => {
  it.each([
    ['minute', 45, 'after 45 minutes, then after 15'],
    ['hour', 16, 'after 16 hours, then after 8'],
    ['second', 31, 'after 31 seconds, then after 29'],
  ] as const)('of the %s (%i) is described as it fires', (field, step, text) => {
    expect(unevenStep(field, { start: 0, end: field === 'hour' ? 23 : 59, step })).toContain(text);
  });

  it.each([
    ['minute', 0, 59, 30],
    ['minute', 0, 59, 7],
    ['minute', 0, 59, 1],
    ['minute', 10, 59, 45],
    ['hour', 0, 23, 12],
    ['dayOfMonth', 1, 31, 20],
  ] as const)('is not %s from %i to %i by %i', (field, start, end, step) => {
    expect(unevenStep(field, { start, end, step })).toBeNull();
  });
});
