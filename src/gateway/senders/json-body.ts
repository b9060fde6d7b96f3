/** Parses a body for every kind of sender: as JSON in UTF-8, whatever its Content-Type is. */
import { refused } from './authentication.js';
import type { Refusal } from './sender.js';

/** Far more than any sender needs. Nothing in a body costs the parser more than nesting. */
const MOST_LEVELS = 32;

const decoder = new TextDecoder('utf-8', { fatal: true });

const GZIP = [0x1f, 0x8b];

/** Parses a body. The value has a field of its own here, because the sender could write a field `kind` too. */
export function parseJson(body: Buffer): { readonly kind: 'json'; readonly json: unknown } | Refusal {
  const unreadable = (what: string) => refused(400, 'unreadable', what);
  if (body.length === 0) return unreadable('the body is empty');
  if (GZIP.every((byte, index) => body[index] === byte))
    return unreadable('the body is compressed: send it without Content-Encoding');
  if (isTooDeep(body)) return unreadable(`the body is nested more than ${MOST_LEVELS} deep`);
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    return unreadable('the body is not UTF-8');
  }
  try {
    return { kind: 'json', json: JSON.parse(text) };
  } catch (error) {
    // The parser's own message contains part of the body.
    const [, at] = /position (\d+)/.exec(String(error)) ?? [];
    return unreadable(`the body is not JSON${at === undefined ? '' : `: see character ${Number(at) + 1}`}`);
  }
}

function isTooDeep(body: Buffer): boolean {
  let level = 0;
  let inText = false;
  for (let index = 0; index < body.length; index++) {
    const character = String.fromCharCode(body[index] ?? 0);
    if (inText && character === '\\') index++;
    else if (character === '"') inText = !inText;
    else if (!inText && (character === '[' || character === '{')) level++;
    else if (!inText && (character === ']' || character === '}')) level--;
    if (level > MOST_LEVELS) return true;
  }
  return false;
}
