/** The gateway's own GET requests, to addresses that senders named: no redirect, short time-out, small answer. */
import { got } from 'got';
import { reasonThroughProxy, type ProxyAgents } from '../../network/proxy-agents.js';

/** SMN waits 5 s for the answer to a delivery. Source: FAQ of SMN, smn_faq_0014, 2025. */
const TIMEOUT_MS = 5_000;

/** The body of a 200 answer. @throws Error with a readable reason and without the address, which may hold a token */
export async function getText(url: URL, mostBytes: number, proxy: ProxyAgents | null = null): Promise<string> {
  const { status, text } = await getAnswer(url, mostBytes, proxy);
  if (status !== 200) throw new Error(`${url.hostname}: answered ${status}`);
  return text;
}

/** Any answer. @throws Error with a readable reason and without the address, when there is no answer */
export async function getAnswer(
  url: URL,
  mostBytes: number,
  proxy: ProxyAgents | null = null,
): Promise<{ readonly status: number; readonly text: string }> {
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
  const { statusCode, body } = await answer.catch((error: unknown) => {
    throw new Error(
      `${url.hostname}: ${tooLarge.signal.aborted ? `more than ${mostBytes} bytes` : reasonOf(error, proxy)}`,
    );
  });
  return { status: statusCode, text: body };
}

/** Uses only the code, because the message of got's error may contain the address. */
function reasonOf(error: unknown, proxy: ProxyAgents | null): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (proxy === null) return `no answer (${code})`;
  const refused = error instanceof Error ? /^Bad response: \d{3}/.exec(error.message)?.[0] : undefined;
  return reasonThroughProxy(proxy, refused ?? `no answer (${code})`);
}
