/**
 * What a connection sees of a Temporal server: HTTP/2 that answers every call with a gRPC status that the test chooses, and an empty
 * message where that is `ok`. For what the real server cannot be made to do: refuse, throttle, or never answer.
 */
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Statuses of gRPC that tests answer with or expect. Source: https://grpc.io/docs/guides/status-codes/ */
export const GRPC = {
  ok: 0,
  cancelled: 1,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unavailable: 14,
} as const;

/** A call that arrived. */
export interface GrpcCall {
  /** Counted from 1. */
  readonly number: number;
  /** `DescribeNamespace` */
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

export interface GrpcServer {
  /** `127.0.0.1:12345` */
  readonly address: string;
  /** Resolves when the client has ended its first connection. */
  readonly firstSessionEnded: Promise<void>;
  /** How many calls have arrived. */
  requests(): number;
  /** Resolves when as many calls have arrived. */
  untilAsked(count: number): Promise<void>;
}

/**
 * Starts a server for one test, which ends with it.
 *
 * @param answer the gRPC status of a call, with the message `no right` unless it is `ok`; `null`: no answer at all
 */
export async function startGrpcServer(answer: (call: GrpcCall) => number | null): Promise<GrpcServer> {
  let requests = 0;
  const waiting: { requests: number; resolve: () => void }[] = [];
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  let onEnd = () => {};
  const firstSessionEnded = new Promise<void>((resolve) => (onEnd = resolve));
  server.on('session', (session) => sessions.add(session.once('close', onEnd)));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const number = ++requests;
    for (const each of waiting) if (requests >= each.requests) each.resolve();
    stream.on('error', () => {});
    stream.resume();
    respond(stream, answer({ number, method: String(headers[':path']).split('/').at(-1) ?? '', headers }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    firstSessionEnded,
    requests: () => requests,
    untilAsked: (count) =>
      new Promise<void>((resolve) => {
        if (requests >= count) resolve();
        else waiting.push({ requests: count, resolve });
      }),
  };
}

function respond(stream: ServerHttp2Stream, status: number | null): void {
  if (status === null) return;
  const type = { 'content-type': 'application/grpc' };
  if (status !== GRPC.ok) {
    stream.respond({ ...type, 'grpc-status': String(status), 'grpc-message': 'no right' }, { endStream: true });
    return;
  }
  stream.respond(type, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5)); // An empty message.
}
