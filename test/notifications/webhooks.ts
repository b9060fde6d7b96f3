/** Webhooks and a notification for tests of delivery. */
import { createNotification, type NotificationFacts } from '../../src/domain/notifications/notification.js';
import type { Webhook } from '../../src/notifications/webhook.js';
import type { WebhookKind } from '../../src/notifications/webhooks-file.js';
import { Secret } from '../../src/servicestage/secret.js';

export const FACTS: NotificationFacts = {
  event: 'indeterminate',
  runId: 'recover-20261130T031500Z-4f2a9c',
  runbook: 'recover',
  targets: ['shop/checkout/prod-1', 'shop/checkout/prod-2'],
  summary: 'It is not clear whether the step stop was carried out. Nothing more is sent until you decide.',
  needs: [
    { what: 'observe again and retry', command: 'runbook retry recover-20261130T031500Z-4f2a9c --reason "…"' },
    { what: 'skip the step', command: 'runbook skip recover-20261130T031500Z-4f2a9c --reason "…"' },
  ],
  atMs: Date.UTC(2026, 10, 30, 3, 15),
  about: 'stop',
};
export const NOTIFICATION = createNotification(FACTS);

/** Texts that chat tools would read as markup, links, mentions or the end of a line. */
export const HOSTILE =
  '<!channel> <@all> @all <at id=all></at> [click](https://evil.example) *b* `c` # x\n> y\u001b[2J\u202e &lt;';

/** @param url the whole address, as the chat tool gives it */
export function webhook(
  kind: WebhookKind,
  url: string,
  more: { name?: string; secrets?: readonly string[] } = {},
): Webhook {
  const { name = kind, secrets = [] } = more;
  const { host } = new URL(url);
  return {
    name,
    kind,
    url: new Secret(url),
    host,
    secrets: secrets.map((each) => new Secret(each)),
    on: ['failed', 'indeterminate'],
  };
}
