/** Log lines for a person at a terminal: time, level, message, and the fields as `name=value`. */
import { printable } from '../domain/text/text.js';

/** Every line has it, so that a person learns nothing from it. */
const LEFT_OUT = ['service'];
const LONGEST_LEVEL = 'error'.length;

/** @param json one line of the log, as JSON. @returns the same as text, with its line break */
export function textLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const shown = Object.entries(fields)
    .filter(([name]) => !LEFT_OUT.includes(name))
    .map(([name, value]) => `${name}=${shownValue(value)}`);
  const head = `${String(time)} ${String(level).toUpperCase().padEnd(LONGEST_LEVEL)} ${String(msg ?? '')}`;
  return `${printable([head, ...shown].join('  '))}\n`;
}

/** Text that could be taken for something else is quoted. */
function shownValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
