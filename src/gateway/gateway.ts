/** The HTTP server for alarms. Everything that a stranger can cause is bounded: bytes, time, connections, and what an answer reveals. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { ThrottledLog } from '../logging/throttled-log.js';
import type { HealthServerOptions } from '../health/server.js';
import { hostAndPort } from '../network/host-and-port.js';
import { listen } from '../network/listen.js';
import type { FollowOutgoing } from '../network/follow-request.js';
import type { ProxyFor } from '../network/proxies.js';
import { reasonOf, toClientError, type Calls } from '../temporal/calls.js';
import type { AlarmsConfig } from './alarms-file/read-alarms-file.js';
import { DeliveryHandler, type Answer } from './delivery-handler.js';
import { onEarlyRejection } from '../network/early-rejections.js';
import { BodyMemoryBudget, discard, MOST_BODY_BYTES, withBody } from '../network/request-body.js';
import { FollowedSenders } from './followed-senders.js';
import { routeOf, shownName, shownPath } from './http-route.js';
import { serveGatewayHealth, type GatewayFacts } from './health.js';
import { countDelivery, createGatewayMetrics, UNKNOWN_SENDER, type GatewayMetrics, type Rejection } from './metrics.js';
import { decideAlarmsWith } from './rule-client.js';
import { makeSender } from './senders/make-sender.js';
import type { Delivery } from './senders/sender.js';

/** Per sender, so that a flood at one does not shut out the others. On top of 64 KiB per connection. */
const BODY_BUDGET_BYTES = 32 * 1024 * 1024;
const MOST_CONNECTIONS = 1_000;
/** Chosen: senders are servers, which send without pauses. */
const DEFAULT_TIMEOUTS: RequestTimeouts = { headersMs: 5_000, requestMs: 10_000 };
/** How often Node checks for connections that exceed a time-out; more often if the time-out is shorter. */
const CHECK_CONNECTIONS_EVERY_MS = 1_000;
const KEEP_ALIVE_MS = 15_000;
/** Longer than a sender waits, because late deliveries are decided all the same; shorter than a container gets to stop. */
const UPDATE_TIMEOUT_MS = 8_000;
const READY_TIMEOUT_MS = 1_000;
/** Longer than it takes to answer any delivery. */
const STOP_WITHIN_MS = 6_000;
/** Unknown senders get no body memory: nothing is buffered for them. */
const NO_BUDGET = new BodyMemoryBudget(0);

/** The time that a sender has for its headers, and for a whole request. */
interface RequestTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
}

/** Must call `handle` once, and pass on its answer. */
type TraceDelivery = (
  delivery: { readonly sender: string; readonly headers: Delivery['headers'] },
  handle: () => Promise<Answer>,
) => Promise<Answer>;

/** What a gateway needs. */
export interface GatewayOptions {
  readonly alarms: AlarmsConfig;
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** `null` for a dry run, which starts nothing. */
  readonly temporal: { readonly calls: Calls; readonly taskQueue: string } | null;
  readonly log: Logger;
  /** Where probes and metrics are served besides; absent: nowhere. Port 0 picks a free one. */
  readonly health?: HealthServerOptions | null | undefined;
  /** The proxy for what senders download themselves. Default: none. */
  readonly proxyFor?: ProxyFor;
  /** Follows what senders download themselves. Default: it is not followed. */
  readonly followOutgoing?: FollowOutgoing | undefined;
  /** Default: 5 s for the headers, 10 s for a request. */
  readonly timeouts?: RequestTimeouts;
  /** Called for each delivery of an admitted sender. Default: deliveries are not traced. */
  readonly traceDelivery?: TraceDelivery | undefined;
  /** Clock of the throttled log, in epoch milliseconds. Default: the current time. */
  readonly clock?: () => number;
}

/** A gateway that accepts requests. */
export interface RunningGateway {
  readonly url: string;
  /** The port of its probes and metrics; `null`: they are only at `url`. */
  readonly healthPort: number | null;
  /** Accepts nothing new and answers what is under way, within 6 s. */
  close(): Promise<void>;
}

/** Starts a gateway. @throws Error when the port is in use, or the settings of a sender are wrong */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const gateway = new Gateway(options);
  const { headersMs, requestMs } = options.timeouts ?? DEFAULT_TIMEOUTS;
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(CHECK_CONNECTIONS_EVERY_MS, headersMs),
    },
    (request, response) => void gateway.handle(request, response),
  );
  server.maxConnections = MOST_CONNECTIONS;
  onEarlyRejection(server, (reason, what) => gateway.recordRejection(reason, { what }));
  const port = await listen(server, options, (error) => gateway.recordError(error));
  const health = await healthOf(gateway, server, options.health ?? null);
  return {
    url: `http://${hostAndPort(options.host, port)}`,
    healthPort: health?.port ?? null,
    close: async () => {
      await stop(server, gateway);
      await health?.close();
    },
  };
}

async function healthOf(gateway: Gateway, server: Server, options: HealthServerOptions | null) {
  if (options === null) return null;
  try {
    return await serveGatewayHealth(gateway.facts, options);
  } catch (error) {
    server.close();
    throw error;
  }
}

async function stop(server: Server, gateway: Gateway): Promise<void> {
  gateway.isStopping = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
  await closed;
  clearTimeout(late);
}

/** Answers requests. */
class Gateway {
  isStopping = false;
  readonly #senders: FollowedSenders;
  /** Refuses deliveries to unknown names, in the same time as a known sender. */
  readonly #unknownSender = makeSender(UNKNOWN_SENDER, { kind: 'bearer', tokens: [randomBytes(32).toString('hex')] });
  readonly #budgets: ReadonlyMap<string, BodyMemoryBudget>;
  readonly #metrics: GatewayMetrics;
  readonly #throttledLog: ThrottledLog;
  readonly #handler: DeliveryHandler;
  #readiness: Promise<Answer> | null = null;

  constructor(private readonly options: GatewayOptions) {
    const { alarms, temporal, log, proxyFor, followOutgoing, clock } = options;
    const { owner, rules, senders } = alarms;
    const names = (named: readonly { readonly name: string }[]) => named.map(({ name }) => name);
    this.#metrics = createGatewayMetrics({ senders: names(senders), rules: names(rules) });
    this.#senders = new FollowedSenders(senders, { network: { proxyFor, follow: followOutgoing }, log });
    this.#budgets = new Map(senders.map(({ name }) => [name, new BodyMemoryBudget(BODY_BUDGET_BYTES)]));
    const decide = temporal && decideAlarmsWith({ ...temporal, owner, timeoutMs: UPDATE_TIMEOUT_MS });
    const throttledLog = new ThrottledLog(log, clock);
    this.#throttledLog = throttledLog;
    this.#handler = new DeliveryHandler({ owner, rules, decide, metrics: this.#metrics, log, throttledLog });
    this.#metrics.onPage(() => {
      for (const [rule, count] of Object.entries(this.#handler.queueLengths()))
        this.#metrics.set('runbook_gateway_queued_alarms', { rule }, count);
    });
  }

  /** What its own probes and metrics show. */
  get facts(): GatewayFacts {
    return {
      isStopping: () => this.isStopping,
      temporalProblem: () => this.#temporalProblem(),
      metrics: this.#metrics,
    };
  }

  /** Answers one request. Never rejects, and never reveals an internal error. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      this.#send(response, await this.#answer(request));
    } catch (error) {
      // The sender hung up, or was too slow with its body.
      this.recordRejection('cutOff', { what: reasonOf(error) });
      response.destroy();
    }
  }

  /** Counts and logs a request that reaches no sender. */
  recordRejection(reason: Rejection, facts: object): void {
    this.#metrics.count('runbook_gateway_rejected_requests_total', { reason });
    this.#throttledLog.warn(`rejected ${reason}`, { reason, ...facts }, 'request rejected');
  }

  /** Logs an error of the server itself, such as a connection that the system could not accept. */
  recordError(error: Error): void {
    this.#throttledLog.warn('server error', { what: reasonOf(error) }, 'the server failed');
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method = '', url = '' } = request;
    const route = routeOf(method, url);
    if (route.kind === 'alarms') return this.#receive(route.sender, request);
    discard(request);
    if (route.kind === 'page') {
      if (route.page === 'healthz') return { status: 200, body: { healthy: true } };
      if (route.page === 'readyz') return this.#ready();
      const { type, text } = await this.#metrics.page();
      return { status: 200, body: text, headers: { 'content-type': type } };
    }
    const { kind, message } = route;
    this.recordRejection(kind, { method, path: shownPath(url) });
    const body = { error: kind, message };
    return kind === 'notFound' ? { status: 404, body } : { status: 405, body, headers: { allow: route.allow } };
  }

  async #receive(name: string, request: IncomingMessage): Promise<Answer> {
    await this.#senders.refresh();
    const known = this.#senders.get(name);
    const sender = known ?? this.#unknownSender;
    const headers = singleHeaders(request);
    const budget = this.#budgets.get(name) ?? NO_BUDGET;
    const refusal = sender.admits(headers);
    if (refusal !== null) {
      discard(request);
      const what = known === undefined ? `there is no sender ${shownName(name)}` : refusal.what;
      return this.#handler.refuse(sender.name, { ...refusal, what });
    }
    return withBody(request, { mostBytes: MOST_BODY_BYTES, budget }, async (body) => {
      if (body === 'tooLarge') {
        const what = 'the body is larger than 1 MiB';
        return this.#handler.refuse(name, { kind: 'refused', status: 413, reason: 'tooLarge', what });
      }
      if (body === 'tooMuchAtOnce') {
        countDelivery(this.#metrics, name, body);
        return { status: 503, body: { error: body }, headers: { 'retry-after': '1' } };
      }
      const { traceDelivery = (_delivery, handling) => handling() } = this.options;
      const handle = () => this.#handler.handle(sender, { headers, body, receivedAtMs: Date.now() });
      return traceDelivery({ sender: name, headers }, handle);
    });
  }

  /** Requests that arrive together share one call to Temporal. */
  #ready(): Promise<Answer> {
    this.#readiness ??= this.#checkTemporal().finally(() => {
      this.#readiness = null;
    });
    return this.#readiness;
  }

  async #checkTemporal(): Promise<Answer> {
    if (this.options.temporal === null) return { status: 200, body: { ready: true, dryRun: true } };
    const problem = await this.#temporalProblem();
    if (problem === null) return { status: 200, body: { ready: true } };
    return { status: 503, body: { ready: false, error: 'temporalUnreachable' } };
  }

  /** Why Temporal cannot be asked; `null` if it can be, or in a dry run. */
  async #temporalProblem(): Promise<string | null> {
    const { temporal } = this.options;
    if (temporal === null) return null;
    const { calls } = temporal;
    try {
      await calls.interruptible(READY_TIMEOUT_MS, undefined, () =>
        calls.client.connection.workflowService.getSystemInfo({}),
      );
      return null;
    } catch (error) {
      const what = reasonOf(toClientError(error, null));
      this.#throttledLog.warn('notReady', { what }, 'not ready');
      return what;
    }
  }

  #send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
    const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
    const usual = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    response.writeHead(status, { ...usual, ...headers, ...(this.isStopping ? { connection: 'close' } : {}) }).end(text);
  }
}

function singleHeaders({ headers }: IncomingMessage): Delivery['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
