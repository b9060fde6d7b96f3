/**
 * Makes foreign text safe for terminals and logs: it cannot move the cursor, set colours, hide, or start a line of
 * its own.
 */
import { printable, printableLines } from '../domain/text/text.js';

/** Colours as picocolors writes them; only renderers of printable facts may add them. */
const OWN_COLOURS = new RegExp(String.raw`(\u001b\[\d{1,2}m)`);

/** Like `printableLines`, but keeps the colours of a renderer. */
export function printablePainted(text: string): string {
  return text
    .split(OWN_COLOURS)
    .map((part, index) => (index % 2 === 0 ? printableLines(part) : part))
    .join('');
}

/**
 * Makes every text and key of plain JSON safe to print on one line, so that only renderers add lines and colours.
 * Texts under the key `message` keep their lines, because a failure lists its problems there; see `messageLines`.
 */
export function printableFacts<Facts>(facts: Facts): Facts {
  return printableValue(facts, '') as Facts;
}

function printableValue(value: unknown, key: string): unknown {
  if (typeof value === 'string') return key === 'message' ? printableLines(value) : printable(value);
  if (Array.isArray(value)) return value.map((item) => printableValue(item, ''));
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [printable(name), printableValue(item, name)]));
}

/** Other objects belong to the SDK, and no renderer shows them. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Splits a message into lines and indents all but the first deeper than any line of ours, so that none can be
 * mistaken for one.
 */
export function messageLines(message: string): string[] {
  const [first = '', ...rest] = message.split('\n');
  return [first, ...rest.map((line) => `    ${line}`)];
}
