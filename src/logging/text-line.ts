/** Log lines for a person at a terminal: time, level, message, and the fields as `name=value`. */
import { printable } from '../domain/text/text.js';

/** Every line has it, so that a person learns nothing from it. */
const LEFT_OUT = ['service'];
const LONGEST_LEVEL = 'error'.length;

/** A line as `log.ts` makes it. */
interface Line extends Readonly<Record<string, unknown>> {
  readonly time: string;
  readonly level: string;
  readonly msg?: string;
}

/** @param json one line of the log, as JSON. @returns the same as text, with its line break */
export function textLine(json: string): string {
  const { time, level, msg = '', ...fields } = JSON.parse(json) as Line;
  const shown = Object.entries(fields)
    .filter(([name]) => !LEFT_OUT.includes(name))
    .map(([name, value]) => `${name}=${shownValue(value)}`);
  const head = `${time} ${level.toUpperCase().padEnd(LONGEST_LEVEL)} ${msg}`;
  return `${printable([head, ...shown].join('  '))}\n`;
}

/** Text with spaces or signs of the form is quoted. */
function shownValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
