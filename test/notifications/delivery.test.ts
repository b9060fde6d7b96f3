/** Delivery when receivers are down, slow, hostile or not there: what is tried again, what is final, and that nothing secret is shown. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { createServer, type AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { proxyChoice } from '../../src/network/proxies.js';
import { createNotifier, type Attempt, type NotifierOptions } from '../../src/notifications/notifier.js';
import type { WebhookKind } from '../../src/notifications/webhooks-file.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { always, startReceiver, type Answer } from '../support/receiver.js';
import { NOTIFICATION, webhook } from './webhooks.js';

const TOKEN = 'T0B0-sesame-open-5f3a';
const SIGNING = 'SEC-sesame-of-the-robot';

/** One attempt at a receiver that answers so. */
async function attempt(kind: WebhookKind, answer: Answer, options: NotifierOptions = {}) {
  const receiver = await startReceiver(answer);
  const url = `${receiver.origin}/services/${TOKEN}?access_token=${TOKEN}`;
  const notifier = createNotifier([webhook(kind, url, { secrets: [SIGNING] })], options);
  const [found] = await notifier.deliver(NOTIFICATION, { names: [kind] });
  if (found === undefined) throw new Error('no attempt');
  expect(JSON.stringify(found)).not.toContain('sesame');
  return { found, receiver };
}

const isOver = ({ againAfterMs }: Attempt) => againAfterMs === undefined;

describe('an answer', () => {
  it.each<[string, WebhookKind, number, string, Attempt['result'], boolean]>([
    ['200 ok', 'slack', 200, 'ok', 'delivered', true],
    ['202', 'teams', 202, '', 'delivered', true],
    ['204', 'webhook', 204, '', 'delivered', true],
    ['404', 'slack', 404, 'no_service', 'refused', true],
    ['410', 'webhook', 410, '', 'refused', true],
    ['401', 'teams', 401, '', 'refused', true],
    ['408', 'webhook', 408, '', 'unanswered', false],
    ['429', 'slack', 429, 'rate_limited', 'unanswered', false],
    ['500', 'webhook', 500, 'oops', 'unanswered', false],
    ['503', 'feishu', 503, '', 'unanswered', false],
    [
      'a signature that does not match',
      'dingtalk',
      200,
      '{"errcode":310000,"errmsg":"sign not match"}',
      'refused',
      true,
    ],
    ['too many messages', 'dingtalk', 200, '{"errcode":130101,"errmsg":"send too fast"}', 'unanswered', false],
    ['an unknown key', 'wecom', 200, '{"errcode":93000,"errmsg":"invalid webhook url"}', 'refused', true],
    ['a busy system', 'wecom', 200, '{"errcode":-1,"errmsg":"system busy"}', 'unanswered', false],
    ['too many messages', 'wecom', 200, '{"errcode":45009,"errmsg":"freq"}', 'unanswered', false],
    ['a signature that does not match', 'feishu', 200, '{"code":19021,"msg":"sign match fail"}', 'refused', true],
    ['too many messages', 'feishu', 200, '{"code":11232,"msg":"frequency limited"}', 'unanswered', false],
    ['success of the older form', 'feishu', 200, '{"StatusCode":0,"StatusMessage":"success"}', 'delivered', true],
    ['another server', 'feishu', 200, '<html>login</html>', 'refused', true],
    ['a list', 'wecom', 200, '[0]', 'refused', true],
    ['null', 'dingtalk', 200, 'null', 'refused', true],
  ])('of %s to %s is judged', async (_what, kind, status, body, result, over) => {
    const { found } = await attempt(kind, always(status, body));
    expect(found).toMatchObject({ result, detail: expect.stringContaining(`answered ${status}`) as string });
    expect(isOver(found)).toBe(over);
  });

  it('may ask for later', async () => {
    const nowMs = Date.now();
    const { found } = await attempt('slack', always(429, '', { 'retry-after': '30' }));
    expect(found.againAfterMs).toBe(30_000);
    const date = new Date(nowMs + 120_000).toUTCString();
    const { found: dated } = await attempt('slack', always(503, '', { 'retry-after': date }));
    expect(dated.againAfterMs).toBeGreaterThan(60_000);
    for (const nonsense of ['-5', 'soon', '', '1e99']) {
      const { found: other } = await attempt('slack', always(503, '', { 'retry-after': nonsense }));
      expect(other.againAfterMs).toBe(0);
    }
  });

  it('that redirects is not followed', async () => {
    const elsewhere = await startReceiver(always(200, 'ok'));
    for (const status of [301, 302, 303, 307, 308]) {
      const { found, receiver } = await attempt(
        'slack',
        always(status, '', { location: `${elsewhere.origin}/${TOKEN}` }),
      );
      expect(found).toMatchObject({
        result: 'refused',
        detail: expect.stringContaining('redirects are not') as string,
      });
      expect(receiver.received).toHaveLength(1);
    }
    expect(elsewhere.received).toEqual([]);
  });

  it('is read only to a limit', async () => {
    let closed = false;
    const endless: Answer = (response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'.repeat(64 * 1024)), 1);
      response.on('close', () => {
        clearInterval(more);
        closed = true;
      });
    };
    const { found } = await attempt('webhook', endless);
    expect(found).toMatchObject({ result: 'delivered', detail: expect.stringContaining('too much text') as string });
    await expect.poll(() => closed).toBe(true);
    expect((await attempt('wecom', endless)).found.result).toBe('refused');
  });

  it('is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    const packed: Answer = (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    expect((await attempt('webhook', packed)).found.result).toBe('delivered');
  });

  it('that repeats the address, its parts or a secret does not show them', async () => {
    const echo: Answer = (response) =>
      void response.writeHead(400).end(`no ${response.req.url} ${TOKEN} ${SIGNING} \u001b[2J`);
    for (const kind of ['dingtalk', 'feishu'] as const) {
      const { found } = await attempt(kind, echo);
      expect(found.detail).toMatch(/answered 400: no \*\*\*/);
      expect(found.detail).not.toContain('\u001b');
    }
  });

  it('is short in what is kept of it', async () => {
    const { found } = await attempt('slack', always(400, 'y'.repeat(10_000)));
    expect(Buffer.byteLength(found.detail)).toBeLessThanOrEqual(300);
  });
});

describe('no answer', () => {
  it('in time is tried again', async () => {
    const { found } = await attempt('slack', () => {}, { timeoutMs: 200 });
    expect(found).toMatchObject({
      result: 'unanswered',
      detail: expect.stringMatching(/^127\.0\.0\.1:\d+: no answer within 0\.2 s$/) as string,
      againAfterMs: 0,
    });
  });

  it('in another protocol is tried again', async () => {
    const switches: Answer = (response) =>
      void response.socket?.write('HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    const { found } = await attempt('slack', switches, { timeoutMs: 200 });
    expect(found).toMatchObject({ result: 'unanswered', detail: expect.stringContaining('no answer within') });
  });

  it('that drips is tried again', async () => {
    const drip: Answer = (response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(more));
    };
    expect((await attempt('slack', drip, { timeoutMs: 300 })).found.result).toBe('unanswered');
  });

  it('from a closed port, a reset or no HTTP is tried again', async () => {
    const reset: Answer = (response) => void response.socket?.destroy();
    expect((await attempt('slack', reset)).found.detail).toMatch(/no answer \(ECONNRESET\)/);
    const { port } = await new Promise<AddressInfo>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const address = server.address() as AddressInfo;
        server.close(() => resolve(address));
      });
    });
    const notifier = createNotifier([webhook('slack', `http://127.0.0.1:${port}/${TOKEN}`)]);
    expect(await notifier.deliver(NOTIFICATION, { names: ['slack'] })).toEqual([
      {
        webhook: 'slack',
        result: 'unanswered',
        detail: `127.0.0.1:${port}: no answer (ECONNREFUSED)`,
        againAfterMs: 0,
      },
    ]);
  });
});

describe('several webhooks', () => {
  it('are notified at once: a slow one delays no other, a broken one breaks none', async () => {
    const unanswered: ServerResponse[] = [];
    const slow = await startReceiver((response) => void unanswered.push(response));
    const quick = await startReceiver(always(200, 'ok'));
    const down = await startReceiver(always(500));
    const notifier = createNotifier(
      [
        webhook('slack', `${slow.origin}/a`, { name: 'slow' }),
        webhook('slack', `${down.origin}/a`, { name: 'down' }),
        webhook('slack', `${quick.origin}/a`, { name: 'quick' }),
      ],
      { timeoutMs: 1_500 },
    );
    const settled: [string, boolean][] = [];
    const isSlowAwaited = () => unanswered.every(({ closed }) => !closed);
    const results = await notifier.deliver(NOTIFICATION, {
      onSettled: ({ webhook }) => settled.push([webhook, isSlowAwaited()]),
    });
    expect(results.map(({ webhook, result }) => `${webhook} ${result}`)).toEqual([
      'slow unanswered',
      'down unanswered',
      'quick delivered',
    ]);
    expect(settled).toEqual([['quick', true]]);
  });

  it('that have answered are not touched when the worker stops while others are still asked', async () => {
    const fast = await startReceiver(always(200, 'ok'));
    const slow = await startReceiver(() => {});
    const notifier = createNotifier([webhook('slack', `${fast.origin}/a`), webhook('webhook', `${slow.origin}/b`)]);
    const stopping = new AbortController();
    const uncaught = vi.fn();
    process.on('uncaughtException', uncaught);
    onTestFinished(() => void process.off('uncaughtException', uncaught));
    const onSettled = vi.fn();
    const options = { names: ['slack', 'webhook'], signal: stopping.signal, onSettled };
    const stopped = expect(notifier.deliver(NOTIFICATION, options)).rejects.toThrow('the worker stops');
    await expect.poll(() => [onSettled.mock.calls.length, slow.received.length]).toEqual([1, 1]);
    stopping.abort(new Error('the worker stops'));
    await stopped;
    // A stream reports its error a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    expect(uncaught).not.toHaveBeenCalled();
  });

  it('are those that the event concerns, or those that are named, without those already notified', async () => {
    const receiver = await startReceiver(always(200, 'ok'));
    const named = (name: string, on: readonly ('failed' | 'indeterminate')[]) => ({
      ...webhook('slack', `${receiver.origin}/${name}`, { name }),
      on,
    });
    const notifier = createNotifier([
      named('a', ['failed']),
      named('b', ['indeterminate']),
      named('c', ['indeterminate']),
    ]);
    const notified = async (options: Parameters<typeof notifier.deliver>[1]) =>
      (await notifier.deliver(NOTIFICATION, options)).map(({ webhook, result }) => `${webhook} ${result}`);
    expect(await notified({})).toEqual(['b delivered', 'c delivered']);
    expect(await notified({ except: ['b'] })).toEqual(['c delivered']);
    expect(await notified({ names: ['a', 'a', 'lost\u001b'] })).toEqual([
      'a delivered',
      String.raw`lost\u001b unknown`,
    ]);
    expect(await createNotifier([]).deliver(NOTIFICATION)).toEqual([]);
  });
});

describe('the log', () => {
  it('has one line an hour for a webhook that is not notified, without secrets', async () => {
    const lines: object[] = [];
    const log = { warn: (facts: object, message: string) => lines.push({ ...facts, message }) } as unknown as Logger;
    let nowMs = Date.now();
    const receiver = await startReceiver(always(404, `no ${TOKEN}`));
    const notifier = createNotifier([webhook('slack', `${receiver.origin}/${TOKEN}`)], { log, clock: () => nowMs });
    for (let count = 0; count < 5; count++) await notifier.deliver(NOTIFICATION);
    expect(lines).toMatchObject([{ webhook: 'slack', result: 'refused', message: 'a webhook was not notified' }]);
    nowMs += 3_600_001;
    await notifier.deliver(NOTIFICATION);
    expect(lines).toMatchObject([{ suppressed: 0 }, { suppressed: 4 }]);
    expect(JSON.stringify(lines)).not.toContain('sesame');
  });
});

describe('a proxy', () => {
  it('is taken as everywhere else, and its refusal shows no address', async () => {
    const receiver = await startReceiver(always(200, 'ok'));
    const { port } = new URL(receiver.origin);
    const proxy = await startConnectProxy({ port: Number(port) });
    const through = (url: URL) =>
      createNotifier([webhook('slack', `http://hooks.example.test/${TOKEN}`)], {
        proxyFor: proxyChoice({ http: url, https: null, except: [] }),
      }).deliver(NOTIFICATION);
    expect(await through(proxy.url)).toMatchObject([{ result: 'delivered' }]);
    expect(proxy.asked).toEqual(['hooks.example.test:80']);
    const closed = await startConnectProxy({ refuseWith: 403 });
    const [refused] = await through(closed.url);
    expect(refused).toMatchObject({
      result: 'unanswered',
      detail: expect.stringContaining('it answered 403') as string,
    });
    expect(refused?.detail).not.toContain('sesame');
  });
});

it('ends with its signal, whose reason is thrown', async () => {
  const receiver = await startReceiver(() => {});
  const notifier = createNotifier([webhook('slack', `${receiver.origin}/a`)]);
  const controller = new AbortController();
  const sending = notifier.deliver(NOTIFICATION, { signal: controller.signal });
  await expect.poll(() => receiver.received.length).toBe(1);
  controller.abort(new Error('the worker stops'));
  await expect(sending).rejects.toThrow('the worker stops');
});
