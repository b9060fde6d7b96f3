/**
 * A gRPC proxy in front of a real server. It passes calls on, and refuses those that a test names, with a gRPC
 * status. Optionally with TLS.
 */
import {
  connect,
  constants,
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface GrpcProxy {
  readonly address: string;
  close(): Promise<void>;
}

/**
 * @param refuse by the name of the method, such as `DescribeSchedule`: the gRPC status code, or `null` to let it pass
 * @param tls the proxy's own certificate, and whose it wants to see; absent: without TLS
 */
export async function startGrpcProxy(
  target: string,
  refuse: (method: string, headers: IncomingHttpHeaders) => number | null,
  tls?: SecureServerOptions,
): Promise<GrpcProxy> {
  const upstream = connect(`http://${target}`);
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.close(constants.NGHTTP2_CANCEL));
    const status = refuse(String(headers[':path']).split('/').at(-1) ?? '', headers);
    if (status !== null) {
      const refusal = { 'content-type': 'application/grpc', 'grpc-status': String(status), 'grpc-message': 'refused' };
      stream.respond(refusal, { endStream: true });
      stream.resume();
      return;
    }
    const call = upstream.request(plain(headers, [':method', ':path']));
    let trailers: OutgoingHttpHeaders = {};
    call.on('error', () => stream.close(constants.NGHTTP2_CANCEL));
    call.on('trailers', (given) => (trailers = plain(given)));
    // A caller that has left needs no answer, and long polls outlive it.
    stream.on('close', () => call.close(constants.NGHTTP2_CANCEL));
    call.on('response', (answer, flags) => {
      if (stream.destroyed) return;
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(plain(answer, [':status']), endStream ? { endStream } : { waitForTrailers: true });
      if (!endStream) call.pipe(stream);
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.pipe(call);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      upstream.destroy();
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Removes what belongs to one connection. */
function plain(headers: IncomingHttpHeaders, pseudo: readonly string[] = []): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => (!name.startsWith(':') || pseudo.includes(name)) && name !== 'connection' && name !== 'host',
    ),
  );
}
