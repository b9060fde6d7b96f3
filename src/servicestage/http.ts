/** The one HTTP client: time limits, retry and redirects off, bodies bounded, credentials kept out of every error. */
import { got, RequestError, type Response } from 'got';
import { errorFromAnswer, errorWithoutAnswer } from './classify-answer.js';
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
  /** Of reads only; its reason is rethrown. */
  readonly signal?: AbortSignal;
  readonly headersFor: (request: RequestToSign) => Record<string, string>;
  /** Texts in the body that no error may show, should the other side echo them. */
  readonly secrets?: readonly string[];
}

export interface HttpAnswer {
  readonly json: unknown;
  header(name: string): string | undefined;
}

export interface HttpClient {
  /** @throws ServiceStageError for everything but a 2xx with a JSON body, or the signal's reason */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/** Larger than any documented answer; a page of 100 tasks has some 50 KB. */
const LARGEST_BODY_BYTES = 8 * 1024 * 1024;

const client = got.extend({
  retry: { limit: 0 },
  followRedirect: false,
  throwHttpErrors: false,
  responseType: 'text',
  decompress: true,
  headers: { 'user-agent': 'servicestage-runbooks', accept: 'application/json' },
});

export const httpClient: HttpClient = { send };

async function send(request: HttpRequest): Promise<HttpAnswer> {
  const { method, path } = request;
  const asked = { method, path };
  const sending: Sending = { reached: false, secrets: [...(request.secrets ?? [])] };
  const tooLarge = new AbortController();
  let answer: Response<string>;
  try {
    answer = await exchange(request, sending, tooLarge);
  } catch (error) {
    request.signal?.throwIfAborted();
    const reason = tooLarge.signal.aborted ? 'the answer is larger than 8 MiB' : reasonOf(error);
    throw errorWithoutAnswer(asked, sending.reached, reason);
  }
  if (answer.statusCode < 200 || answer.statusCode > 299) {
    const { statusCode: httpStatus, headers, body } = answer;
    throw errorFromAnswer(asked, { httpStatus, headers, body }, sending.secrets);
  }
  const { headers } = answer;
  return {
    json: jsonIn(answer.body),
    header: (name) => [headers[name]].flat()[0],
  };
}

interface Sending {
  /** The connection stood, so the other side may have read the request. */
  reached: boolean;
  /** What was sent and may not be seen. */
  readonly secrets: string[];
}

function exchange(request: HttpRequest, sending: Sending, tooLarge: AbortController): Promise<Response<string>> {
  const { endpoint, method, path, query, body, timeoutMs, signal } = request;
  const url = new URL(
    `${endpoint.replace(/\/+$/, '')}${encodePath(path)}${query.length === 0 ? '' : `?${encodeQuery(query)}`}`,
  );
  const contentType = { 'Content-Type': 'application/json', ...request.headers };
  const headers = request.headersFor({
    method,
    path: url.pathname === path ? path : decodeURIComponent(url.pathname),
    query,
    host: url.host,
    headers: contentType,
    body: body ?? '',
  });
  sending.secrets.push(...secretsIn(headers));
  const isPost = method === 'POST';
  const sent = client(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    timeout: { request: timeoutMs },
    // A kept-alive connection that the server has just closed gives ECONNRESET for a request never sent.
    ...(isPost ? { agent: { http: false, https: false } } : {}),
    // A POST is never cut off from our side: that would not take back what the server already reads.
    signal: isPost || signal === undefined ? tooLarge.signal : AbortSignal.any([tooLarge.signal, signal]),
  });
  void sent.on('request', (clientRequest) => {
    clientRequest.once('socket', (socket) => {
      const isOpen = url.protocol === 'https:' ? 'secureConnect' : 'connect';
      if (!socket.connecting) sending.reached = true;
      else socket.once(isOpen, () => (sending.reached = true));
    });
  });
  void sent.on('downloadProgress', ({ transferred }) => {
    if (transferred > LARGEST_BODY_BYTES) tooLarge.abort();
  });
  return sent;
}

/** A gateway that refuses a signature may print the canonical request, security token included. */
function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  const { 'X-Auth-Token': token, 'X-Security-Token': securityToken, Authorization: authorization } = headers;
  const signature = authorization?.split('Signature=')[1];
  return [token, securityToken, signature].filter((secret) => secret !== undefined);
}

/** The code and first line only: errors of the client hold the whole request. */
function reasonOf(error: unknown): string {
  if (error instanceof RequestError)
    return `${error.code === undefined ? '' : `${error.code}: `}${error.message.split('\n')[0]}`.slice(0, 300);
  return error instanceof Error ? error.name : 'unknown error';
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // The reader of the answer says what it misses.
  }
}
