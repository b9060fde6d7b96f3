/** What others wrote, as it may go to a terminal or into a log: nothing in it moves the cursor, colours, hides, or begins a line of its own. */
import { printable, printableLines } from '../domain/text/text.js';

/** As picocolors writes them; only text that a renderer made of printable facts may hold them. */
const OWN_COLOURS = new RegExp(String.raw`(\u001b\[\d{1,2}m)`);

/** As `printableLines`, for text that was painted: colours stay. */
export function printablePainted(text: string): string {
  return text
    .split(OWN_COLOURS)
    .map((part, index) => (index % 2 === 0 ? printableLines(part) : part))
    .join('');
}

/**
 * Facts of plain JSON with every text and every key on one line that shows all of itself, for renderers: lines and colours are theirs.
 * Texts under the key `message` keep their lines, since a failure lists its problems there; see `messageLines`.
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

/** Others are the SDK's own, which no renderer shows. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A message of several lines: those after the first are indented further than any line that is ours, so that none passes for one. */
export function messageLines(message: string): string[] {
  const [first = '', ...rest] = message.split('\n');
  return [first, ...rest.map((line) => `    ${line}`)];
}
