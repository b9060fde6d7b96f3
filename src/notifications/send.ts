/** Sends one message: no redirect, short time-out, small answer, no retry. */
import { got } from 'got';
import { reasonThroughProxy, type ProxyAgents } from '../network/proxy-agents.js';
import { retryAfterMs, type WebhookAnswer } from './answers.js';
import type { WebhookRequest } from './messages.js';

/** Chosen: chat tools answer within a second. */
const TIMEOUT_MS = 10_000;
/** More of an answer is not read. */
const MOST_BYTES = 16 * 1024;

/** How a message is sent. */
export interface SendOptions {
  readonly proxy: ProxyAgents | null;
  /** Ends the request; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. Default: 10 s. */
  readonly timeoutMs?: number | undefined;
}

/** There was no answer. The message shows no part of the address. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Any answer. @throws NoAnswer; the signal's reason */
export async function send(
  { url, headers, body }: WebhookRequest,
  { proxy, signal, timeoutMs = TIMEOUT_MS }: SendOptions,
): Promise<WebhookAnswer> {
  const enough = new AbortController();
  const sent = got(url, {
    method: 'POST',
    body,
    headers: { 'user-agent': 'servicestage-runbooks', 'content-type': 'application/json; charset=utf-8', ...headers },
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    // A small answer can be unpacked into a large one.
    decompress: false,
    timeout: { request: timeoutMs },
    signal: signal === undefined ? enough.signal : AbortSignal.any([enough.signal, signal]),
    ...(proxy === null ? {} : { agent: { http: proxy.http, https: proxy.https } }),
  });
  let head: Omit<WebhookAnswer, 'body'> | null = null;
  void sent
    .on('response', ({ statusCode, headers: { 'retry-after': retryAfter } }) => {
      const laterMs = retryAfterMs(retryAfter, Date.now());
      head = { status: statusCode, ...(laterMs === undefined ? {} : { retryAfterMs: laterMs }) };
    })
    .on('downloadProgress', ({ transferred }) => {
      if (transferred > MOST_BYTES) enough.abort();
    });
  try {
    const { statusCode, body: answer } = await sent;
    return { ...(head ?? { status: statusCode }), body: answer };
  } catch (error) {
    signal?.throwIfAborted();
    if (enough.signal.aborted && head !== null) return { ...(head as Omit<WebhookAnswer, 'body'>), body: null };
    throw new NoAnswer(reasonOf(error, proxy, timeoutMs));
  }
}

/** Uses only the code, because the message of got's error may contain the address. */
function reasonOf(error: unknown, proxy: ProxyAgents | null, timeoutMs: number): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const reason = code === 'ETIMEDOUT' ? `no answer within ${timeoutMs / 1_000} s` : `no answer (${code})`;
  if (proxy === null) return reason;
  const refused = error instanceof Error ? /^Bad response: \d{3}/.exec(error.message)?.[0] : undefined;
  return reasonThroughProxy(proxy, refused ?? reason);
}
