/** How a process that starts distinguishes an unreachable Temporal from one that refuses it, and when it gives up. */
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { connectPatiently, TemporalUnreachable, type FailedAttempt } from '../../../src/temporal/patient-connection.js';

const GRPC = { ok: 0, notFound: 5, permissionDenied: 7 };
const GIVEN_UP_AFTER = 10;

/** Temporal as far as a start asks it. @param answer the gRPC status of a call */
async function startServer(answer: (method: string, headers: IncomingHttpHeaders) => number): Promise<string> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const status = answer(String(headers[':path']).split('/').at(-1) ?? '', headers);
    stream.resume();
    const type = { 'content-type': 'application/grpc' };
    if (status !== GRPC.ok) {
      stream.respond({ ...type, 'grpc-status': String(status), 'grpc-message': 'no right' }, { endStream: true });
      return;
    }
    stream.respond(type, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.alloc(5)); // An empty message.
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Connects with pauses of a millisecond. @returns the failed attempts, and the error that ended them */
async function connect(address: string, apiKey?: string | (() => string), onFailed = (_failed: FailedAttempt) => {}) {
  const failed: FailedAttempt[] = [];
  const note = (attempt: FailedAttempt) => {
    failed.push(attempt);
    onFailed(attempt);
  };
  const place = { address, namespace: 'shop.a1b2c', proxy: null };
  const options = { address, ...(apiKey === undefined ? {} : { apiKey, tls: false }) };
  try {
    const connection = await connectPatiently(options, place, note, 1);
    await connection.close();
    return { failed, error: null };
  } catch (error) {
    return { failed, error: error as Error };
  }
}

const bearer = ({ authorization }: IncomingHttpHeaders) => authorization?.replace('Bearer ', '');

it('a refused key from a file is tried until the file has another one', async () => {
  const address = await startServer((_method, headers) =>
    bearer(headers) === 'new' ? GRPC.ok : GRPC.permissionDenied,
  );
  let key = 'old';
  const { failed, error } = await connect(
    address,
    () => key,
    ({ attempt }) => {
      if (attempt === GIVEN_UP_AFTER + 2) key = 'new';
    },
  );
  expect(error).toBeNull();
  expect(failed).toHaveLength(GIVEN_UP_AFTER + 2);
  expect(failed[0]).toEqual({ attempt: 1, of: null, reason: 'no right', isRefused: true });
});

it('a refused key from a variable cannot change: it is given up, and the message does not blame the network', async () => {
  const address = await startServer(() => GRPC.permissionDenied);
  const { failed, error } = await connect(address, 'wrong');
  expect(failed).toHaveLength(GIVEN_UP_AFTER);
  expect(error).toBeInstanceOf(TemporalUnreachable);
  expect(error?.message).toBe(
    `Temporal at ${address} refuses the credentials for the namespace shop.a1b2c: no right. Check the API key or the certificate, and TEMPORAL_NAMESPACE`,
  );
});

it('a key that is good for another namespace is refused as well', async () => {
  const address = await startServer((method) => (method === 'DescribeNamespace' ? GRPC.permissionDenied : GRPC.ok));
  const { failed } = await connect(address, 'of another team');
  expect(failed).toHaveLength(GIVEN_UP_AFTER);
  expect(failed.every(({ isRefused }) => isRefused)).toBe(true);
});

it('a namespace that does not exist is left to what uses it', async () => {
  const address = await startServer((method) => (method === 'DescribeNamespace' ? GRPC.notFound : GRPC.ok));
  expect(await connect(address)).toEqual({ failed: [], error: null });
});
