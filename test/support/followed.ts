/** Follows outgoing requests in place of a tracer. */
import type { FollowOutgoing, OutgoingRequest, RequestEnding } from '../../src/network/follow-request.js';

/** The header that it gives to each request. */
export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** @returns what follows, and each request with its ending as it was described */
export function recordingFollow() {
  const followed: (OutgoingRequest & RequestEnding)[] = [];
  const follow: FollowOutgoing = async (request, send, endingOf) => {
    const result = await send({ traceparent: TRACEPARENT });
    followed.push({ ...request, ...endingOf(result) });
    return result;
  };
  return { follow, followed };
}
