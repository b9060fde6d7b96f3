/** Confirms subscriptions of SMN. Each is confirmed once, and only an answer that names the subscription counts as success. */
import { z } from 'zod';
import { notFollowed, type FollowOutgoing } from '../../network/follow-request.js';
import type { ProxyAgents } from '../../network/proxy-agents.js';
import { oneLine } from './alarm-values.js';
import { getAnswer } from './http-get.js';

const LARGEST_ANSWER_BYTES = 64 * 1024;
/** Messages. Few arrive: one each time someone subscribes. */
const MOST_CONFIRMED = 1_000;
/** Characters. Shorter values of a link are not secrets. Chosen. */
const SHORTEST_SECRET = 8;

/** Source: the receiver of Apache HertzBeat, commit f64da5fcf7. The SMN documentation does not show the answer. */
const Confirmed = z.object({ subscription_urn: z.string().min(1) });

/** The confirmations of one gateway process. */
export class Confirmations {
  readonly #confirmed = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();

  /** @param agentsFor the proxy for a link, or `null`. @param follow default: requests are not followed */
  constructor(
    private readonly agentsFor: (url: URL) => ProxyAgents | null,
    private readonly follow: FollowOutgoing = notFollowed,
  ) {}

  /** True if this process has already confirmed with this message. */
  has(messageId: string): boolean {
    return this.#confirmed.has(messageId);
  }

  /** Follows the link; callers that wait share one request. @throws Error with the answer that came instead; the next delivery tries again */
  confirm(messageId: string, link: URL): Promise<void> {
    const underWay = this.#underWay.get(messageId);
    if (underWay !== undefined) return underWay;
    const confirming = this.#follow(messageId, link).finally(() => this.#underWay.delete(messageId));
    this.#underWay.set(messageId, confirming);
    return confirming;
  }

  async #follow(messageId: string, link: URL): Promise<void> {
    const { status, text } = await getAnswer(link, {
      purpose: 'subscription',
      mostBytes: LARGEST_ANSWER_BYTES,
      proxy: this.agentsFor(link),
      follow: this.follow,
    });
    const isGood = status >= 200 && status < 300;
    if (!isGood || !namesSubscription(text)) {
      const missing = isGood ? ' without a subscription_urn' : '';
      const came = oneLine(withoutValuesOf(link, text)) || 'nothing';
      throw new Error(`${link.hostname}: answered ${status}${missing}: ${came}`);
    }
    if (this.#confirmed.size >= MOST_CONFIRMED) this.#confirmed.clear();
    this.#confirmed.add(messageId);
  }
}

function namesSubscription(text: string): boolean {
  try {
    return Confirmed.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** An error page may repeat the query of the request, which holds the token. */
function withoutValuesOf({ search, searchParams }: URL, text: string): string {
  const asWritten = search.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  return [...searchParams.values(), ...asWritten]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .reduce((cut, value) => cut.replaceAll(value, '<cut>'), text);
}
