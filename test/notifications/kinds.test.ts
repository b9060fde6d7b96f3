/** Each kind of webhook against a receiver that checks what its vendor asks for: method, headers, signature, shape, sizes, and no markup. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createNotification } from '../../src/domain/notifications/notification.js';
import { hasControlCharacters } from '../../src/domain/text/text.js';
import { createNotifier } from '../../src/notifications/notifier.js';
import { dingTalkSignature, feishuSignature, standardSignature } from '../../src/notifications/signatures.js';
import type { WebhookKind } from '../../src/notifications/webhooks-file.js';
import { always, startReceiver, type Received } from '../support/receiver.js';
import { FACTS, HOSTILE, NOTIFICATION, webhook } from './webhooks.js';

const OK: Readonly<Record<WebhookKind, string>> = {
  webhook: '',
  slack: 'ok',
  teams: '',
  dingtalk: '{"errcode":0,"errmsg":"ok"}',
  feishu: '{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}',
  wecom: '{"errcode":0,"errmsg":"ok"}',
};
const NOW_MS = Date.parse('2026-11-30T03:15:00.250Z');
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW_MS }));
afterEach(() => void vi.useRealTimers());

const PATH = '/hook/T01/token-that-is-secret?key=key-that-is-secret';

/** Sends to a receiver that accepts it. */
async function sent(kind: WebhookKind, secrets: readonly string[] = [], notification = NOTIFICATION) {
  const receiver = await startReceiver(always(kind === 'teams' ? 202 : 200, OK[kind]));
  const notifier = createNotifier([webhook(kind, `${receiver.origin}${PATH}`, { secrets })]);
  const [delivery] = await notifier.deliver(notification, { names: [kind] });
  expect(delivery).toMatchObject({ webhook: kind, result: 'delivered' });
  const [request] = receiver.received;
  if (request === undefined) throw new Error('nothing arrived');
  expect(receiver.received).toHaveLength(1);
  expect(request.method).toBe('POST');
  expect(request.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(request.headers['user-agent']).toBe('servicestage-runbooks');
  return { request, message: JSON.parse(request.body) as unknown };
}

const hostile = createNotification({
  ...FACTS,
  runId: HOSTILE,
  targets: [HOSTILE],
  summary: HOSTILE.repeat(20),
  needs: [{ what: HOSTILE, command: HOSTILE }],
});

/** Every text of a value. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

/** What Standard Webhooks asks a receiver to do. */
function isSigned({ headers, body }: Received, secret: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const wanted = createHmac('sha256', key).update([id, timestamp, body].join('.')).digest();
  return String(signatures)
    .split(' ')
    .map((each) => Buffer.from(each.replace(/^v1,/, ''), 'base64'))
    .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted));
}

describe('webhook', () => {
  const [current, former] = [`whsec_${Buffer.alloc(32, 7).toString('base64')}`, `whsec_${'B'.repeat(32)}`] as const;

  it('sends JSON that is signed as Standard Webhooks describes, with each secret', async () => {
    const { request, message } = await sent('webhook', [current, former]);
    expect(isSigned(request, current)).toBe(true);
    expect(isSigned(request, former)).toBe(true);
    expect(isSigned(request, `whsec_${'C'.repeat(32)}`)).toBe(false);
    expect(isSigned({ ...request, body: `${request.body} ` }, current)).toBe(false);
    expect(request.headers['webhook-timestamp']).toBe(String(Math.floor(NOW_MS / 1_000)));
    expect(message).toEqual({
      type: 'run.indeterminate',
      timestamp: '2026-11-30T03:15:00Z',
      data: {
        runId: FACTS.runId,
        runbook: 'recover',
        targets: FACTS.targets,
        moreTargets: 0,
        summary: FACTS.summary,
        needs: FACTS.needs,
        key: 'indeterminate/stop/recover-20261130T031500Z-4f2a9c',
        title: 'Runbook recover: it is not clear what a step did: shop/checkout/prod-1 and 1 more',
      },
    });
  });

  it('has one id for each message, the same when it is sent again', async () => {
    const idOf = async (about: string) => {
      const { request } = await sent('webhook', [current], createNotification({ ...FACTS, about }));
      return request.headers['webhook-id'];
    };
    const id = await idOf('stop');
    expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(await idOf('stop')).toBe(id);
    expect(await idOf('start')).not.toBe(id);
  });

  it('signs as the published libraries do', () => {
    const [secret, id] = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'msg_p5jXN8AQM9LWM0D4loKWxJek'];
    expect(standardSignature([secret], id, 1_614_265_330, '{"test": 2432232314}')).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });
});

describe('slack', () => {
  interface Block {
    readonly type: string;
    readonly text?: { readonly type: string; readonly text: string; readonly emoji: boolean };
    readonly elements?: readonly { readonly type: string; readonly text: string }[];
  }
  const messageOf = async (notification = NOTIFICATION) =>
    (await sent('slack', [], notification)).message as { text: string; blocks: Block[] };

  it('sends a text for the push message and blocks of plain text', async () => {
    const { text, blocks } = await messageOf();
    expect(text).toBe('Runbook recover: it is not clear what a step did: shop/checkout/prod-1 and 1 more');
    expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'section', 'context']);
    expect(blocks[0]?.text?.text).toBe(text);
    expect(blocks[2]?.text?.text).toBe(
      'To observe again and retry:\nrunbook retry recover-20261130T031500Z-4f2a9c --reason "…"',
    );
    expect(blocks[4]?.elements?.map((each) => each.text)).toContain('Run: recover-20261130T031500Z-4f2a9c');
  });

  it('leaves nothing to read as markup, and keeps the sizes of blocks', async () => {
    const { text, blocks } = await messageOf(hostile);
    expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
    const texts = blocks.flatMap(({ text, elements = [] }) => [...(text === undefined ? [] : [text]), ...elements]);
    expect(new Set(texts.map(({ type }) => type))).toEqual(new Set(['plain_text']));
    expect(blocks[0]?.text?.text.length).toBeLessThanOrEqual(150);
    for (const { text } of texts) expect(text.length).toBeLessThanOrEqual(3_000);
  });
});

describe('teams', () => {
  interface Card {
    readonly type: string;
    readonly attachments: readonly [
      { readonly contentType: string; readonly content: { type: string; version: string; body: Block[] } },
    ];
  }
  interface Block {
    readonly type: string;
    readonly inlines: readonly { readonly type: string; readonly text: string }[];
  }

  it('sends one Adaptive Card, whose texts are never Markdown', async () => {
    for (const notification of [NOTIFICATION, hostile]) {
      const { request, message } = await sent('teams', [], notification);
      const { type, attachments } = message as Card;
      expect(type).toBe('message');
      expect(attachments).toHaveLength(1);
      const [{ contentType, content }] = attachments;
      expect(contentType).toBe('application/vnd.microsoft.card.adaptive');
      expect(content).toMatchObject({ type: 'AdaptiveCard', version: '1.4' });
      expect(new Set(content.body.map((block) => block.type))).toEqual(new Set(['RichTextBlock']));
      expect(new Set(content.body.flatMap(({ inlines }) => inlines.map((each) => each.type)))).toEqual(
        new Set(['TextRun']),
      );
      // Source: Microsoft Teams, limits of messages.
      expect(Buffer.byteLength(request.body)).toBeLessThan(28 * 1024);
    }
    const { message } = await sent('teams');
    const lines = (message as Card).attachments[0].content.body.map(({ inlines }) => inlines[0]?.text);
    expect(lines).toContain('runbook retry recover-20261130T031500Z-4f2a9c --reason "…"');
  });
});

describe('dingtalk', () => {
  const secret = 'SEC-of-the-robot';

  it('sends text and mentions no one', async () => {
    const { request, message } = await sent('dingtalk');
    expect(request.path).toBe(PATH);
    expect(message).toMatchObject({
      msgtype: 'text',
      text: {
        content: expect.stringMatching(
          /^Runbook recover: .*\n.*\nTo observe again and retry:\nrunbook retry/,
        ) as string,
      },
      at: { atMobiles: [], atUserIds: [], isAtAll: false },
    });
  });

  it('adds time and signature to the address', async () => {
    const { request } = await sent('dingtalk', [secret]);
    const query = new URL(request.path, 'http://receiver').searchParams;
    const timestamp = query.get('timestamp') ?? '';
    expect(query.get('key')).toBe('key-that-is-secret');
    expect(timestamp).toBe(String(NOW_MS));
    expect(query.get('sign')).toBe(createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64'));
    // Made with Python's hmac.
    expect(dingTalkSignature('SECtest0123456789', 1_764_504_000_000)).toBe(
      '8aJPhBL0c7KtG71RsImzSvWFYVjoHs6oQYocXDK+YoQ=',
    );
  });

  it('keeps foreign text on its own line', async () => {
    const { request, message } = await sent('dingtalk', [], hostile);
    const { content } = (message as { text: { content: string } }).text;
    expect(hasControlCharacters(content.replaceAll('\n', ''))).toBe(false);
    expect(content.split('\n').filter((line) => line.startsWith('> y'))).toEqual([]);
    expect(Buffer.byteLength(request.body)).toBeLessThan(20_000);
  });
});

describe('feishu', () => {
  const secret = 'secret-of-the-bot';

  it('sends a card of plain text', async () => {
    for (const notification of [NOTIFICATION, hostile]) {
      const { request, message } = await sent('feishu', [], notification);
      expect(message).toMatchObject({ msg_type: 'interactive', card: { header: { template: 'red' } } });
      expect(message).not.toHaveProperty('sign');
      const { header, elements } = (message as { card: { header: { title: object }; elements: { text: object }[] } })
        .card;
      for (const text of [header.title, ...elements.map((each) => each.text)])
        expect(text).toMatchObject({ tag: 'plain_text' });
      expect(textsOf(elements).filter((each) => hasControlCharacters(each.replaceAll('\n', '')))).toEqual([]);
      // Source: Feishu, limits of custom bots.
      expect(Buffer.byteLength(request.body)).toBeLessThan(20 * 1024);
    }
  });

  it('signs time and secret', async () => {
    const { message } = await sent('feishu', [secret]);
    const { timestamp, sign } = message as { timestamp: string; sign: string };
    expect(timestamp).toBe(String(Math.floor(NOW_MS / 1_000)));
    expect(sign).toBe(createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64'));
    // Made with Python's hmac.
    expect(feishuSignature('feishu-secret', 1_764_504_000)).toBe('rWqwmHvPZnNqKW0S1kWcvHsQ4bTm7vwYMJADAPEs2/s=');
  });
});

describe('wecom', () => {
  const contentOf = async (notification = NOTIFICATION) =>
    ((await sent('wecom', [], notification)).message as { text: { content: string } }).text.content;

  it('sends text with the commands', async () => {
    const content = await contentOf();
    expect(content.split('\n')).toContain('runbook skip recover-20261130T031500Z-4f2a9c --reason "…"');
  });

  it('mentions no one, and keeps to 2,048 bytes', async () => {
    const content = await contentOf(hostile);
    expect(content).not.toContain('<@');
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2_048);
    expect(content.split('\n')[0]).toContain('Runbook recover');
  });
});
