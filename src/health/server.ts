/** Serves `/livez`, `/readyz` and `/metrics` for probes and Prometheus. It answers GET and HEAD alone, reads no body, and shows no secret. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listen } from '../network/listen.js';
import type { Verdict } from './checks.js';
import type { Readiness } from './readiness.js';

/** What the pages show. None of these throws. */
export interface HealthPages {
  /** Not ok: only a new process helps. */
  readonly live: () => Verdict;
  readonly ready: () => Promise<Readiness>;
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
}

/** Where the pages are served. */
export interface HealthServerOptions {
  /** `undefined`: all addresses. */
  readonly host?: string | undefined;
  /** 0 picks a free one. */
  readonly port: number;
}

/** The pages, while they are served. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A few probes and scrapers ask; more at once are somebody else. */
const MOST_CONNECTIONS = 50;
const REQUEST_TIMEOUT_MS = 5_000;
const JSON_TYPE = 'application/json';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Begins to serve. It does not keep the process alive. @throws Error if the address cannot be listened on */
export async function serveHealth(pages: HealthPages, options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer(
    { headersTimeout: REQUEST_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => void answer(pages, request, response),
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.unref();
  return { port: await listen(server, options, () => {}), close: () => close(server) };
}

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return closed;
}

async function answer(pages: HealthPages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  const { status, type, text } = await pageOf(pages, request).catch((): Answer => ({
    status: 500,
    type: JSON_TYPE,
    text: '{"error":"failed"}\n',
  }));
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(text),
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

async function pageOf(pages: HealthPages, { method = '', url = '' }: IncomingMessage): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'methodNotAllowed' });
  const [path = ''] = url.split('?');
  switch (path) {
    case '/livez': {
      const { ok, reason } = pages.live();
      return json(ok ? 200 : 503, { live: ok, reason });
    }
    case '/readyz': {
      const readiness = await pages.ready();
      return json(readiness.ready ? 200 : 503, readiness);
    }
    case '/metrics':
      return { status: 200, ...(await pages.metrics()) };
    default:
      return json(404, { error: 'notFound', pages: ['/livez', '/readyz', '/metrics'] });
  }
}

function json(status: number, body: object): Answer {
  return { status, type: JSON_TYPE, text: `${JSON.stringify(body)}\n` };
}
