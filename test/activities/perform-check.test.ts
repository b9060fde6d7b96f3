/** `performCheck` against real servers: what it asks, what it refuses, and how it ends. */
import { CompleteAsyncError } from '@temporalio/activity';
import { ActivityCancellationDetails, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { lookup as resolve } from 'node:dns';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CheckAccess } from '../../src/activities/dependencies.js';
import { performCheck } from '../../src/activities/perform-check.js';
import type { CheckEvidence, HttpCheck } from '../../src/domain/checks/check.js';
import type { CheckMemory } from '../../src/domain/checks/check-state.js';
import { createCheckClient, type CheckHosts } from '../../src/network/check-client.js';
import { noProxies, proxyChoice } from '../../src/network/proxies.js';
import { selfSigned } from '../servicestage/self-signed.js';
import { answer, closedPort, startRawServer } from '../servicestage/raw-server.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { recordingFollow, TRACEPARENT } from '../support/followed.js';

const QUICK = { status: 200, header: {}, json: [], text: null, withinMs: 0, stableMs: 0, timeoutMs: 1_000 };

interface Given {
  readonly want?: Partial<HttpCheck>;
  readonly checks?: CheckAccess;
  readonly previous?: CheckMemory;
  readonly deadlineInMs?: number;
}

interface Ended {
  readonly evidence?: CheckEvidence;
  readonly failure?: { readonly name: string; readonly message: string; readonly retryable: boolean };
  readonly error?: unknown;
  readonly heartbeats: readonly CheckMemory[];
}

const clientOf = (hosts: Partial<CheckHosts>) => createCheckClient({ allowed: [], internal: [], ...hosts }, noProxies);

function begin(url: string, { want, checks, previous, deadlineInMs = 60_000 }: Given = {}) {
  const details = previous === undefined ? {} : { heartbeatDetails: previous };
  const environment = new MockActivityEnvironment(details, { logger: new DefaultLogger('ERROR') });
  const heartbeats: CheckMemory[] = [];
  environment.on('heartbeat', (memory: CheckMemory) => heartbeats.push(memory));
  const access = checks ?? clientOf({ internal: [new URL(url).host] });
  const check = { ...QUICK, ...want, url };
  const request = { stepId: 'check', check, deadlineAtMs: Date.now() + deadlineInMs, heartbeatTimeoutMs: 300 };
  const running = environment.run(() => performCheck(access, request)) as Promise<CheckEvidence>;
  const ended: Promise<Ended> = running.then(
    (evidence) => ({ evidence, heartbeats }),
    (error: unknown) => ({ ...failureIn(error), heartbeats }),
  );
  return { ended, heartbeats, environment };
}

function failureIn(error: unknown): Omit<Ended, 'heartbeats'> {
  if (!(error instanceof ApplicationFailure)) return { error };
  const evidence = error.details?.[0] as CheckEvidence | undefined;
  const failure = { name: error.type ?? '', message: error.message, retryable: error.nonRetryable !== true };
  return { error, failure, ...(evidence === undefined ? {} : { evidence }) };
}

const run = (url: string, given: Given = {}) => begin(url, given).ended;

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  return `http://127.0.0.1:${await listen(server)}`;
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('a check', () => {
  it('passes with evidence of the answer', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'X-Version': '1.4', 'Set-Cookie': 'secret=1' }).end('{"state":"ok"}');
    });
    const want = { header: { 'x-version': '1.4' }, json: [{ path: 'state', equals: 'ok' }], text: 'ok' };
    const { evidence } = await run(`${url}/health?a=b`, { want });
    expect(evidence).toMatchObject({
      url: `${url}/health?a=b`,
      requests: 1,
      status: 200,
      address: '127.0.0.1',
      headers: { 'x-version': '1.4' },
      body: '{"state":"ok"}',
      unmet: [],
    });
    expect(JSON.stringify(evidence)).not.toContain('secret');
  });

  it('asks with a GET on a connection of its own, without credentials', async () => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, 'ok') });
    await run(`${server.endpoint}/health`, { want: { withinMs: 5_000, stableMs: 100 } });
    const [first] = server.arrivals;
    expect(first?.method).toBe('GET');
    expect(first?.head).not.toMatch(/authorization|cookie/i);
    expect(server.arrivals.length).toBeGreaterThan(1);
    expect(server.connections).toBe(server.arrivals.length);
  });

  it('waits until the answer is the wanted one, and holds', async () => {
    let asked = 0;
    const url = await serve((_request, response) => void response.writeHead(++asked < 3 ? 503 : 200).end('body'));
    const { evidence, heartbeats } = await run(url, { want: { withinMs: 10_000, stableMs: 200 } });
    expect(evidence?.status).toBe(200);
    expect(evidence?.heldMs).toBeGreaterThanOrEqual(200);
    expect(evidence?.requests).toBe(asked);
    expect(heartbeats.some(({ retrying }) => retrying?.reason === 'status 503, and 200 is wanted')).toBe(true);
  });

  it('begins to hold again where it broke', async () => {
    let asked = 0;
    const url = await serve((_request, response) => void response.writeHead(++asked === 2 ? 500 : 200).end());
    const { evidence } = await run(url, { want: { withinMs: 10_000, stableMs: 300 } });
    expect(evidence?.requests).toBeGreaterThanOrEqual(4);
  });

  it('fails with the reason and the body', async () => {
    const url = await serve((_request, response) => void response.writeHead(503).end('database is missing'));
    const { failure, evidence } = await run(url, { want: { withinMs: 300 } });
    expect(failure).toMatchObject({ name: 'CheckFailed', retryable: false });
    expect(failure?.message).toMatch(/did not answer as wanted within .*: status 503, and 200 is wanted$/);
    expect(evidence).toMatchObject({ status: 503, body: 'database is missing' });
    expect(evidence?.requests).toBeGreaterThan(1);
  });

  it('ends at the deadline of the run', async () => {
    const url = await serve((_request, response) => void response.writeHead(503).end());
    const { failure } = await run(url, { want: { withinMs: 60_000 }, deadlineInMs: 300 });
    expect(failure).toMatchObject({ name: 'DeadlinePassed', retryable: false });
  });
});

describe('a bad answer', () => {
  it('redirects, which is not followed', async () => {
    const paths: string[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url ?? '');
      response.writeHead(302, { location: '/inside' }).end();
    });
    const { failure } = await run(`${url}/health`);
    expect(failure?.message).toContain('status 302, and 200 is wanted; redirects are not followed');
    expect(paths).toEqual(['/health']);
  });

  it('never comes', async () => {
    const url = await serve(() => {});
    const { failure, evidence } = await run(url, { want: { timeoutMs: 200 } });
    expect(failure?.message).toContain('no complete answer within 200 ms');
    expect(evidence).toMatchObject({ requests: 1, status: null, body: null });
  });

  it('never ends', async () => {
    const url = await serve((_request, response) => {
      const drip = setInterval(() => response.write('x'), 20);
      onTestFinished(() => clearInterval(drip));
      response.writeHead(200);
    });
    const { failure } = await run(url, { want: { timeoutMs: 300 } });
    expect(failure?.message).toContain('no complete answer within 300 ms');
  });

  it('is huge, and is not read to its end', async () => {
    let written = 0;
    const url = await serve((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const more = () => {
        while (written < 1_000 && response.write(chunk)) written++;
      };
      response.writeHead(200);
      response.on('drain', more);
      more();
    });
    const { failure, evidence } = await run(url, { want: { text: 'ready', timeoutMs: 5_000 } });
    expect(failure?.message).toContain('text "ready" is not in the part of the body that was read');
    expect(JSON.stringify(evidence).length).toBeLessThan(3_000);
    expect(written).toBeLessThan(1_000);
  });

  it('is compressed all the same', async () => {
    const url = await serve((request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.from([0x1f, 0x8b, 8, 0]));
    });
    expect((await run(url, { want: { text: 'ready' } })).failure?.message).toContain('is not in the body');
  });

  it('is not HTTP', async () => {
    const server = await startRawServer({ onRequest: (socket) => void socket.end('SSH-2.0-OpenSSH\r\n') });
    expect((await run(server.endpoint)).failure?.message).toMatch(/HPE_|Parse Error/);
  });

  it('is another protocol', async () => {
    const server = await startRawServer({
      onRequest: (socket) => void socket.write('HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    });
    const { failure } = await run(server.endpoint, { want: { timeoutMs: 200 } });
    expect(failure?.message).toContain('no complete answer within 200 ms');
  });

  it('has headers without end', async () => {
    const server = await startRawServer({
      onRequest: (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`),
    });
    expect((await run(server.endpoint)).failure?.message).toMatch(/HPE_HEADER_OVERFLOW/);
  });

  it('comes with a certificate that no authority signed, also where the environment switches the check off', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const server = createSecureServer(selfSigned(), (_request, response) => void response.writeHead(200).end());
    const port = await listen(server);
    const { failure, evidence } = await run(`https://127.0.0.1:${port}/`);
    expect(failure?.message).toMatch(/CERT|certificate/i);
    expect(evidence?.status).toBeNull();
  });

  it('is refused at the port', async () => {
    const { failure } = await run(`http://127.0.0.1:${await closedPort()}/`);
    expect(failure?.message).toContain('ECONNREFUSED');
  });
});

describe('a host', () => {
  it('that no variable lists is not asked', async () => {
    let asked = 0;
    const url = await serve((_request, response) => void (asked++, response.end()));
    const { failure, evidence } = await run(url, { want: { withinMs: 60_000 }, checks: clientOf({}) });
    expect(failure?.name).toBe('CheckFailed');
    expect(failure?.message).toMatch(/was not asked: .*RUNBOOK_CHECK_HOSTS/);
    expect(evidence?.requests).toBe(1);
    expect(asked).toBe(0);
  });

  it('that is listed as public and has a private address is not asked', async () => {
    let asked = 0;
    const url = await serve((_request, response) => void (asked++, response.end()));
    const named = url.replace('127.0.0.1', 'localhost');
    const checks = clientOf({ allowed: [new URL(named).host, new URL(url).host] });
    for (const each of [named, url]) {
      const { failure } = await run(each, { want: { withinMs: 60_000 }, checks });
      expect(failure?.message).toMatch(/is private. List the host in RUNBOOK_CHECK_INTERNAL_HOSTS/);
    }
    expect(asked).toBe(0);
  });

  it.each([
    ['a metadata service', '169.254.169.254', 'internal'],
    ['a metadata service in IPv6', '::ffff:169.254.169.254', 'internal'],
    ['a private address', '10.0.0.1', 'allowed'],
    ['loopback in IPv6', '::1', 'allowed'],
  ] as const)('that resolves to %s is not connected to', async (_name, address, list) => {
    const lookup = answering([[address]]);
    const checks = createCheckClient({ allowed: [], internal: [], [list]: ['shop.example.com'] }, noProxies, {
      lookup,
    });
    const { failure, evidence } = await run('http://shop.example.com/', { want: { withinMs: 60_000 }, checks });
    expect(failure?.message).toContain(`shop.example.com has the address ${address}, which`);
    // It does not try again for the minute that it has.
    expect(evidence?.requests).toBe(1);
  });

  it('is not connected to where one of its addresses is forbidden', async () => {
    const lookup = answering([['192.0.0.1', '169.254.169.254']]);
    const checks = createCheckClient({ allowed: [], internal: ['shop.example.com'] }, noProxies, { lookup });
    expect((await run('http://shop.example.com/', { checks })).failure?.message).toContain('169.254.169.254');
  });

  it('is judged by the address of each connection, not by an earlier answer of the DNS', async () => {
    let asked = 0;
    const url = new URL(await serve((_request, response) => void (asked++, response.writeHead(503).end())));
    const host = `shop.example.com:${url.port}`;
    const lookup = answering([['127.0.0.1'], ['169.254.169.254']]);
    const checks = createCheckClient({ allowed: [], internal: [host] }, noProxies, { lookup });
    const { failure, evidence } = await run(`http://${host}/`, { want: { withinMs: 60_000 }, checks });
    expect(failure?.message).toContain('169.254.169.254');
    expect([asked, evidence?.requests]).toEqual([1, 2]);
  });

  it('behind a proxy is asked through it', async () => {
    const url = new URL(await serve((_request, response) => void response.writeHead(200).end('ok')));
    const proxy = await startConnectProxy({ port: Number(url.port) });
    const proxyFor = proxyChoice({ https: null, http: proxy.url, except: [] });
    const checks = createCheckClient({ allowed: ['shop.example.com'], internal: [] }, proxyFor);
    const { evidence } = await run('http://shop.example.com/', { checks, want: { text: 'ok' } });
    expect(evidence).toMatchObject({ status: 200, address: null });
    expect(proxy.asked).toEqual(['shop.example.com:80']);
  });
});

describe('requests of checks', () => {
  const following = (hosts: Partial<CheckHosts>, lookup?: typeof resolve) => {
    const { follow, followed } = recordingFollow();
    const options = lookup === undefined ? { follow } : { follow, lookup };
    return { followed, checks: createCheckClient({ allowed: [], internal: [], ...hosts }, noProxies, options) };
  };

  it('are followed with what came of each, and carry the trace', async () => {
    const asked: unknown[] = [];
    const url = await serve(({ headers: { traceparent } }, response) => {
      asked.push(traceparent);
      response.writeHead(200).end(asked.length === 1 ? 'starting' : 'ready');
    });
    const { host, hostname, port } = new URL(url);
    const { checks, followed } = following({ internal: [host] });
    const { evidence } = await run(`${url}/health?token=sesame`, { checks, want: { text: 'ready', withinMs: 60_000 } });
    expect(evidence?.requests).toBe(2);
    const request = { method: 'GET', purpose: 'check', host: hostname, port: Number(port), status: 200 };
    expect(followed).toEqual([{ ...request, failure: 'unmet' }, request]);
    expect(asked).toEqual([TRACEPARENT, TRACEPARENT]);
  });

  it('show in messages no query, which may hold a token; the evidence has the whole URL', async () => {
    const url = await serve((_request, response) => void response.writeHead(503).end());
    const { failure, evidence } = await run(`${url}/health?token=sesame`);
    expect(failure?.message).toContain(`${url}/health?… did not answer as wanted`);
    expect(failure?.message).not.toContain('sesame');
    expect(evidence?.url).toBe(`${url}/health?token=sesame`);
  });

  it('have no status where there was no answer', async () => {
    const host = `127.0.0.1:${await closedPort()}`;
    const { checks, followed } = following({ internal: [host] });
    await run(`http://${host}/`, { checks });
    expect(followed).toMatchObject([{ failure: 'unanswered' }]);
    expect(followed[0]).not.toHaveProperty('status');
  });

  it('are not followed where nothing is asked', async () => {
    const { checks, followed } = following({});
    await run('http://shop.example.com/', { checks });
    expect(followed).toEqual([]);
  });
});

/** Answers of the DNS, one after the other; the last one again and again. */
function answering(answers: readonly (readonly string[])[]): typeof resolve {
  let at = 0;
  const resolveNext = (_host: string, _options: unknown, callback: (error: null, addresses: unknown[]) => void) => {
    const addresses = answers[Math.min(at++, answers.length - 1)] ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return resolveNext as unknown as typeof resolve;
}

describe('an attempt', () => {
  const down = () => serve((_request, response) => void response.writeHead(503).end());
  const long = { want: { withinMs: 60_000 } };

  it('that is cancelled ends at once as cancelled', async () => {
    const { ended, heartbeats, environment } = begin(await down(), long);
    await expect.poll(() => heartbeats.length).toBeGreaterThan(1);
    environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect((await ended).error).toBeInstanceOf(CancelledFailure);
  });

  it('that is cancelled while it waits for an answer ends at once', async () => {
    const { ended, environment } = begin(await serve(() => {}), { want: { withinMs: 60_000, timeoutMs: 60_000 } });
    environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect((await ended).error).toBeInstanceOf(CancelledFailure);
  });

  it('whose worker stops is taken over by another one', async () => {
    const { ended, heartbeats, environment } = begin(await down(), long);
    await expect.poll(() => heartbeats.length).toBeGreaterThan(1);
    environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    expect((await ended).failure).toMatchObject({ name: 'WorkerStopped', retryable: true });
  });

  it('that is replaced leaves silently', async () => {
    const { ended, environment } = begin(await down(), long);
    environment.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));
    expect((await ended).error).toBeInstanceOf(CompleteAsyncError);
  });

  it('continues with the time and the count of the one before it', async () => {
    const previous = { startedAtMs: Date.now() - 60_000, requests: 7 };
    const { failure, evidence, heartbeats } = await run(await down(), { want: { withinMs: 30_000 }, previous });
    expect(failure?.name).toBe('CheckFailed');
    expect(evidence?.requests).toBe(8);
    expect(heartbeats[0]).toEqual(previous);
  });

  it('sends heartbeats while it waits for an answer', async () => {
    const { ended, heartbeats } = begin(await serve(() => {}), { want: { timeoutMs: 500 } });
    await ended;
    expect(heartbeats.length).toBeGreaterThan(3);
  });
});
