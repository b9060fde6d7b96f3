/** Sends one message: no redirect, short time-out, small answer, no retry. */
import { got } from 'got';
import { abortOverdue } from '../network/overdue.js';
import { reasonThroughProxy, type ProxyAgents } from '../network/proxy-agents.js';
import { retryAfterMs, type WebhookAnswer } from './answers.js';
import type { WebhookRequest } from './messages.js';

/** Chosen: chat tools answer within a second. */
const TIMEOUT_MS = 10_000;
/** More of an answer is not read. */
const MOST_BYTES = 16 * 1024;

const TIMED_OUT = Object.assign(new Error('late'), { code: 'ETIMEDOUT' });

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
  signal?.throwIfAborted();
  // A signal of its own: a stream that has ended and is aborted afterwards throws outside of every `try`, which ends the process.
  const givenUp = new AbortController();
  const giveUp = () => givenUp.abort();
  signal?.addEventListener('abort', giveUp);
  // A stream, because status and headers count even where the body is too long to be read.
  const stream = got.stream(url, {
    method: 'POST',
    body,
    headers: { 'user-agent': 'servicestage-runbooks', 'content-type': 'application/json; charset=utf-8', ...headers },
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    // A small answer can be unpacked into a large one.
    decompress: false,
    timeout: { request: timeoutMs },
    signal: givenUp.signal,
    ...(proxy === null ? {} : { agent: { http: proxy.http, https: proxy.https } }),
  });
  try {
    const text = await abortOverdue(beginningOf(stream), timeoutMs, givenUp, 'no end in time');
    const { statusCode: status, headers: answered } = stream.response ?? {};
    if (status === undefined) throw new Error('got ended without an answer');
    const laterMs = retryAfterMs(answered?.['retry-after'], Date.now());
    return { status, body: text, ...(laterMs === undefined ? {} : { retryAfterMs: laterMs }) };
  } catch (error) {
    signal?.throwIfAborted();
    throw new NoAnswer(reasonOf(givenUp.signal.aborted ? TIMED_OUT : error, proxy, timeoutMs));
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** @returns `null` for a body that is too long; the rest of it is not read */
async function beginningOf(stream: AsyncIterable<Buffer>): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop closes the connection.
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Uses only the code, because the message of got's error may contain the address. */
function reasonOf(error: unknown, proxy: ProxyAgents | null, timeoutMs: number): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const reason = code === 'ETIMEDOUT' ? `no answer within ${timeoutMs / 1_000} s` : `no answer (${code})`;
  if (proxy === null) return reason;
  const refused = error instanceof Error ? /^Bad response: \d{3}/.exec(error.message)?.[0] : undefined;
  return reasonThroughProxy(proxy, refused ?? reason);
}
