/** The first look at a body, the same for every sender: JSON in UTF-8, whatever its Content-Type says. */
import type { Refusal, RefusalReason } from '../sender.js';

const decoder = new TextDecoder('utf-8', { fatal: true });

export function refused(status: Refusal['status'], reason: RefusalReason, what: string): Refusal {
  return { kind: 'refused', status, reason, what };
}

/** The JSON stands in a field of its own, since its writer could name a field `kind` as well. */
export function jsonIn(body: Buffer): { readonly kind: 'json'; readonly json: unknown } | Refusal {
  try {
    return { kind: 'json', json: JSON.parse(decoder.decode(body)) };
  } catch {
    return refused(400, 'unreadable', 'the body is no JSON in UTF-8');
  }
}
