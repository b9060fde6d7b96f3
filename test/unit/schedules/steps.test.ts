import { describe, expect, it } from 'vitest';
import { cronProblems } from '../../../src/schedules/cron.js';
import { stepProblem, unevenStep } from '../../../src/schedules/steps.js';

describe('a step that is never reached', () => {
  it.each([
    ['*/90 * * * *', 'minute 90', 'cron "0 */3 * * *" and "30 1-23/3 * * *"'],
    ['*/120 * * * *', 'minute 120', 'Every 120 minutes is cron "0 */2 * * *"'],
    ['*/60 * * * *', 'minute 60', 'Write 0 if once an hour is meant'],
    ['*/1440 * * * *', 'minute 1440', 'Write 0'],
    ['*/100 * * * *', 'minute 100', 'cannot be said by times on a clock'],
    ['15/50 * * * *', 'minute 50', 'Write 15'],
    ['10-20/15 * * * *', 'minute 15', 'Write 10'],
    ['0 */36 * * *', 'hour 36', 'cannot be said by times on a clock'],
    ['0 */48 * * *', 'hour 48', '0 0 */2 * *'],
    ['0 */24 * * *', 'hour 24', 'Write 0'],
    ['0 0 */45 * *', 'days 45', 'Write 1'],
    ['0 0 */31 * *', 'days 31', 'Write 1'],
    ['0 0 1 */18 *', 'months 18', 'Write jan'],
    ['0 0 * * */10', 'days 10', 'Write sun'],
    ['*/90 * * * * * *', 'second 90', 'Write 0'],
    ['0 0 0 1 1 * */200', 'years 200', 'Write 2000'],
    ['5,*/90 * * * *', 'minute 90', 'Write 0'],
  ])('(%s) is a problem that says what would be right', (cron, step, remedy) => {
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
  ])('(%s) is another thing', (cron) => {
    expect(cronProblems(cron)).toEqual([]);
  });

  it('is judged by its own range', () => {
    expect(stepProblem('hour', { start: 8, end: 18, step: 11 }, '8')).not.toBeNull();
    expect(stepProblem('hour', { start: 8, end: 19, step: 11 }, '8')).toBeNull();
  });
});

describe('a step that fits twice, unevenly', () => {
  it.each([
    ['minute', 45, 'after 45 minutes, then after 15'],
    ['hour', 16, 'after 16 hours, then after 8'],
    ['second', 31, 'after 31 seconds, then after 29'],
  ] as const)('of the %s (%i) is told as it is', (field, step, text) => {
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
