/** Turns a notification into the request that each kind of webhook takes. Chat tools get plain text only: nothing in it can become markup, a link or a mention. */
import { createHash } from 'node:crypto';
import { details, headline, plainLines, URGENCY } from '../domain/notifications/notification-text.js';
import type { Notification } from '../domain/notifications/notification.js';
import { clipText, linesThatFit } from '../domain/text/text.js';
import { describeTime } from '../domain/time/utc-time.js';
import { dingTalkSignature, feishuSignature, standardSignature } from './signatures.js';
import type { Webhook } from './webhook.js';
import type { WebhookKind } from './webhooks-file.js';

/** A POST of JSON. */
export interface WebhookRequest {
  /** Secret. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param nowMs epoch milliseconds; signatures are valid for some minutes around it */
type Make = (webhook: Webhook, notification: Notification, nowMs: number) => WebhookRequest;

const MAKE: Readonly<Record<WebhookKind, Make>> = {
  webhook: standardWebhook,
  slack: (webhook, notification) => post(webhook, slackMessage(notification)),
  teams: (webhook, notification) => post(webhook, teamsMessage(notification)),
  dingtalk: dingTalkRequest,
  feishu: (webhook, notification, nowMs) => post(webhook, feishuMessage(webhook, notification, nowMs)),
  wecom: (webhook, notification) => post(webhook, weComMessage(notification)),
};

/** The request for a webhook. @param nowMs epoch milliseconds */
export function requestFor(webhook: Webhook, notification: Notification, nowMs: number): WebhookRequest {
  return MAKE[webhook.kind](webhook, notification, nowMs);
}

function post({ url }: Webhook, message: object): WebhookRequest {
  return { url: new URL(url.reveal()), headers: {}, body: JSON.stringify(message) };
}

/** The id of a message for receivers: the same for each delivery. A key may hold dots, which an id of Standard Webhooks must not. */
function messageId({ key }: Notification): string {
  return `msg_${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
}

function standardWebhook(webhook: Webhook, notification: Notification, nowMs: number): WebhookRequest {
  const { event, atMs, ...facts } = notification;
  const type = event === 'test' ? event : `run.${event}`;
  const data = { ...facts, title: headline(notification) };
  const request = post(webhook, { type, timestamp: describeTime(atMs), data });
  const [id, timestamp] = [messageId(notification), Math.floor(nowMs / 1_000)];
  const secrets = webhook.secrets.map((secret) => secret.reveal());
  return {
    ...request,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': standardSignature(secrets, id, timestamp, request.body),
    },
  };
}

/** Characters of a header. Source: Slack, Block Kit reference. */
const SLACK_HEADER = 150;

/** Source: Slack, "Sending messages using incoming webhooks". Only `text`, for the push message, is read as markup, so its three special characters are escaped. */
function slackMessage(notification: Notification): object {
  const { summary, needs } = notification;
  const plain = (text: string) => ({ type: 'plain_text', text, emoji: false });
  const title = headline(notification);
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return {
    text: escaped,
    blocks: [
      { type: 'header', text: plain(clipText(title, SLACK_HEADER)) },
      { type: 'section', text: plain(summary) },
      ...needs.map(({ what, command }) => ({ type: 'section', text: plain(`To ${what}:\n${command}`) })),
      { type: 'context', elements: details(notification).map(([name, value]) => plain(`${name}: ${value}`)) },
    ],
  };
}

/** An Adaptive Card. The text of a TextRun is never read as Markdown. Source: Adaptive Cards 1.2, RichTextBlock; Teams, "Incoming webhooks with Workflows". */
function teamsMessage(notification: Notification): object {
  const { event, summary, needs } = notification;
  const block = (text: string, style: object = {}) => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text, ...style }],
  });
  const title = headline(notification);
  const color = { act: 'Attention', read: 'Warning', calm: 'Good' }[URGENCY[event]];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    fallbackText: title,
    msteams: { width: 'Full' },
    body: [
      block(title, { weight: 'Bolder', size: 'Medium', color }),
      block(summary),
      ...needs.flatMap(({ what, command }) => [block(`To ${what}:`), block(command, { fontType: 'Monospace' })]),
      ...details(notification).map(([name, value]) => block(`${name}: ${value}`, { isSubtle: true, size: 'Small' })),
    ],
  };
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content };
  return { type: 'message', attachments: [attachment] };
}

/** Text, not Markdown: commands stay exact, and only those in `at` are mentioned. Source: DingTalk, "Custom robot message types". */
function dingTalkRequest(webhook: Webhook, notification: Notification, nowMs: number): WebhookRequest {
  const request = post(webhook, {
    msgtype: 'text',
    text: { content: plainLines(notification).join('\n') },
    at: { atMobiles: [], atUserIds: [], isAtAll: false },
  });
  const [secret] = webhook.secrets;
  if (secret !== undefined) {
    request.url.searchParams.set('timestamp', String(nowMs));
    request.url.searchParams.set('sign', dingTalkSignature(secret.reveal(), nowMs));
  }
  return request;
}

/** A card of plain text. Source: Feishu, "Custom bot usage guide" and "Message card structure". */
function feishuMessage({ secrets }: Webhook, notification: Notification, nowMs: number): object {
  const { event, summary, needs } = notification;
  const plain = (content: string) => ({ tag: 'plain_text', content });
  const paragraphs = [
    summary,
    ...needs.map(({ what, command }) => `To ${what}:\n${command}`),
    details(notification)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  ];
  const [secret] = secrets;
  const timestamp = Math.floor(nowMs / 1_000);
  return {
    ...(secret === undefined
      ? {}
      : { timestamp: String(timestamp), sign: feishuSignature(secret.reveal(), timestamp) }),
    msg_type: 'interactive',
    card: {
      config: { wide_screen_mode: true },
      header: {
        title: plain(headline(notification)),
        template: { act: 'red', read: 'orange', calm: 'green' }[URGENCY[event]],
      },
      elements: paragraphs.map((text) => ({ tag: 'div', text: plain(text) })),
    },
  };
}

/** Bytes of a text message. Source: WeCom, "Group robot configuration". */
const WECOM_TEXT = 2_048;

/** Text, because WeChat does not show Markdown. `<@name>` would mention somebody even in text, so its bracket is replaced. */
function weComMessage(notification: Notification): object {
  const lines = plainLines(notification).map((line) => line.replaceAll('<@', '‹@'));
  return { msgtype: 'text', text: { content: linesThatFit(lines, WECOM_TEXT) } };
}
