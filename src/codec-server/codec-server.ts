/**
 * The codec server: decrypts payloads for the Temporal UI and the `temporal` CLI, by the protocol of https://docs.temporal.io/codec-server.
 * Its callers can read every payload, so no body is read before origin and token of the request are accepted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PayloadCodec } from '@temporalio/common';
import type { Logger } from 'pino';
import { printable } from '../domain/text/text.js';
import { ThrottledLog } from '../logging/throttled-log.js';
import { onEarlyRejection } from '../network/early-rejections.js';
import { hostAndPort } from '../network/host-and-port.js';
import { listen } from '../network/listen.js';
import { BodyMemoryBudget, discard, withBody } from '../network/request-body.js';
import { admit, type AccessRules, type Admission } from './access.js';
import { payloadsJson, readPayloads } from './payloads-json.js';

/** A field of an event has 2 MB at most, in base64 2.7 MB. The UI and the CLI send one field, or those of one answer of 4 MB. */
const MOST_BODY_BYTES = 8 * 1024 * 1024;
const BODY_BUDGET_BYTES = 64 * 1024 * 1024;
const MOST_CONNECTIONS = 500;
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 15_000, keepAliveTimeout: 15_000 };
const STOP_WITHIN_MS = 6_000;
/** How long a browser may keep the answer to its question about an origin, seconds. */
const PREFLIGHT_SECONDS = '600';

/** What a codec server needs. */
export interface CodecServerOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly codec: PayloadCodec;
  readonly access: AccessRules;
  /** Origins whose pages may use it. A request that names another one is refused. */
  readonly origins: readonly string[];
  readonly log: Logger;
  /** Why the keys cannot be read now; `null`: they can. Default: `null`. */
  readonly problem?: () => Promise<string | null>;
}

/** A codec server that accepts requests. */
export interface RunningCodecServer {
  readonly url: string;
  /** Accepts nothing new and answers what is under way, within 6 s. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts a codec server. @throws Error when the port is in use */
export async function startCodecServer(options: CodecServerOptions): Promise<RunningCodecServer> {
  const codecServer = new CodecServer(options);
  const server = createServer(TIMEOUTS, (request, response) => void codecServer.handle(request, response));
  server.maxConnections = MOST_CONNECTIONS;
  onEarlyRejection(server, (reason, what) => codecServer.warn(reason, { what }));
  const port = await listen(server, options, (error) => codecServer.recordError(error));
  return { url: `http://${hostAndPort(options.host, port)}`, close: () => stop(server) };
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
  await closed;
  clearTimeout(late);
}

/** Answers requests. */
class CodecServer {
  readonly #budget = new BodyMemoryBudget(BODY_BUDGET_BYTES);
  readonly #throttledLog: ThrottledLog;

  constructor(private readonly options: CodecServerOptions) {
    this.#throttledLog = new ThrottledLog(options.log);
  }

  /** Answers one request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { status, body, headers = {} } = await this.#answer(request);
      const usual = { 'content-type': 'application/json', 'cache-control': 'no-store' };
      response.writeHead(status, { ...usual, ...this.#cors(request), ...headers });
      response.end(body === undefined ? '' : `${JSON.stringify(body)}\n`);
    } catch (error) {
      // The caller hung up, or was too slow with its body; or the file of the issuer's keys cannot be read.
      this.warn('cutOff', { what: error instanceof Error ? error.message : String(error) });
      response.destroy();
    }
  }

  /** Logs what outsiders cause, at most once in 10 s for each reason. */
  warn(reason: string, facts: object): void {
    this.#throttledLog.warn(reason, { reason, ...facts }, 'codec server: request rejected');
  }

  /** Logs an error of the server itself, such as a connection that the system could not accept. */
  recordError(error: Error): void {
    this.#throttledLog.warn('server error', { what: error.message }, 'the server failed');
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method = '', url = '' } = request;
    const route = routeOf(url);
    if (route === 'encode' || route === 'decode') return this.#convert(route, request);
    discard(request);
    if (route === null) return refusal(404, 'notFound', 'there is no such path: POST /decode, POST /encode');
    if (method !== 'GET' && method !== 'HEAD') return refusal(405, 'wrongMethod', 'use GET', { allow: 'GET, HEAD' });
    if (route === 'livez') return { status: 200, body: { live: true } };
    const problem = (await this.options.problem?.()) ?? null;
    return problem === null
      ? { status: 200, body: { ready: true } }
      : { status: 503, body: { ready: false, error: 'keysUnreadable' } };
  }

  async #convert(direction: 'encode' | 'decode', request: IncomingMessage): Promise<Answer> {
    const { method = '', headers } = request;
    const refused = await this.#refusal(method, headers);
    if ('status' in refused) {
      discard(request);
      return refused;
    }
    return withBody(request, { mostBytes: MOST_BODY_BYTES, budget: this.#budget }, async (body) => {
      if (body === 'tooLarge') return refusal(413, body, 'the body is larger than 8 MiB');
      if (body === 'tooMuchAtOnce') return refusal(503, body, 'try again', { 'retry-after': '1' });
      return this.#convertBody(direction, body, { actor: refused.actor, namespace: oneLine(headers['x-namespace']) });
    });
  }

  /** Decides by method and headers alone. */
  async #refusal(method: string, headers: IncomingMessage['headers']): Promise<Answer | { readonly actor: string }> {
    // A page of another origin could only not read the answer; after DNS rebinding it could.
    if (headers.origin !== undefined && !this.#isOurs(headers.origin)) return this.#otherOrigin(headers.origin);
    if (method === 'OPTIONS') return { status: 204, headers: PREFLIGHT };
    if (method !== 'POST') return refusal(405, 'wrongMethod', 'use POST', { allow: 'POST, OPTIONS' });
    const admission: Admission = await admit(this.options.access, headers.authorization ?? '', Date.now());
    if ('actor' in admission) return admission;
    const { status, why } = admission;
    this.warn(status === 401 ? 'unauthorized' : 'forbidden', { what: printable(why) });
    if (status === 403) return refusal(status, 'forbidden', 'you have none of the roles that may use this server');
    return refusal(status, 'unauthorized', 'give a token that is accepted here', { 'www-authenticate': 'Bearer' });
  }

  async #convertBody(direction: 'encode' | 'decode', body: Buffer, who: object): Promise<Answer> {
    const payloads = readPayloads(body);
    if (typeof payloads === 'string') return refusal(400, 'badBody', payloads);
    try {
      const converted = await this.options.codec[direction](payloads);
      // Who read what is asked after every leak.
      this.options.log.info({ ...who, direction, payloads: payloads.length }, 'codec server: payloads converted');
      return { status: 200, body: payloadsJson(converted) };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      this.warn(name, { ...who, what: printable(message) });
      const isOurs = name === 'UnknownEncryptionKey' || name === 'UnreadablePayload';
      return isOurs
        ? refusal(400, name, message)
        : refusal(500, 'codecFailed', 'the codec failed; the reason is in the log');
    }
  }

  #isOurs(origin: string): boolean {
    return this.options.origins.includes(origin);
  }

  /** The log names the origin, because the UI shows only that it could not connect. */
  #otherOrigin(origin: string): Answer {
    this.warn('otherOrigin', { what: oneLine(origin) });
    return refusal(403, 'otherOrigin', 'pages of this origin may not use this server: see RUNBOOK_CODEC_ORIGINS');
  }

  /** Lets pages of our origins read the answer, also behind a proxy that wants their cookies. */
  #cors({ headers: { origin = '' } }: IncomingMessage): Record<string, string> {
    if (!this.#isOurs(origin)) return { vary: 'origin' };
    return {
      vary: 'origin',
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
    };
  }
}

/** `authorization-extras` has the id token of a person who is signed in to the UI. */
const PREFLIGHT = {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'authorization, authorization-extras, content-type, x-namespace',
  'access-control-max-age': PREFLIGHT_SECONDS,
};

type Route = 'encode' | 'decode' | 'livez' | 'readyz';

/** A namespace may come first, as in `--codec-endpoint 'http://localhost:8096/{namespace}'`. */
function routeOf(url: string): Route | null {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  const [, conversion] = /^(?:\/[^/]*)?\/(encode|decode)$/.exec(path) ?? [];
  if (conversion === 'encode' || conversion === 'decode') return conversion;
  if (path === '/livez') return 'livez';
  return path === '/readyz' ? 'readyz' : null;
}

function refusal(status: number, error: string, message: string, headers: Record<string, string> = {}): Answer {
  return { status, body: { error, message }, headers };
}

const LONGEST_SHOWN = 200;

function oneLine(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? printable(header.slice(0, LONGEST_SHOWN)) : null;
}
