/** Limits for requests that the HTTP client does not end itself. */

/** Longer than the limit that the HTTP client keeps. Chosen: far below `marginMs`. */
const OVERDUE_MS = 500;

/**
 * Awaits a request whose limit got keeps, and aborts it where got does not: got ends a request through its socket, and never ends where that is
 * closed already, after a 101 for example.
 * @param timeoutMs what the request itself has @param givenUp its signal ends the request @param reason the signal's
 */
export function abortOverdue<Answer>(
  request: Promise<Answer>,
  timeoutMs: number,
  givenUp: AbortController,
  reason: string,
): Promise<Answer> {
  return abortAfter(request, timeoutMs + OVERDUE_MS, givenUp, reason);
}

/** The same for a request that has no limit in got. */
export async function abortAfter<Answer>(
  request: Promise<Answer>,
  limitMs: number,
  givenUp: AbortController,
  reason: string,
): Promise<Answer> {
  let isLast: NodeJS.Immediate | undefined;
  // If the process was frozen, the answer may have arrived meanwhile. The event loop reads sockets after its timers.
  const limit = setTimeout(() => {
    isLast = setImmediate(() => givenUp.abort(reason));
  }, limitMs);
  try {
    return await request;
  } finally {
    clearTimeout(limit);
    clearImmediate(isLast);
  }
}
