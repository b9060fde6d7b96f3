/** One POST, over real sockets: what its end proves, that it goes out once, and on a connection of its own. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http from 'node:http';
import { createServer as createTlsServer } from 'node:tls';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientOf, failureOf, post, READ, TARGET } from './client.js';
import { pause } from '../../src/time/pause.js';
import { answer, closedPort, startRawServer, type Behaviour } from './raw-server.js';
import { selfSigned } from './self-signed.js';

const HALF = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{"job_id":"JO';

/** The bytes lie in the kernel of the other side; it is not known here whether a program read them. */
function resetUnread(socket: Socket): void {
  socket.pause();
  setTimeout(() => socket.resetAndDestroy(), 20);
}

describe('a POST that may have been read is Unanswered', () => {
  it.each<{ name: string; behaviour: Behaviour }>([
    { name: 'is reset before it is read', behaviour: { onConnection: resetUnread } },
    { name: 'is reset after it was read', behaviour: { onRequest: (socket) => socket.resetAndDestroy() } },
    {
      name: 'is answered with another protocol',
      behaviour: {
        onRequest: (socket) => void socket.write('HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
      },
    },
    { name: 'is closed without an answer', behaviour: { onRequest: (socket) => socket.end() } },
    { name: 'is never answered', behaviour: {} },
    { name: 'gets half an answer and a close', behaviour: { onRequest: (socket) => void socket.end(HALF) } },
    { name: 'gets half an answer and silence', behaviour: { onRequest: (socket) => void socket.write(HALF) } },
    { name: 'gets something that is not HTTP', behaviour: { onRequest: (socket) => void socket.end('SSH-2.0-x\r\n') } },
    { name: 'gets 200 without a job_id', behaviour: { onRequest: (socket) => answer(socket, 200, {}) } },
    {
      name: 'gets 200 with an empty job_id',
      behaviour: { onRequest: (socket) => answer(socket, 200, { job_id: '' }) },
    },
    { name: 'gets 200 with HTML', behaviour: { onRequest: (socket) => answer(socket, 200, '<html>OK</html>') } },
    { name: 'gets 204', behaviour: { onRequest: (socket) => void socket.end('HTTP/1.1 204 No Content\r\n\r\n') } },
    {
      name: 'gets an answer larger than 8 MiB',
      behaviour: { onRequest: (socket) => answer(socket, 200, 'x'.repeat(9 * 1024 * 1024)) },
    },
  ])('when it $name', async ({ behaviour }) => {
    const server = await startRawServer(behaviour);
    const error = await failureOf(post(clientOf(server), { timeoutMs: 500 }));
    expect(error).toMatchObject({ code: 'Unanswered', sent: 'unknown' });
    expect(server.connections).toBe(1);
    expect(server.arrivals.length).toBeLessThanOrEqual(1);
  });
});

describe('a POST that never had a connection is Unreachable: it was not sent', () => {
  it('when nothing listens', async () => {
    const error = await failureOf(post(clientOf({ endpoint: `http://127.0.0.1:${await closedPort()}` })));
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('when the host name does not exist', async () => {
    const error = await failureOf(post(clientOf({ endpoint: 'http://servicestage.invalid' })));
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
  });

  it.each<{ name: string; behaviour: Behaviour }>([
    { name: 'does not use TLS', behaviour: { onConnection: (socket) => void socket.end('HTTP/1.1 400 No\r\n\r\n') } },
    { name: 'resets the handshake', behaviour: { onConnection: (socket) => socket.resetAndDestroy() } },
    { name: 'never answers the handshake', behaviour: {} },
  ])('when the other side $name', async ({ behaviour }) => {
    const { port } = await startRawServer(behaviour);
    const error = await failureOf(post(clientOf({ endpoint: `https://127.0.0.1:${port}` }), { timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
  });

  it('when the certificate is not trusted', async () => {
    let bytes = 0;
    const server = createTlsServer(selfSigned(), (socket) => socket.on('data', (chunk) => (bytes += chunk.length)));
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const error = await failureOf(post(clientOf({ endpoint: `https://127.0.0.1:${port}` })));
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(bytes).toBe(0);
  });
});

describe('a POST whose connection is closed before its first byte is Unreachable: it was not sent', () => {
  it.each([
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ['closes', (socket: Socket) => socket.end()],
  ])('when the other side %s it while the send lease is asked for', async (_case, close) => {
    const sockets: Socket[] = [];
    const server = await startRawServer({ onConnection: (socket) => void sockets.push(socket) });
    const sent = post(clientOf(server), {
      beforeFirstByte: async () => {
        for (const socket of sockets) close(socket);
        await pause(100);
      },
    });
    const error = await failureOf(sent);
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(error.message).toContain('closed before the first byte');
    expect(server.arrivals).toEqual([]);
  });
});

describe('the fence of a POST', () => {
  it('is asked when the connection is open, and if it throws, the other side receives no byte', async () => {
    let bytes = 0;
    const server = await startRawServer({
      onConnection: (socket) => socket.on('data', ({ length }) => (bytes += length)),
    });
    const fenced = new Error('too late');
    const sent = post(clientOf(server), {
      beforeFirstByte: () => {
        // The fence must come after the connection is open, because a process can be frozen while it connects.
        expect(server.connections).toBe(1);
        throw fenced;
      },
    });
    await expect(sent).rejects.toBe(fenced);
    expect(bytes).toBe(0);
  });

  it('is asked once the request is prepared, because a process that freezes between them would send when it wakes', async () => {
    let prepared = 0;
    const count = () => void prepared++;
    subscribe('got:request:start', count);
    onTestFinished(() => void unsubscribe('got:request:start', count));
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, { job_id: 'JOB-1' }) });
    let preparedWhenAsked = 0;
    const made = vi.spyOn(http, 'request');
    onTestFinished(() => made.mockRestore());
    let completeWhenAsked: readonly boolean[] = [];
    const beforeFirstByte = () => {
      preparedWhenAsked = prepared;
      completeWhenAsked = made.mock.results.map(({ value }) => (value as http.ClientRequest).writableEnded);
    };
    await post(clientOf(server), { beforeFirstByte });
    expect(preparedWhenAsked).toBe(1);
    expect(completeWhenAsked).toEqual([true]);
    expect(server.arrivals).toHaveLength(1);
  });

  it('is not asked where no connection comes about', async () => {
    let asked = false;
    const sent = post(clientOf({ endpoint: `http://127.0.0.1:${await closedPort()}` }), {
      beforeFirstByte: () => (asked = true),
    });
    expect(await failureOf(sent)).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(asked).toBe(false);
  });
});

describe('a POST goes out once', () => {
  it.each([301, 302, 303, 307, 308, 400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504, 507, 521])(
    'when %i answers it',
    async (status) => {
      const server = await startRawServer({
        onRequest: (socket) =>
          answer(socket, status, { error_msg: 'no' }, { Location: '/elsewhere', 'Retry-After': '0' }),
      });
      const error = await failureOf(post(clientOf(server)));
      expect(error.httpStatus).toBe(status);
      expect(server.arrivals.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'POST /v2/project-0001/cas/applications/app-0001/components/comp-0001/instances/inst-0001/action',
      ]);
    },
  );
});

describe('what a POST sends', () => {
  it.each([
    [{ action: 'stop' } as const, '{"action":"stop"}'],
    [{ action: 'scale', replica: 4 } as const, '{"action":"scale","parameters":{"replica":4}}'],
    [
      { action: 'scale', replica: 2, hosts: ['ecs-1'] } as const,
      '{"action":"scale","parameters":{"replica":2,"hosts":["ecs-1"]}}',
    ],
    [{ action: 'rollback', version: '1.0.0' } as const, '{"action":"rollback","parameters":{"version":"1.0.0"}}'],
  ])('%o is the documented body', async (action, body) => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, { job_id: 'JOB1' }) });
    expect(await post(clientOf(server), { action })).toEqual({ cloudJobId: 'JOB1' });
    expect(server.arrivals.map((arrival) => arrival.body)).toEqual([body]);
    expect(server.arrivals[0]?.head).toMatch(/^x-auth-token: a-token\r?$/im);
    expect(server.arrivals[0]?.head).toMatch(/^content-type: application\/json\r?$/im);
  });
});

describe('connections', () => {
  const instance = { status_detail: { status: 'RUNNING' } };

  it('no POST shares a connection with anything', async () => {
    const server = await startRawServer({
      onRequest: (socket, { method }) => answer(socket, 200, method === 'POST' ? { job_id: 'JOB1' } : instance),
    });
    const client = clientOf(server);
    for (let round = 0; round < 3; round++) {
      await client.readInstance(TARGET, READ);
      await post(client);
    }
    const used = server.arrivals.map(({ connection }) => connection);
    const ofPosts = server.arrivals.filter(({ method }) => method === 'POST').map(({ connection }) => connection);
    expect(ofPosts).toHaveLength(3);
    for (const connection of ofPosts) expect(used.filter((other) => other === connection)).toHaveLength(1);
  });

  it('a server that closes kept-alive connections does not break the POST after a read', async () => {
    const server = await startRawServer({
      onRequest: (socket, { method }) => {
        answer(socket, 200, method === 'POST' ? { job_id: 'JOB1' } : instance);
        // Closed just as the next request would be written on it.
        if (method === 'GET') setTimeout(() => socket.resetAndDestroy(), 0);
      },
    });
    const client = clientOf(server);
    for (let round = 0; round < 20; round++) {
      await client.readInstance(TARGET, READ).catch(() => {}); // A read may meet the closing; it is asked again elsewhere.
      expect(await post(client)).toEqual({ cloudJobId: 'JOB1' });
    }
  });
});
