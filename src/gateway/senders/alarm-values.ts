/** Checks and bounds the values of alarms. Anyone who can raise an alarm chooses them. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { hasControlCharacters, printable } from '../../domain/text/text.js';

/** More than one delivery of an alarm storm holds. A sender with more must split them. */
export const MOST_ALARMS = 1_000;
/** Chosen: Prometheus alerts have 30 or fewer labels, with short names and values. */
const MOST_LABELS = 64;
const LONGEST_LABEL_NAME = 128;
/** Characters. */
export const LONGEST_LABEL_VALUE = 1_024;
const LONGEST_SUMMARY = 300;

/** The largest difference between clocks that is accepted. */
export const CLOCKS_DIFFER_BY_MS = 5 * 60_000;

const HAS_CONTROL = /\p{Cc}/u;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** One line that is safe to print in a terminal. */
export const Line = z
  .string()
  .regex(/^.{1,200}$/su, 'is not one line of at most 200 characters')
  .refine((text) => !hasControlCharacters(text), 'is not one line of at most 200 characters');

/** An id such as a UUID, hash, base64 text or URN: visible ASCII, which any header can carry (RFC 9110, 5.5). */
export const ID = /^[\x21-\x7e]{1,256}$/;

/** RFC 3339 → epoch milliseconds. Rejects Go's zero time, which means "none". */
export const Moment = z
  .string()
  .regex(RFC_3339, 'is not an RFC 3339 time')
  // RFC 3339 allows a leap second and Date does not: read it as the second before.
  .transform((text) => Date.parse(text.toUpperCase().replace(/(T\d\d:\d\d):60/, '$1:59')))
  .refine((ms) => ms > 0, 'is not an RFC 3339 time');

/** An object of strings → labels without a prototype, so that a look-up finds only names that were sent. Rejects what it would have to cut or drop, because another rule could match then. */
export const Labels = z
  .custom<object>(isPlainObject, 'is not an object')
  .transform((given, context): Readonly<Record<string, string>> => {
    const entries = Object.entries(given);
    const problem = (message: string, name?: string) => {
      context.addIssue({ code: 'custom', message, path: name === undefined ? [] : [name] });
      return z.NEVER;
    };
    if (entries.length > MOST_LABELS) return problem(`more than ${MOST_LABELS} labels`);
    const labels: [string, string][] = [];
    for (const [name, value] of entries as [string, unknown][]) {
      const isName =
        name !== '' && name !== '__proto__' && name.length <= LONGEST_LABEL_NAME && !HAS_CONTROL.test(name);
      if (!isName) return problem('a bad label name', name);
      if (typeof value !== 'string') return problem('a label that is not text', name);
      if (value.length > LONGEST_LABEL_VALUE)
        return problem(`a label longer than ${LONGEST_LABEL_VALUE} characters`, name);
      labels.push([name, value]);
    }
    return labelsOf(labels);
  });

/** Used instead of `z.record`, which silently drops the key `__proto__`. */
function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Makes labels without a prototype. */
export function labelsOf(entries: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Record<string, string>;
}

/** Text of a sender as one line, without control characters, at most 300 characters long. */
export function oneLine(text: string): string {
  const line = text.slice(0, 4 * LONGEST_SUMMARY).replace(/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]+/gu, ' ');
  return Array.from(line.trim()).slice(0, LONGEST_SUMMARY).join('');
}

const LONGEST_SHOWN_NAME = 40;

/** The first problem: the field and what is wrong with it. Shows names of labels, never values. */
export function problemIn({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path.map((part) => printable(String(part).slice(0, LONGEST_SHOWN_NAME))).join('.');
  return `${path || 'it'}: ${issue?.message ?? 'unknown'}`;
}

/** A short id for values of any length and with any characters. */
export function idOf(values: unknown): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);
}

/** Also as JSON writes them, with `\/`. The bound on the scheme keeps matching fast. */
const URLS = /[a-z][a-z0-9+.-]{0,20}:(?:\\?\/){2}\S*/gi;
/** Query parameters of a link whose beginning is missing. */
const QUERIES = /\?[\w.-]+=\S*|\btoken=\S+/gi;

/** Text without links: links of SMN hold tokens and others may, so none may reach a log or a rule. */
export function redactUrls(text: string): string {
  return text.replace(URLS, '<url>').replace(QUERIES, '<cut>');
}

/** True if `redactUrls` would change the text. */
export function holdsUrl(text: string): boolean {
  return redactUrls(text) !== text;
}
