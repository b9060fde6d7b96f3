/** Follows requests that leave the process, for example to trace them. Requests to ServiceStage and IAM have their own way: `servicestage/http.ts`. */

/** What is asked for. */
type Purpose = 'check' | 'webhook' | 'certificate' | 'subscription';

/** A request, without what may be secret: path, query, headers and body. */
export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly purpose: Purpose;
  /** Name or address. */
  readonly host: string;
  /** Absent: that of the scheme. */
  readonly port?: number;
  /** The webhook that is notified, by its name in the notifications file. */
  readonly webhook?: string;
}

/** How a request ended. */
export interface RequestEnding {
  /** The HTTP status. Absent: there was no answer. */
  readonly status?: number;
  /** One word from a closed set, such as `unanswered`. Absent: it ended as wanted. */
  readonly failure?: string;
}

/**
 * Must call `send` once and pass on what that returns or throws.
 *
 * @param send takes headers to be sent besides the request's own
 * @param endingOf what a result means
 */
export type FollowOutgoing = <Result>(
  request: OutgoingRequest,
  send: (headers: Readonly<Record<string, string>>) => Promise<Result>,
  endingOf: (result: Result) => RequestEnding,
) => Promise<Result>;

/** Adds nothing. */
export const notFollowed: FollowOutgoing = (_request, send) => send({});

/** Describes a request by its method, its purpose and where it goes. */
export function outgoing(
  method: OutgoingRequest['method'],
  purpose: Purpose,
  { hostname, port }: URL,
): OutgoingRequest {
  return { method, purpose, host: hostname, ...(port === '' ? {} : { port: Number(port) }) };
}
