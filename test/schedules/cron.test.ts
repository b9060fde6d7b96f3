/** Our own check of cron lines, held to the server's answers: what is let through, it takes; what it does not take, is told about. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cronProblems } from '../../src/schedules/cron.js';
import { describedForm } from '../../src/schedules/ownership.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();

/** What the server makes of a line: its calendars, or its refusal. */
async function serverSays(cron: string): Promise<unknown> {
  const scheduleId = `cron-${randomUUID()}`;
  try {
    const handle = await temporal.client.schedule.create({
      scheduleId,
      spec: { cronExpressions: [cron], timezone: 'Europe/Berlin' },
      action: { type: 'startWorkflow', workflowType: 'none', taskQueue: temporal.taskQueue },
      state: { paused: true },
    });
    const form = describedForm(await handle.describe()) as { when: string[] };
    await handle.delete();
    return form.when;
  } catch (error) {
    return error instanceof TypeError ? 'refused' : error;
  }
}

describe('a cron line', () => {
  it.each([
    ['30 2 * * *', '0 30 2 * * * *'],
    ['*/15 8-18 * * 1-5', '0 */15 8-18 * * MONDAY-FRIDAY *'],
    ['0 20 1,15 * mon', '0 0 20 1,15 * MONDAY *'],
    ['0 3 1 jan-mar/2 7', '0 0 3 1 JANUARY-MARCH/2 SUNDAY *'],
    ['0 3 * DEC Fri-Sat', '0 0 3 * DECEMBER FRIDAY-SATURDAY *'],
    ['10/20 * * * *', '0 10-59/20 * * * * *'],
    ['*/2 * * * * * *', '*/2 * * * * * *'],
    ['0 30 2 * * * 2027-2028', '0 30 2 * * * 2027-2028'],
  ])('(%s) that is let through is taken', async (cron, calendar) => {
    expect(cronProblems(cron)).toEqual([]);
    expect(await serverSays(cron)).toEqual([calendar]);
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
  ])('(%s) that the server does not take is told about', async (cron) => {
    expect(cronProblems(cron).length).toBeGreaterThan(0);
    expect(await serverSays(cron)).toBe('refused');
  });

  // Taken by the server, and refused here, since other tools read them in another way or they hide what the file says elsewhere.
  it.each([['30 2 * * * *'], ['@daily'], ['@every 1h'], ['CRON_TZ=Europe/Berlin 0 2 * * *'], ['0 2 * * * # nightly']])(
    '(%s) that could be read in two ways is told about, although the server takes it',
    async (cron) => {
      expect(cronProblems(cron).length).toBeGreaterThan(0);
      expect(await serverSays(cron)).not.toBe('refused');
    },
  );
});
