/** The only HTTP client: time limits, no retries, no redirects, bounded bodies, and no credentials in errors. */
import { got, type CancelableRequest, type Response } from 'got';
import { nestingProblem } from '../domain/text/nesting.js';
import { clockAheadMs, errorFromAnswer, errorWithoutAnswer, type Asked } from './classify-answer.js';
import { holdBack, openConnection, type HeldConnection } from './connection.js';
import { ServiceStageError } from './errors.js';
import { hideSecrets } from './hide-secrets.js';
import { abortAfter, abortOverdue } from '../network/overdue.js';
import { proxyAgents, reasonThroughProxy, type ProxyAgents } from '../network/proxy-agents.js';
import { noProxies, type ProxyFor } from '../network/proxies.js';
import { encodePath, encodeQuery, type RequestToSign } from './sign-request.js';

interface HttpRequest {
  readonly endpoint: string;
  readonly method: 'GET' | 'POST';
  /** Not encoded, without query. */
  readonly path: string;
  readonly query: RequestToSign['query'];
  /** The exact text to send. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Reads only; the signal's reason is rethrown. */
  readonly signal?: AbortSignal;
  /**
   * POST only: awaited once the connection is open and the request is complete in memory, and not counted in `timeoutMs`. When it resolves, the
   * request is written at once. If it throws, the request ends unsent and the error is rethrown.
   */
  readonly beforeFirstByte?: () => Promise<void>;
  readonly headersFor: (request: RequestToSign) => Record<string, string>;
  /** Texts in the body that no error may show, in case the other side echoes them. */
  readonly secrets?: readonly string[];
}

/** A 2xx answer with its JSON body. */
export interface HttpAnswer {
  readonly status: number;
  readonly json: unknown;
  header(name: string): string | undefined;
}

/** Sends one request at a time to any host. */
export interface HttpClient {
  /** @throws ServiceStageError for everything except a 2xx with a JSON body; the signal's reason */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** How far our clock was ahead of the last answer's `Date`; `null` before the first answer. */
  clockAheadMs(): number | null;
}

/** Larger than any documented answer; a page of 100 tasks has some 50 KB. */
const LARGEST_BODY_BYTES = 8 * 1024 * 1024;

/**
 * Secrets shorter than this are not removed from successful answers, because those are parsed and could match by
 * chance.
 */
const SHORTEST_ECHO = 16;

type Exchanged = CancelableRequest<Response<string>>;

const client = got.extend({
  retry: { limit: 0 },
  followRedirect: false,
  throwHttpErrors: false,
  responseType: 'text',
  decompress: true,
  headers: { 'user-agent': 'servicestage-runbooks', accept: 'application/json' },
});

/** Follows a request from outside, for example to trace it. It must call `send` once and pass on what that returns or throws. */
export type FollowRequest = (
  asked: { readonly method: string; readonly url: URL },
  send: () => Promise<HttpAnswer>,
) => Promise<HttpAnswer>;

/** Creates the client. @param proxyFor chooses the proxy of a URL; default: none. @param follow default: requests are not followed */
export function createHttpClient(
  proxyFor: ProxyFor = noProxies,
  follow: FollowRequest = (_asked, sending) => sending(),
): HttpClient {
  const agentsFor = proxyAgents(proxyFor);
  let aheadMs: number | null = null;
  return {
    send: (request) => {
      const { method } = request;
      const url = urlOf(request);
      return follow({ method, url }, () =>
        send(request, agentsFor(url), ({ headers }) => {
          aheadMs = clockAheadMs(headers) ?? aheadMs;
        }),
      );
    },
    clockAheadMs: () => aheadMs,
  };
}

async function send(
  request: HttpRequest,
  proxy: ProxyAgents | null,
  onAnswer: (answer: Response<string>) => void,
): Promise<HttpAnswer> {
  const { method, path, timeoutMs } = request;
  const asked = { method, path };
  const secrets = [...(request.secrets ?? [])];
  const givenUp = new AbortController();
  const startedAtMs = performance.now();
  // A kept-alive connection that the server has just closed fails with ECONNRESET for a request that was never sent,
  // so a POST opens its own.
  const headers = signed(request);
  secrets.push(...secretsIn(headers));
  const held = method === 'POST' ? holdBack(await ownConnection(request, proxy)) : null;
  const leftMs = Math.max(1, timeoutMs - (performance.now() - startedAtMs));
  const exchanged = exchange({ ...request, headers, timeoutMs: leftMs }, { held, proxy, givenUp });
  if (held !== null) await passFence(held, exchanged, { request, proxy, givenUp });
  let answer: Response<string>;
  try {
    const withLimit = held === null ? abortOverdue : abortAfter;
    answer = await withLimit(exchanged, leftMs, givenUp, `no end within ${Math.round(timeoutMs)} ms`);
  } catch (error) {
    request.signal?.throwIfAborted();
    const reason = givenUp.signal.aborted ? String(givenUp.signal.reason) : reasonOf(error, proxy);
    // A POST fails here only after its connection was released, so the other side may have read it.
    throw errorWithoutAnswer(asked, held !== null, reason);
  }
  onAnswer(answer);
  if (answer.statusCode < 200 || answer.statusCode > 299) {
    const { statusCode: httpStatus, headers: answerHeaders, body } = answer;
    throw errorFromAnswer(asked, { httpStatus, headers: answerHeaders, body }, secrets, {
      isSigned: headers['Authorization'] !== undefined,
    });
  }
  const { headers: answered } = answer;
  const tooDeep = nestingProblem(answer.body);
  if (tooDeep !== null) throw unreadable(asked, `the answer is ${tooDeep}`);
  return {
    status: answer.statusCode,
    json: jsonIn(
      hideSecrets(
        answer.body,
        secrets.filter((secret) => secret.length >= SHORTEST_ECHO),
      ),
    ),
    header: (name) => [answered[name]].flat()[0],
  };
}

async function ownConnection(request: HttpRequest, proxy: ProxyAgents | null) {
  const { method, path, timeoutMs } = request;
  try {
    // Half of the time is kept for the answer: a POST sent with no time left would only lose it.
    return await openConnection(urlOf(request), timeoutMs / 2, proxy);
  } catch (error) {
    throw errorWithoutAnswer({ method, path }, false, reasonOf(error, proxy));
  }
}

/**
 * Asks whether the POST may go, and hands its connection over at once. The client has prepared the request by then: that takes it up to 4 ms, and
 * a process that froze meanwhile would send when it wakes, long after its lease has ended.
 */
async function passFence(
  held: HeldConnection,
  exchanged: Exchanged,
  { request, proxy, givenUp }: { request: HttpRequest; proxy: ProxyAgents | null; givenUp: AbortController },
): Promise<void> {
  const { method, path, beforeFirstByte } = request;
  // got announces the request once its headers and body are in memory.
  const prepared = new Promise((resolve) => void exchanged.on('request', resolve));
  const unsent = (reason: string) => errorWithoutAnswer({ method, path }, false, reason);
  try {
    await Promise.race([prepared, exchanged]).catch((error: unknown) => {
      throw unsent(reasonOf(error, proxy));
    });
    await beforeFirstByte?.();
    if (held.connection.destroyed) throw unsent('the connection was closed before the first byte');
    held.release();
  } catch (error) {
    exchanged.catch(() => {});
    givenUp.abort('not sent');
    held.connection.destroy();
    throw error;
  }
}

function urlOf({ endpoint, path, query }: HttpRequest): URL {
  return new URL(
    `${endpoint.replace(/\/+$/, '')}${encodePath(path)}${query.length === 0 ? '' : `?${encodeQuery(query)}`}`,
  );
}

/** All headers to send. Called before the fence, so an error here proves that nothing was sent. */
function signed(request: HttpRequest): Readonly<Record<string, string>> {
  const { method, path, query, body } = request;
  const url = urlOf(request);
  return request.headersFor({
    method,
    path: url.pathname === path ? path : decodeURIComponent(url.pathname),
    query,
    host: url.host,
    headers: { 'Content-Type': 'application/json', ...request.headers },
    body: body ?? '',
  });
}

interface Way {
  /** POST only: its own connection, which it gets later. */
  readonly held: HeldConnection | null;
  readonly proxy: ProxyAgents | null;
  /** Aborted with the reason in words. */
  readonly givenUp: AbortController;
}

function exchange(
  request: HttpRequest & { readonly headers: Readonly<Record<string, string>> },
  { held, proxy, givenUp }: Way,
): Exchanged {
  const { method, headers, body, timeoutMs, signal } = request;
  const url = urlOf(request);
  const sent = client(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    // The time of a POST begins with its first byte.
    ...(held === null
      ? { ...agentOf(proxy), timeout: { request: timeoutMs } }
      : { createConnection: held.createConnection }),
    // The caller's signal never ends a POST: that would not undo what the server has already read.
    signal: held !== null || signal === undefined ? givenUp.signal : AbortSignal.any([givenUp.signal, signal]),
  });
  void sent.on('downloadProgress', ({ transferred }) => {
    if (transferred > LARGEST_BODY_BYTES) givenUp.abort('the answer is larger than 8 MiB');
  });
  return sent;
}

function agentOf(proxy: ProxyAgents | null) {
  return proxy === null ? {} : { agent: { http: proxy.http, https: proxy.https } };
}

/** A gateway that refuses a signature may print the canonical request, including the security token. */
function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  const { 'X-Auth-Token': token, 'X-Security-Token': securityToken, Authorization: authorization } = headers;
  const signature = authorization?.split('Signature=')[1];
  return [token, securityToken, signature].filter((secret) => secret !== undefined);
}

/** For a POST it may have acted. */
function unreadable(asked: Asked, reason: string): ServiceStageError {
  if (asked.method === 'POST') return errorWithoutAnswer(asked, true, reason);
  return new ServiceStageError({ ...asked, code: 'UnreadableAnswer', sent: 'no', reason });
}

/** Only the code and the first line: errors of the HTTP client contain the whole request. */
function reasonOf(error: unknown, proxy: ProxyAgents | null): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  const reason = `${code}${error.message.split('\n')[0]}`;
  return (proxy === null ? reason : reasonThroughProxy(proxy, reason)).slice(0, 300);
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // The reader of the answer reports what is missing.
  }
}
