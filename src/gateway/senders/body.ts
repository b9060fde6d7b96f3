/** The first look at a body, the same for every sender: JSON in UTF-8, whatever its Content-Type says. */
import type { Refusal, RefusalReason } from '../sender.js';

/** Far deeper than any sender writes; nesting costs the parser more than anything else a body can hold. */
const MOST_LEVELS = 32;

const decoder = new TextDecoder('utf-8', { fatal: true });

export function refused(status: Refusal['status'], reason: RefusalReason, what: string): Refusal {
  return { kind: 'refused', status, reason, what };
}

/** The JSON stands in a field of its own, since its writer could name a field `kind` as well. */
export function jsonIn(body: Buffer): { readonly kind: 'json'; readonly json: unknown } | Refusal {
  if (isDeep(body)) return refused(400, 'unreadable', `the body is nested more than ${MOST_LEVELS} deep`);
  try {
    return { kind: 'json', json: JSON.parse(decoder.decode(body)) };
  } catch {
    return refused(400, 'unreadable', 'the body is no JSON in UTF-8');
  }
}

function isDeep(body: Buffer): boolean {
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
