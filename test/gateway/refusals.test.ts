/** Every refusal leaves a trace: a helpful answer, a line in the log, a count in the metrics. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateway, type RunningGateway } from '../../src/gateway/gateway.js';
import { SETTINGS, SMN } from './senders/smn-sender.js';

const TOKEN = 'a-token-of-this-test-0123456789';
const ALARM = { id: 'disk-42', name: 'DiskFull', status: 'firing', at: '2026-01-02T03:04:05Z' };
const gateways: RunningGateway[] = [];
afterEach(() => Promise.all(gateways.splice(0).map((gateway) => gateway.close())));

interface LogLine {
  readonly msg: string;
  readonly reason?: string;
  readonly what?: string;
  readonly path?: string;
}

async function aGateway() {
  const lines: LogLine[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as LogLine);
      done();
    },
  });
  const senders = [
    { name: 'script', settings: { kind: 'bearer' as const, tokens: [TOKEN] } },
    { name: 'eye', settings: { ...SETTINGS, certificates: [SMN.cert] } },
  ];
  const gateway = await startGateway({
    alarms: { owner: 'o', rules: [], senders },
    host: '127.0.0.1',
    port: 0,
    temporal: null,
    log: pino({ level: 'info' }, sink),
  });
  gateways.push(gateway);
  return { url: gateway.url, lines };
}

async function ask(url: string, init: RequestInit = {}) {
  const answer = await fetch(url, init);
  const text = await answer.text();
  return { status: answer.status, allow: answer.headers.get('allow'), text };
}

function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(url, { method: 'POST', body: text, headers: { authorization: `Bearer ${TOKEN}`, ...headers } });
}

/** Sends these bytes alone. @returns the answer's first line */
async function say(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  return answer.split('\r\n')[0] ?? '';
}

const metrics = async (url: string) => (await ask(`${url}/metrics`)).text;

describe('a request that reaches no sender', () => {
  it('is answered with the paths that exist, and names no sender', async () => {
    const { url, lines } = await aGateway();
    const { status, text } = await post(`${url}/alarm/script?key=${TOKEN}`, ALARM);
    expect(status).toBe(404);
    expect(JSON.parse(text)).toEqual({
      error: 'notFound',
      message: expect.stringMatching(/\/alarms\/<sender>.*healthz/),
    });
    expect(text).not.toMatch(/script|eye/);
    expect(lines).toMatchObject([
      { msg: 'request rejected', reason: 'notFound', path: '/alarm/script', method: 'POST' },
    ]);
    expect(JSON.stringify(lines)).not.toContain(TOKEN);
    expect(await metrics(url)).toContain('runbook_gateway_rejected_requests_total{reason="notFound"} 1');
  });

  it('is answered with the method that is allowed', async () => {
    const { url, lines } = await aGateway();
    expect(await ask(`${url}/alarms/script/`)).toMatchObject({
      status: 405,
      allow: 'POST',
      text: expect.stringContaining('sent here with POST'),
    });
    expect(await ask(`${url}/readyz`, { method: 'DELETE' })).toMatchObject({ status: 405, allow: 'GET, HEAD' });
    expect(lines).toMatchObject([{ reason: 'wrongMethod', path: '/alarms/script' }]);
    expect(await metrics(url)).toContain('runbook_gateway_rejected_requests_total{reason="wrongMethod"} 2');
  });

  it.each([
    ['an invalid request line', 'hello\r\n\r\n', 'HTTP/1.1 400 Bad Request', 'malformed'],
    [
      'a request smuggled in a header',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      'HTTP/1.1 400 Bad Request',
      'malformed',
    ],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      'HTTP/1.1 431 Request Header Fields Too Large',
      'malformed',
    ],
    [
      'a tunnel',
      'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n',
      'HTTP/1.1 405 Method Not Allowed',
      'wrongMethod',
    ],
  ])('is counted and logged also when Node refuses it: %s', async (_what, bytes, firstLine, reason) => {
    const { url, lines } = await aGateway();
    expect(await say(url, bytes)).toBe(firstLine);
    expect(lines).toMatchObject([{ msg: 'request rejected', reason }]);
    expect(await metrics(url)).toContain(`runbook_gateway_rejected_requests_total{reason="${reason}"} 1`);
  });

  it('is logged once per period, however many there are, and each is counted', async () => {
    const { url, lines } = await aGateway();
    await Promise.all(Array.from({ length: 300 }, () => ask(`${url}/${randomUUID()}`)));
    expect(lines).toHaveLength(1);
    expect(await metrics(url)).toContain('runbook_gateway_rejected_requests_total{reason="notFound"} 300');
  });
});

describe('a delivery that is refused', () => {
  it.each([
    ['an empty body', '', 'the body is empty'],
    ['a body that is not JSON', '{"id": "x", }', 'the body is not JSON'],
    ['a missing field', { ...ALARM, id: undefined }, 'alarm 1: id: '],
    ['a wrong time', { ...ALARM, at: 'yesterday' }, 'alarm 1: at: is not an RFC 3339 time'],
    [
      'a label that is a number',
      { ...ALARM, labels: { disk: 7_777 } },
      'alarm 1: labels.disk: a label that is not text',
    ],
    ['one of several', { alarms: [ALARM, { ...ALARM, status: 'up' }] }, 'alarm 2: status: '],
  ])('names the wrong field to its sender: %s', async (_what, body, message) => {
    const { url } = await aGateway();
    const { status, text } = await post(`${url}/alarms/script`, body);
    expect(status).toBe(400);
    expect((JSON.parse(text) as { message: string }).message).toContain(message);
    expect(text).not.toContain('7777');
  });

  it('shows no control character from its sender, in the answer or in the log', async () => {
    const { url, lines } = await aGateway();
    const { text } = await post(`${url}/alarms/script`, { ...ALARM, labels: { 'a\u001b\u202e\u009b': '' } });
    expect(text).toContain('labels.a\\\\u001b\\\\u202e\\\\u009b');
    expect(`${text}${JSON.stringify(lines)}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('names the wrong field of an SMN message', async () => {
    const { url } = await aGateway();
    expect((await post(`${url}/alarms/eye`, { type: 'Notification' })).text).toContain(
      'not a message of SMN: message_id',
    );
  });

  it('for an unknown sender is answered as for a wrong token, and the log has the name', async () => {
    const { url, lines } = await aGateway();
    const unknown = await post(`${url}/alarms/scirpt`, ALARM);
    const wrong = await post(`${url}/alarms/script`, ALARM, { authorization: 'Bearer another-token-0123456789' });
    expect(unknown).toEqual(wrong);
    expect(unknown.status).toBe(401);
    expect(lines.map(({ what }) => what)).toEqual(['there is no sender scirpt', 'the token is missing or wrong']);
  });
});

describe('a delivery in any form that the specifications allow is accepted', () => {
  it.each<[string, Record<string, string>]>([
    ['a content type with parameters, in any case', { 'content-type': 'Application/JSON; Charset="UTF-8"' }],
    ['no content type of ours', { 'content-type': 'application/cloudevents+json' }],
    ['the scheme in any case', { authorization: `bEARER ${TOKEN}` }],
    ['a trace of W3C', { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'x=y,z@w=1' }],
    ['an offer to upgrade to HTTP/2', { 'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA' }],
    ['an id that is a URN', { 'webhook-id': 'urn:uuid:0f9f2b2e-8a3e-4f5e-9a55-5f8d5e2f6a10' }],
    ['an id in base64', { 'webhook-id': 'bXNnXzE+/w==' }],
    ['an id with dots', { 'webhook-id': 'deploys.2026-01-02.1' }],
  ])('%s', async (_what, headers) => {
    const { url } = await aGateway();
    const { at: _, ...timeless } = ALARM;
    const alarm = 'webhook-id' in headers ? timeless : ALARM;
    expect((await post(`${url}/alarms/script/`, alarm, headers)).status).toBe(200);
  });
});
