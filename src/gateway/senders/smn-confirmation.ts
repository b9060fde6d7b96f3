/** Confirms subscriptions of SMN: each once, and only an answer that names the subscription counts. */
import { z } from 'zod';
import type { ProxyAgents } from '../../network/proxy-agents.js';
import { oneLine } from './alarm-values.js';
import { getAnswer } from './get-text.js';

const LARGEST_ANSWER_BYTES = 64 * 1024;
/** Confirmations come when people subscribe. */
const MOST_CONFIRMED = 1_000;
/** Shorter values of a link are no secrets. Chosen. */
const SHORTEST_SECRET = 8;

/** Source: the receiver of Apache HertzBeat, commit f64da5fcf7; the papers of SMN do not show the answer. */
const Confirmed = z.object({ subscription_urn: z.string().min(1) });

export class Confirmations {
  readonly #confirmed = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();

  /** @param agentsFor the proxy on the way to a link, if there is one */
  constructor(private readonly agentsFor: (url: URL) => ProxyAgents | null) {}

  /** Whether this message was used, by this process. */
  has(messageId: string): boolean {
    return this.#confirmed.has(messageId);
  }

  /** Asks for the link, once for all who wait. @throws Error in words with what came instead: when SMN sends it again it is tried again */
  confirm(messageId: string, link: URL): Promise<void> {
    const underWay = this.#underWay.get(messageId);
    if (underWay !== undefined) return underWay;
    const confirming = this.#ask(messageId, link).finally(() => this.#underWay.delete(messageId));
    this.#underWay.set(messageId, confirming);
    return confirming;
  }

  async #ask(messageId: string, link: URL): Promise<void> {
    const { status, text } = await getAnswer(link, LARGEST_ANSWER_BYTES, this.agentsFor(link));
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

/** A page that shows an error may show what it was asked with: the token of the link. */
function withoutValuesOf({ search, searchParams }: URL, text: string): string {
  const asWritten = search.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  return [...searchParams.values(), ...asWritten]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .reduce((cut, value) => cut.replaceAll(value, '<cut>'), text);
}
