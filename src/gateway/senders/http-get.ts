/** The gateway's own GET requests, to addresses that senders named: no redirect, short time-out, small answer. */
import { got } from 'got';
import { notFollowed, outgoing, type FollowOutgoing, type RequestEnding } from '../../network/follow-request.js';
import { reasonThroughProxy, type ProxyAgents } from '../../network/proxy-agents.js';

/** SMN waits 5 s for the answer to a delivery. Source: FAQ of SMN, smn_faq_0014, 2025. */
const TIMEOUT_MS = 5_000;

/** How an address is asked. */
export interface GetOptions {
  /** What is asked for, for those who follow requests. */
  readonly purpose: 'certificate' | 'subscription';
  readonly mostBytes: number;
  /** Default: none. */
  readonly proxy?: ProxyAgents | null | undefined;
  /** Default: requests are not followed. */
  readonly follow?: FollowOutgoing | undefined;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The body of a 200 answer. @throws Error with a readable reason and without the address, which may hold a token */
export async function getText(url: URL, options: GetOptions): Promise<string> {
  const { status, text } = await getAnswer(url, options);
  if (status !== 200) throw new Error(`${url.hostname}: answered ${status}`);
  return text;
}

/** Any answer. @throws Error with a readable reason and without the address, when there is no answer */
export async function getAnswer(url: URL, options: GetOptions): Promise<Answer> {
  const { purpose, mostBytes, proxy = null, follow = notFollowed } = options;
  const answer = await follow(outgoing('GET', purpose, url), () => ask(url, mostBytes, proxy), endingOf);
  if (typeof answer === 'string') throw new Error(`${url.hostname}: ${answer}`);
  return answer;
}

/** @returns a text why there is no answer */
async function ask(url: URL, mostBytes: number, proxy: ProxyAgents | null): Promise<Answer | string> {
  const tooLarge = new AbortController();
  const answer = got(url, {
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    timeout: { request: TIMEOUT_MS },
    headers: { 'user-agent': 'servicestage-runbooks' },
    signal: tooLarge.signal,
    ...(proxy === null ? {} : { agent: { http: proxy.http, https: proxy.https } }),
  });
  void answer.on('downloadProgress', ({ transferred }) => {
    if (transferred > mostBytes) tooLarge.abort();
  });
  try {
    const { statusCode: status, body: text } = await answer;
    return { status, text };
  } catch (error) {
    return tooLarge.signal.aborted ? `more than ${mostBytes} bytes` : reasonOf(error, proxy);
  }
}

function endingOf(answer: Answer | string): RequestEnding {
  if (typeof answer === 'string') return { failure: 'unanswered' };
  const { status } = answer;
  return status >= 200 && status < 300 ? { status } : { status, failure: 'refused' };
}

/** Uses only the code, because the message of got's error may contain the address. */
function reasonOf(error: unknown, proxy: ProxyAgents | null): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (proxy === null) return `no answer (${code})`;
  const refused = error instanceof Error ? /^Bad response: \d{3}/.exec(error.message)?.[0] : undefined;
  return reasonThroughProxy(proxy, refused ?? `no answer (${code})`);
}
