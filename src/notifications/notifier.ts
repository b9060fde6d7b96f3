/** Notifies webhooks: all at once, each by itself, so that a slow or broken one delays no other. */
import type { Logger } from 'pino';
import type { Delivery } from '../domain/notifications/delivery.js';
import type { Notification } from '../domain/notifications/notification.js';
import { clipText, printable } from '../domain/text/text.js';
import { ThrottledLog } from '../logging/throttled-log.js';
import { notFollowed, outgoing, type FollowOutgoing, type RequestEnding } from '../network/follow-request.js';
import { proxyAgents } from '../network/proxy-agents.js';
import { noProxies, type ProxyFor } from '../network/proxies.js';
import { hideSecrets } from '../servicestage/hide-secrets.js';
import { verdictOn, type WebhookAnswer } from './answers.js';
import { requestFor, type WebhookRequest } from './messages.js';
import { NoAnswer, send } from './send.js';
import type { Webhook } from './webhook.js';

/** A delivery that is over, or that another attempt may still make. */
export interface Attempt extends Delivery {
  /** Absent: it is over. 0: whenever it suits. Milliseconds that the receiver asked for. */
  readonly againAfterMs?: number;
}

/** What `deliver` takes besides the message. */
interface DeliverOptions {
  /** Only these webhooks, whatever their own events are. Default: all that listen to the event. */
  readonly names?: readonly string[] | undefined;
  /** Webhooks that are not notified again. */
  readonly except?: readonly string[];
  /** Ends every request; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called for each delivery as soon as it is over. */
  readonly onSettled?: (delivery: Delivery) => void;
}

/** Notifies webhooks. */
export interface Notifier {
  /** Those that it can notify, with the events that they are notified of where no runbook names them. */
  readonly webhooks: readonly Pick<Webhook, 'name' | 'on'>[];
  /** One attempt for each webhook. @throws only the signal's reason */
  deliver(notification: Notification, options?: DeliverOptions): Promise<Attempt[]>;
}

/** How a notifier works. */
export interface NotifierOptions {
  readonly proxyFor?: ProxyFor;
  /** Absent: nothing is logged. */
  readonly log?: Logger;
  /** Epoch milliseconds. Default: the current time. */
  readonly clock?: () => number;
  /** The longest time for one request, milliseconds. Default: 10 s. */
  readonly timeoutMs?: number;
  /** Default: requests are not followed. */
  readonly follow?: FollowOutgoing | undefined;
}

const LOG_INTERVAL_MS = 3_600_000;
const LONGEST_DETAIL_BYTES = 300;
const LONGEST_NAME_BYTES = 100;

/** Creates the notifier of a process. */
export function createNotifier(webhooks: readonly Webhook[], options: NotifierOptions = {}): Notifier {
  const { proxyFor = noProxies, log, clock = Date.now, timeoutMs, follow = notFollowed } = options;
  const agentsFor = proxyAgents(proxyFor);
  const warnings = log === undefined ? null : new ThrottledLog(log, clock, LOG_INTERVAL_MS);

  async function attempt(webhook: Webhook, notification: Notification, signal?: AbortSignal): Promise<Attempt> {
    const request = requestFor(webhook, notification, clock());
    const { name } = webhook;
    const post = async (headers: WebhookRequest['headers']): Promise<AnsweredAttempt> => {
      try {
        const traced = withTrace(webhook, request, headers);
        const answer = await send(traced, { proxy: agentsFor(request.url), signal, timeoutMs });
        return { attempt: attemptOf(webhook, request, answer), status: answer.status };
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        const detail = `${webhook.host}: ${error.message}`;
        return { attempt: { webhook: name, result: 'unanswered', detail, againAfterMs: 0 } };
      }
    };
    const described = { ...outgoing('POST', 'webhook', request.url), webhook: name };
    return (await follow(described, post, endingOf)).attempt;
  }

  return {
    webhooks,
    async deliver(notification, { names, except = [], signal, onSettled } = {}) {
      const wanted = names ?? webhooks.filter(({ on }) => isAbout(on, notification)).map(({ name }) => name);
      return Promise.all(
        [...new Set(wanted.map(shownName))]
          .filter((name) => !except.includes(name))
          .map(async (name) => {
            const webhook = webhooks.find((each) => each.name === name);
            const made = webhook === undefined ? unknown(name) : await attempt(webhook, notification, signal);
            if (made.result !== 'delivered')
              // The kind is the name of a webhook, or of one that a runbook names: few in either case.
              warnings?.warn(made.webhook, { ...made }, 'a webhook was not notified');
            if (made.againAfterMs === undefined) onSettled?.(made);
            return made;
          }),
      );
    },
  };
}

interface AnsweredAttempt {
  readonly attempt: Attempt;
  /** Absent: there was no answer. */
  readonly status?: number;
}

function endingOf({ attempt: { result }, status }: AnsweredAttempt): RequestEnding {
  return { ...(status === undefined ? {} : { status }), ...(result === 'delivered' ? {} : { failure: result }) };
}

/** A service of your own can continue the trace; a chat tool belongs to somebody else. */
function withTrace({ kind }: Webhook, request: WebhookRequest, headers: WebhookRequest['headers']): WebhookRequest {
  return kind === 'webhook' ? { ...request, headers: { ...headers, ...request.headers } } : request;
}

function isAbout(on: Webhook['on'], { event }: Notification): boolean {
  return event !== 'test' && on.includes(event);
}

/** Changes no name from the file; a runbook may name anything. */
function shownName(name: string): string {
  return clipText(printable(name), LONGEST_NAME_BYTES);
}

function unknown(name: string): Attempt {
  const detail = 'the notifications file of this worker has no webhook of that name';
  return { webhook: name, result: 'unknown', detail };
}

function attemptOf(webhook: Webhook, request: WebhookRequest, answer: WebhookAnswer): Attempt {
  const { name, kind, host } = webhook;
  const detail = clipText(`${host}: ${described(answer, secretsOf(webhook, request))}`, LONGEST_DETAIL_BYTES);
  const verdict = verdictOn(kind, answer);
  if (verdict !== 'again') return { webhook: name, result: verdict, detail };
  return { webhook: name, result: 'unanswered', detail, againAfterMs: answer.retryAfterMs ?? 0 };
}

function described({ status, body }: WebhookAnswer, secrets: readonly string[]): string {
  if (status >= 300 && status < 400) return `answered ${status}; redirects are not followed`;
  if (body === null) return `answered ${status} and too much text`;
  const text = printable(hideSecrets(body, secrets).trim());
  return text === '' ? `answered ${status}` : `answered ${status}: ${text}`;
}

/** Parts of an address shorter than this are words such as `hook`. */
const SHORTEST_PART = 8;

/** A receiver may repeat what it was sent, even in parts. */
function secretsOf({ secrets }: Webhook, { url, headers }: WebhookRequest): string[] {
  const parts = [...url.pathname.split('/'), ...url.searchParams.values(), ...Object.values(headers)];
  return [
    ...secrets.map((secret) => secret.reveal()),
    url.href,
    `${url.pathname}${url.search}`,
    ...parts.filter((part) => part.length >= SHORTEST_PART),
  ].filter((secret) => secret.length > 1);
}
