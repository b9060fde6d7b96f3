/** Values of alarms, checked and bounded: whoever can raise an alarm chooses them. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { hasControlCharacters, printable } from '../../domain/text/text.js';

/** More than one delivery of a storm; beyond it the sender shall send parts. */
export const MOST_ALARMS = 1_000;
/** Chosen: Prometheus itself keeps 30 or fewer; their names and values are short. */
const MOST_LABELS = 64;
const LONGEST_LABEL_NAME = 128;
export const LONGEST_LABEL_VALUE = 1_024;
const LONGEST_SUMMARY = 300;

/** Differences between clocks that are let pass. */
export const CLOCKS_DIFFER_BY_MS = 5 * 60_000;

const HAS_CONTROL = /\p{Cc}/u;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** One line that people can read: it is printed in terminals. */
export const Line = z
  .string()
  .regex(/^.{1,200}$/su, 'is not one line of at most 200 characters')
  .refine((text) => !hasControlCharacters(text), 'is not one line of at most 200 characters');

/** An id as senders make them: UUIDs, hashes, base64, URNs. Visible ASCII, which any header can carry (RFC 9110, 5.5). */
export const ID = /^[\x21-\x7e]{1,256}$/;

/** RFC 3339 → epoch milliseconds. Go's zero time, which stands for "none", is no moment. */
export const Moment = z
  .string()
  .regex(RFC_3339, 'is no time of RFC 3339')
  // A leap second, which RFC 3339 allows and Date does not know, is taken as the second before it.
  .transform((text) => Date.parse(text.toUpperCase().replace(/(T\d\d:\d\d):60/, '$1:59')))
  .refine((ms) => ms > 0, 'is no time of RFC 3339');

/** An object of texts → labels without a prototype, so that no name is found that nobody gave. Nothing is cut or left out: another rule could fit then. */
export const Labels = z
  .custom<object>(isPlainObject, 'is no object')
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
      if (typeof value !== 'string') return problem('a label that is no text', name);
      if (value.length > LONGEST_LABEL_VALUE)
        return problem(`a label longer than ${LONGEST_LABEL_VALUE} characters`, name);
      labels.push([name, value]);
    }
    return labelsOf(labels);
  });

/** Not `z.record`, which passes over the key `__proto__` without a word. */
function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Labels without a prototype. */
export function labelsOf(entries: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Record<string, string>;
}

/** Text of a sender as one line for people, without characters that a terminal obeys. */
export function oneLine(text: string): string {
  const line = text.slice(0, 4 * LONGEST_SUMMARY).replace(/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]+/gu, ' ');
  return Array.from(line.trim()).slice(0, LONGEST_SUMMARY).join('');
}

const LONGEST_SHOWN_NAME = 40;

/** The first problem: which field, and what is wrong with it. Names of labels are shown, no value is. */
export function problemIn({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path.map((part) => printable(String(part).slice(0, LONGEST_SHOWN_NAME))).join('.');
  return `${path || 'it'}: ${issue?.message ?? 'unknown'}`;
}

/** An id of values of any length and any characters. */
export function idOf(values: unknown): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);
}
