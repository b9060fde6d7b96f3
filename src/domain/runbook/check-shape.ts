/** The shape of a check in a runbook file. */
import { z } from 'zod';
import { MOST_OF_CHECK } from '../checks/check.js';
import { durationMs } from '../time/duration.js';
import { durationText } from './duration-shapes.js';

const duration = (description: string) => durationText.describe(description);
const URL_REMEDY = 'Write a URL such as "https://shop.example.com/health"';
const wantedText = (remedy: string) => z.string(remedy).min(1, remedy).max(MOST_OF_CHECK.value);
const wantedMap = <Value extends z.ZodType>(value: Value, remedy: string) =>
  z.record(z.string(), value, remedy).optional();
const JSON_REMEDY = 'Write text, a number, true, false or null';

/** What a step `check` asks, and what it wants. */
export const CheckShape = z
  .strictObject(
    {
      http: z
        .string(URL_REMEDY)
        .regex(/^(?:https?:\/\/|\$\{\{)/i, URL_REMEDY)
        .max(MOST_OF_CHECK.url)
        .describe('The URL to GET; its host must be in RUNBOOK_CHECK_HOSTS of the workers'),
      status: z.int().min(100).max(599).default(200).describe('The status that is wanted'),
      header: wantedMap(
        wantedText('Write the whole value as text'),
        'Write a line for each header, as in { x-version: "1.4" }',
      ).describe('Header names and their whole values'),
      json: wantedMap(
        z.union([z.string().max(MOST_OF_CHECK.value), z.number(), z.boolean(), z.null()], JSON_REMEDY),
        'Write a line for each path, as in { data.state: ok }',
      ).describe('Paths such as data.items[0].state, and what is wanted there'),
      text: wantedText('Write some text').optional().describe('Text that the body contains'),
      within: duration('How long the wanted answer may take to appear; default 2m').optional(),
      stable: duration('How long it must hold without a break; default 10s').optional(),
      timeout: durationText
        .refine((text) => (durationMs(text) ?? 0) >= 1 && (durationMs(text) ?? 0) <= 60_000, 'Write at most 60s')
        .describe('Limit of one request; default 5s, at most 60s')
        .optional(),
    },
    'Write keys and values, as in check: { http: "https://shop.example.com/health" }',
  )
  .describe('Asks a URL until the answer is the wanted one, and holds');
