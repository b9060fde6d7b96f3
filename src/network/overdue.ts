/** A limit for requests that the HTTP client does not end itself. */

/** The HTTP client keeps the time limit of a request; after this much more the request is given up here. Chosen: far below `marginMs`. */
const OVERDUE_MS = 500;

/**
 * Awaits a request of got, and aborts it where got does not: got ends a request through its socket, and never ends where that is closed
 * already, after a 101 for example.
 * @param timeoutMs what the request itself has @param givenUp its signal ends the request @param reason the signal's
 */
export async function abortOverdue<Answer>(
  request: Promise<Answer>,
  timeoutMs: number,
  givenUp: AbortController,
  reason: string,
): Promise<Answer> {
  const overdue = setTimeout(() => givenUp.abort(reason), timeoutMs + OVERDUE_MS);
  try {
    return await request;
  } finally {
    clearTimeout(overdue);
  }
}
