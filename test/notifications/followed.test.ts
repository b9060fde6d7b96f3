/** Requests to webhooks as a tracer sees them: by host, webhook and result, with the trace for services of your own only. */
import { expect, it } from 'vitest';
import { createNotifier } from '../../src/notifications/notifier.js';
import type { WebhookKind } from '../../src/notifications/webhooks-file.js';
import { recordingFollow, TRACEPARENT } from '../support/followed.js';
import { always, startReceiver, type Answer } from '../support/receiver.js';
import { NOTIFICATION, webhook } from './webhooks.js';

/** One attempt at a receiver that answers so. */
async function attempt(kind: WebhookKind, answer: Answer) {
  const receiver = await startReceiver(answer);
  const { follow, followed } = recordingFollow();
  const secrets = ['SEC-of-the-robot'];
  const notifier = createNotifier([webhook(kind, `${receiver.origin}/services/sesame`, { secrets })], { follow });
  await notifier.deliver(NOTIFICATION, { names: [kind] });
  expect(JSON.stringify(followed)).not.toContain('sesame');
  return { receiver, followed };
}

it.each<[WebhookKind, number, object]>([
  ['webhook', 204, { status: 204 }],
  ['webhook', 410, { status: 410, failure: 'refused' }],
  ['webhook', 503, { status: 503, failure: 'unanswered' }],
  ['slack', 200, { status: 200 }],
])('a request to %s that answers %d is known by host, webhook and result', async (kind, status, ending) => {
  const { receiver, followed } = await attempt(kind, always(status, 'ok'));
  const { hostname: host, port } = new URL(receiver.origin);
  expect(followed).toEqual([
    { method: 'POST', purpose: 'webhook', host, port: Number(port), webhook: kind, ...ending },
  ]);
});

it('a request carries the trace to a service of your own, and not to a chat tool', async () => {
  const sent = async (kind: WebhookKind) => {
    const { receiver } = await attempt(kind, always(200, '{"errcode":0,"code":0}'));
    return receiver.received[0]?.headers['traceparent'];
  };
  expect(await sent('webhook')).toBe(TRACEPARENT);
  for (const kind of ['slack', 'teams', 'dingtalk', 'feishu', 'wecom'] as const)
    expect(await sent(kind)).toBeUndefined();
});

it('a request has no status where there was no answer', async () => {
  const { followed } = await attempt('webhook', (response) => void response.destroy());
  expect(followed).toMatchObject([{ failure: 'unanswered' }]);
  expect(followed[0]).not.toHaveProperty('status');
});
