/** A limit for requests that the HTTP client does not end itself. */

/** The HTTP client keeps the time limit of a request; after this much more the request is given up here. Chosen: far below `marginMs`. */
export const OVERDUE_MS = 500;

/**
 * Awaits a request of got, and aborts it where got does not: got ends a request through its socket, and never ends where that is closed
 * already, after a 101 for example.
 * @param limitMs `OVERDUE_MS` more than what got itself is given @param givenUp its signal ends the request @param reason the signal's
 */
export async function abortAfter<Answer>(
  request: Promise<Answer>,
  limitMs: number,
  givenUp: AbortController,
  reason: string,
): Promise<Answer> {
  const overdue = setTimeout(() => givenUp.abort(reason), limitMs);
  try {
    return await request;
  } finally {
    clearTimeout(overdue);
  }
}
