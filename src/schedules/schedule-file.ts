/** The shape of a schedule file, as a zod schema: what editors complete against and what `runbook schedule` checks. */
import { z } from 'zod';
import { ONE_LINE_REMEDY } from '../domain/plan/caller-text.js';
import { durationText, waitingText } from '../domain/runbook/duration-shapes.js';
import { NAME, NAME_REMEDY } from '../domain/runbook/names.js';
import { hasControlCharacters } from '../domain/text/text.js';

/** As Temporal names them, January first. */
export const MONTHS = [
  ...(['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE', 'JULY'] as const),
  ...(['AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'] as const),
] as const;
/** As Temporal names them, Sunday first. */
export const DAYS_OF_WEEK = [
  ...(['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const),
] as const;

const duration = (description: string) => durationText.describe(description);

const STEP_REMEDY = 'Write a whole number from 1 on';

/** A field of a calendar: one value, a range, several of them, or all. */
function field<Value extends z.ZodType>(value: Value, remedy: string, description: string) {
  const range = z.strictObject({
    start: value,
    end: value.describe('Included'),
    step: z.int(STEP_REMEDY).min(1, STEP_REMEDY).optional().describe('Default 1'),
  });
  const one = z.union([value, range]);
  return z
    .union([z.literal('*'), one, z.array(one).min(1)], remedy)
    .optional()
    .describe(description);
}

/** What would be right in a field. @param what one value of it */
function anyOf(what: string): string {
  return `Write ${what}, a range { start, end, step }, a list of them, or "*"`;
}

function numbers(least: number, most: number, description: string) {
  const remedy = anyOf(`a number from ${least} to ${most}`);
  return field(z.int(remedy).min(least, remedy).max(most, remedy), remedy, description);
}

const Calendar = z
  .strictObject({
    second: numbers(0, 59, 'Default 0'),
    minute: numbers(0, 59, 'Default 0'),
    hour: numbers(0, 23, 'Default 0'),
    dayOfMonth: numbers(1, 31, 'Default every day'),
    month: field(z.enum(MONTHS), anyOf('a name such as JANUARY'), 'Default every month'),
    year: numbers(2000, 2100, 'Default every year'),
    dayOfWeek: field(z.enum(DAYS_OF_WEEK), anyOf('a name such as MONDAY'), 'Default every day'),
  })
  .describe("Temporal's own calendar fields; all that are given must fit. Instead of cron");

const ScheduleEntry = z.strictObject({
  runbook: z.string().min(1).describe('Name of a runbook'),
  targets: z
    .array(
      z
        .string()
        .regex(/^[^/\s]+\/[^/\s]+\/[^/\s]+$/, 'Write application/component/instance, as in shop/checkout/prod-1')
        .refine((target) => !hasControlCharacters(target), ONE_LINE_REMEDY),
    )
    .min(1, 'Name at least one target: application/component/instance')
    .max(100)
    .describe('Each as application/component/instance'),
  inputs: z.record(z.string(), z.unknown()).optional().describe('Inputs of the runbook'),
  cron: z
    .string()
    .optional()
    .describe('Five fields: minute hour day-of-month month day-of-week; or seven, with second first and year last'),
  calendar: Calendar.optional(),
  timezone: z.string().describe('IANA name, such as Europe/Berlin'),
  jitter: duration('Starts are spread over that long, each schedule at its own place').optional(),
  window: duration('From the nominal time: no target is begun and no late start is made after it. At least 10s'),
  cutoff: duration('No target is begun that long before the end of the window').optional(),
  fit: z
    .boolean('Write true or false')
    .optional()
    .describe(
      "false: begin a target even if its steps do not usually fit before the end of the window. Default: the runbook's own, else true",
    ),
  overlap: z
    .enum(['skip', 'buffer-one', 'cancel-other'])
    .default('skip')
    .describe('What happens when the run before is still under way'),
  freeze: z.array(z.string().min(1).max(200)).max(20).optional().describe('Calendars that hold the run back'),
  waitAtMost: waitingText
    .describe(
      "How long a run waits for a closed gate, over all its targets together; at most 7d, and never beyond the window. Default: the runbook's own, else not at all",
    )
    .optional(),
  reason: z
    .string()
    .min(1)
    .max(1_000)
    .refine((reason) => !hasControlCharacters(reason), ONE_LINE_REMEDY)
    .optional()
    .describe('Why; part of every report'),
});

/** A schedule file. */
export const ScheduleFile = z.strictObject({
  owner: z
    .string()
    .regex(NAME, NAME_REMEDY)
    .describe('What this file owns on the server: every schedule <owner>/<name>'),
  schedules: z.record(z.string().regex(NAME, NAME_REMEDY), ScheduleEntry),
});

/** A schedule file with its defaults filled in. */
export type ScheduleFile = z.infer<typeof ScheduleFile>;
/** One schedule of a file. */
export type ScheduleEntry = z.infer<typeof ScheduleEntry>;
/** Calendar fields, instead of a cron line. */
export type Calendar = z.infer<typeof Calendar>;
