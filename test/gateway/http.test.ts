/** A stranger can do little to the gateway over HTTP, and that is bounded. These gateways run dry, without Temporal. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type RunningGateway } from '../../src/gateway/gateway.js';
import { alertmanagerBody, deliver, restartRule, TOKEN, useGateway } from '../support/gateway.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
const alert = alertmanagerBody([{ labels: { alertname: 'InstanceHangs', instance: 'prod-1' } }]);
let gateway: RunningGateway;
let file: string;
beforeAll(async () => {
  file = await desk.file(desk.newOwner(), { hung: restartRule() });
  gateway = await desk.start(file, 'dry');
});

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** A connection that sends this text and nothing more. */
async function say(words: string, to = gateway): Promise<Socket> {
  const { port } = new URL(to.url);
  const socket = connect(Number(port), '127.0.0.1');
  open.push(socket);
  await once(socket, 'connect');
  socket.write(words);
  return socket;
}

const BEGUN = `POST /alarms/prod HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\ncontent-length: 100\r\n\r\n{`;

async function metrics(): Promise<string> {
  return (await fetch(`${gateway.url}/metrics`)).text();
}

it('serves probes and metrics on a port of their own', async () => {
  const own = await desk.start(file, 'dry', { health: { host: '127.0.0.1', port: 0 } });
  const url = `http://127.0.0.1:${own.healthPort}`;
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    {
      ready: true,
      checks: {
        accepts: { ok: true, reason: 'it takes deliveries' },
        temporal: { ok: true, reason: 'Temporal answers' },
      },
    },
  ]);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('# TYPE runbook_gateway_deliveries_total counter');
  expect((await fetch(`${url}/alarms/prod`, { method: 'POST' })).status).toBe(405);
  await own.close();
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
});

describe('access', () => {
  it('gives a wrong token and an unknown sender the same answer', async () => {
    const wrong = await deliver(gateway.url, alert, 'a-wrong-token-0123456789');
    const unknown = await deliver(gateway.url, alert, TOKEN, 'unknown');
    const odd = await deliver(gateway.url, alert, TOKEN, '__proto__');
    for (const { status, json, headers } of [wrong, unknown, odd]) {
      expect(status).toBe(401);
      expect(json).toEqual({ error: 'unauthorized', message: wrong.json.message });
      expect(headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(await metrics()).toContain(
      'runbook_gateway_refused_deliveries_total{sender="unknown",reason="unauthorized"} 2',
    );
  });

  it('accepts no other methods and serves no other paths', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const answer = await fetch(`${gateway.url}/alarms/prod`, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('POST');
    }
    for (const path of ['/', '/alarms', '/alarms/', '/alarms/prod/more', '/healthz/more'])
      expect((await fetch(`${gateway.url}${path}`)).status).toBe(404);
    expect((await fetch(`${gateway.url}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('refuses a body that does not fit its sender', async () => {
    expect(await deliver(gateway.url, '{"alerts": "none"}')).toMatchObject({
      status: 400,
      json: { error: 'unreadable' },
    });
    expect(await deliver(gateway.url, Buffer.from([0xff, 0xfe]))).toMatchObject({ status: 400 });
    expect(await deliver(gateway.url, '')).toMatchObject({ status: 400 });
  });
});

describe('bounds', () => {
  it('refuses more than 1 MiB with 413, with or without a Content-Length', async () => {
    const large = Buffer.alloc(1024 * 1024 + 1, 0x20);
    expect(await deliver(gateway.url, large)).toMatchObject({ status: 413, json: { error: 'tooLarge' } });
    const { port } = new URL(gateway.url);
    const chunked = request({
      port,
      path: '/alarms/prod',
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    chunked.write(large);
    chunked.end();
    const [answer] = (await once(chunked, 'response')) as [{ statusCode: number; resume(): void }];
    answer.resume();
    expect(answer.statusCode).toBe(413);
    // Up to the limit it is a body like any other.
    expect(await deliver(gateway.url, Buffer.alloc(1024 * 1024, 0x20))).toMatchObject({ status: 400 });
  });

  it('cuts off a client that never stops sending', async () => {
    const socket = await say(BEGUN.replace('content-length: 100', 'content-length: 900000000'));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let sent = 0;
    const push = () => {
      while (!socket.destroyed && sent < 64 * 1024 * 1024 && socket.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024;
    };
    socket.on('error', () => undefined);
    socket.on('drain', push);
    push();
    await closed;
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it('closes a connection whose headers or body never end', async () => {
    const hurried = await desk.start(file, 'dry', { timeouts: { headersMs: 200, requestMs: 400 } });
    const silent = await say('POST /alarms/prod HTTP/1.1\r\nhost: x\r\n', hurried);
    const slow = await say(BEGUN, hurried);
    silent.resume();
    slow.resume();
    await Promise.all([once(silent, 'close'), once(slow, 'close')]);
    const refused = await (await fetch(`${hurried.url}/metrics`)).text();
    expect(refused).toContain('runbook_gateway_rejected_requests_total{reason="timedOut"} 2');
  });

  it('reads a thousand alarms in one delivery, and not one more', async () => {
    const many = (count: number) =>
      alertmanagerBody(Array.from({ length: count }, (_, index) => ({ labels: { alertname: 'A', n: String(index) } })));
    expect((await deliver(gateway.url, many(1_000))).json.decisions).toHaveLength(1_000);
    expect(await deliver(gateway.url, many(1_001))).toMatchObject({ status: 413 });
  });
});

describe('its health, metrics and log', () => {
  it('is healthy and ready, and counts', async () => {
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${gateway.url}/readyz`)).json()).toEqual({ ready: true, dryRun: true });
    await deliver(gateway.url, alert);
    const text = await metrics();
    expect(text).toMatch(/runbook_gateway_deliveries_total\{sender="prod",result="dryRun"\} \d+/);
    expect(text).toMatch(/runbook_gateway_alarms_total\{sender="prod",status="firing"\} \d+/);
    expect(text).toMatch(/process_resident_memory_bytes \d+/);
    expect((await fetch(`${gateway.url}/metrics`)).headers.get('content-type')).toContain('text/plain; version=0.0.4');
  });

  it('logs no secret, and of a thousand forged calls only the first', async () => {
    let logged = '';
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        logged += chunk.toString();
        done();
      },
    });
    let nowMs = 1_000_000;
    const talking = await startGateway({
      alarms: await desk.read(file),
      host: '127.0.0.1',
      port: 0,
      temporal: null,
      log: pino({ level: 'trace' }, sink),
      clock: () => nowMs,
    });
    const forged = `forged-${randomBytes(16).toString('hex')}`;
    for (let index = 0; index < 1_000; index++) await deliver(talking.url, alert, forged);
    expect(logged.match(/delivery refused/g)).toHaveLength(1);
    nowMs += 10_000;
    await deliver(talking.url, alert, forged);
    expect(logged.match(/"suppressed":999,"msg":"delivery refused"/g)).toHaveLength(1);
    await deliver(talking.url, alert);
    await talking.close();
    expect(logged.match(/delivery refused/g)).toHaveLength(2);
    expect(logged).toContain('"unauthorized"');
    expect(logged).toContain('would start restart');
    expect(logged).not.toContain(forged);
    expect(logged).not.toContain(TOKEN);
  });
});

describe('a dry run', () => {
  it('shows what would start, and why other alarms would not', async () => {
    const { json } = await deliver(
      gateway.url,
      alertmanagerBody([
        { labels: { alertname: 'InstanceHangs', instance: 'prod-1' } },
        { labels: { alertname: 'InstanceHangs', instance: '../etc' } },
        { labels: { alertname: 'InstanceHangs' } },
        { labels: { alertname: 'Other' } },
        { labels: { alertname: 'InstanceHangs', instance: 'prod-2' }, status: 'resolved' },
      ]),
    );
    expect(json).toMatchObject({
      dryRun: true,
      decisions: [
        {
          rule: 'hung',
          wouldStart: { runbook: 'restart', target: 'shop/checkout/prod-1' },
          why: expect.stringContaining('unless a brake holds'),
        },
        {
          rule: 'hung',
          wouldStart: null,
          why: 'would start nothing: the label "instance" is not a plain name, so it cannot be part of a target',
        },
        { rule: 'hung', wouldStart: null, why: 'would start nothing: the alarm has no label "instance"' },
        { rule: null, wouldStart: null, why: 'no rule matches it' },
        { rule: 'hung', wouldStart: null, why: 'resolved, so it would start nothing' },
      ],
    });
  });

  it('leaves nothing in Temporal', async () => {
    await deliver(gateway.url, alert);
    const { owner } = await desk.read(file);
    await expect(temporal.client.workflow.getHandle(`runbook-alarm-rule/${owner}/hung`).describe()).rejects.toThrow(
      'not found',
    );
  });
});
