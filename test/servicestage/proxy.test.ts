/** Requests through an HTTP proxy: what a refusal proves, where the fence is, and that a POST still has its own connection. */
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/server.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { clientOf, clientOfSimulator, failureOf, passwordOf, post, READ, TARGET, targetIn, tokenOf } from './client.js';
import { answer, closedPort, startRawServer } from './raw-server.js';
import { selfSigned } from './self-signed.js';

const JOB = { job_id: 'JOB-1' };

describe('through a proxy', () => {
  it('go reads and actions, each action on a connection of its own', async () => {
    const simulator = await startSimulator({ port: 0 });
    onTestFinished(() => simulator.close());
    const proxy = await startConnectProxy();
    const client = clientOfSimulator(simulator, tokenOf(simulator), { proxyFor: () => proxy.url });
    const target = targetIn(simulator, 'shop/checkout/prod-1');
    await client.readInstance(target, READ);
    await client.readInstance(target, READ);
    expect(proxy.asked).toEqual([new URL(simulator.url).host]);
    const { cloudJobId } = await post(client, { target });
    expect(cloudJobId).not.toBe('');
    expect(proxy.asked).toHaveLength(2);
  });

  it('goes the sign-in at IAM', async () => {
    const simulator = await startSimulator({ port: 0 });
    onTestFinished(() => simulator.close());
    const proxy = await startConnectProxy();
    const client = clientOfSimulator(simulator, passwordOf(simulator), { proxyFor: () => proxy.url });
    await client.readInstance(targetIn(simulator, 'shop/checkout/prod-1'), READ);
    expect(proxy.asked).toHaveLength(2);
  });

  it('goes the name of the server: it is the proxy that looks it up', async () => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, JOB) });
    const proxy = await startConnectProxy({ port: server.port });
    const client = clientOf({ endpoint: 'http://servicestage.invalid:8080', proxyFor: () => proxy.url });
    await expect(post(client)).resolves.toEqual({ cloudJobId: 'JOB-1' });
    expect(proxy.asked).toEqual(['servicestage.invalid:8080']);
    expect(server.arrivals[0]?.head).toContain('servicestage.invalid:8080');
  });

  it('go credentials of the proxy, to the proxy alone', async () => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, JOB) });
    const proxy = await startConnectProxy();
    const url = Object.assign(new URL(proxy.url), { username: 'me', password: 'p%40ss' });
    await post(clientOf({ endpoint: server.endpoint, proxyFor: () => url }));
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
    expect(server.arrivals[0]?.head).not.toMatch(/proxy-auth/i);
  });

  it('at an IPv6 address', async () => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, JOB) });
    const proxy = await startConnectProxy({ host: '::1', port: server.port });
    const client = clientOf({ endpoint: 'http://[2001:db8::1]:8080', proxyFor: () => proxy.url });
    await expect(post(client)).resolves.toEqual({ cloudJobId: 'JOB-1' });
    expect(proxy.asked).toEqual(['[2001:db8::1]:8080']);
  });
});

describe('the fence of a POST through a proxy', () => {
  it('comes after the tunnel: what it throws leaves the server without a byte', async () => {
    const server = await startRawServer({});
    const proxy = await startConnectProxy();
    const late = new Error('too late');
    const beforeFirstByte = () => {
      expect(proxy.asked).toHaveLength(1);
      throw late;
    };
    const sent = post(clientOf({ endpoint: server.endpoint, proxyFor: () => proxy.url }), { beforeFirstByte });
    await expect(sent).rejects.toBe(late);
    expect(server.arrivals).toEqual([]);
  });

  it('comes after the handshake with the server behind it', async () => {
    const server = createTlsServer(selfSigned());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const proxy = await startConnectProxy();
    let asked = 0;
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sent = post(clientOf({ endpoint, proxyFor: () => proxy.url }), { beforeFirstByte: () => void asked++ });
    const error = await failureOf(sent);
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect([asked, proxy.asked.length]).toEqual([0, 1]);
  });
});

describe('a POST that the proxy did not let through was not sent', () => {
  it.each([407, 403, 502, 504])('when it answers %i', async (refuseWith) => {
    const server = await startRawServer({});
    const proxy = await startConnectProxy({ refuseWith });
    const url = Object.assign(new URL(proxy.url), { username: 'me', password: 'hidden-word' });
    const error = await failureOf(post(clientOf({ endpoint: server.endpoint, proxyFor: () => url })));
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(error.message).toContain(`through the proxy http://${proxy.url.host}: it answered ${refuseWith} to CONNECT`);
    expect(error.message).not.toContain('hidden-word');
    expect(server.connections).toBe(0);
  });

  it('when it stays silent', async () => {
    const proxy = await startConnectProxy({ refuseWith: 'silent' });
    const client = clientOf({ endpoint: 'https://servicestage.invalid', proxyFor: () => proxy.url });
    expect(await failureOf(post(client, { timeoutMs: 300 }))).toMatchObject({ code: 'Unreachable', sent: 'no' });
  });

  it('when its answer drips and never ends, and the connection to it ends too', async () => {
    let closed = () => {};
    const ended = new Promise<void>((resolve) => (closed = resolve));
    const proxy = createTcpServer((socket) => {
      socket.on('error', () => {});
      const drip = setInterval(() => socket.write('y'), 20);
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nX: '));
      socket.on('close', () => (clearInterval(drip), closed()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    const url = new URL(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const client = clientOf({ endpoint: 'https://servicestage.invalid', proxyFor: () => url });
    expect(await failureOf(post(client, { timeoutMs: 300 }))).toMatchObject({ code: 'Unreachable', sent: 'no' });
    await ended;
  });

  it('when nothing listens there', async () => {
    const proxy = new URL(`http://127.0.0.1:${await closedPort()}`);
    const client = clientOf({ endpoint: 'https://servicestage.invalid', proxyFor: () => proxy });
    const error = await failureOf(post(client));
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(error.message).toContain('ECONNREFUSED');
  });
});

describe('a POST whose tunnel was open may have been read', () => {
  it('when the answer is lost', async () => {
    const server = await startRawServer({ onRequest: (socket) => socket.resetAndDestroy() });
    const proxy = await startConnectProxy();
    const error = await failureOf(post(clientOf({ endpoint: server.endpoint, proxyFor: () => proxy.url })));
    expect(error).toMatchObject({ code: 'Unanswered', sent: 'unknown' });
    expect([server.connections, server.arrivals.length]).toEqual([1, 1]);
  });
});

describe('a read that the proxy did not let through', () => {
  it.each([407, 502])(
    'is Unreachable when it answers %i, not what its status would mean from ServiceStage',
    async (status) => {
      const proxy = await startConnectProxy({ refuseWith: status });
      const client = clientOf({ endpoint: 'https://servicestage.invalid', proxyFor: () => proxy.url });
      const error = await failureOf(client.readInstance(TARGET, READ));
      expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
      expect(error.message).toContain(`it answered ${status} to CONNECT`);
    },
  );
});
