/** The HTTP server for alarms. Everything that a stranger can cause is bounded: bytes, time, connections, and what an answer reveals. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { ThrottledLog } from '../logging/throttled-log.js';
import { hostAndPort } from '../network/host-and-port.js';
import type { ProxyFor } from '../network/proxies.js';
import { reasonOf, toClientError, type Calls } from '../temporal/calls.js';
import type { AlarmsConfig } from './alarms-file/read-alarms-file.js';
import { DeliveryHandler, type Answer } from './delivery-handler.js';
import { onEarlyRejection, type EarlyRejection } from '../network/early-rejections.js';
import { routeOf, shownName, shownPath } from './http-route.js';
import { GatewayMetrics } from './metrics.js';
import { BodyMemoryBudget, discard, MOST_BODY_BYTES, withBody } from '../network/request-body.js';
import { decideAlarmsWith } from './rule-client.js';
import { makeSender } from './senders/make-sender.js';
import type { Delivery, Sender } from './senders/sender.js';

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

/** What a gateway needs. */
export interface GatewayOptions {
  readonly alarms: AlarmsConfig;
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** `null` for a dry run, which starts nothing. */
  readonly temporal: { readonly calls: Calls; readonly taskQueue: string } | null;
  readonly log: Logger;
  /** The proxy for what senders download themselves. Default: none. */
  readonly proxyFor?: ProxyFor;
  /** Default: 5 s for the headers, 10 s for a request. */
  readonly timeouts?: RequestTimeouts;
  /** Clock of the throttled log, in epoch milliseconds. Default: the current time. */
  readonly clock?: () => number;
}

/** A gateway that accepts requests. */
export interface RunningGateway {
  readonly url: string;
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
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${hostAndPort(options.host, port)}`, close: () => stop(server, gateway) };
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
  readonly #senders: ReadonlyMap<string, Sender>;
  /** Refuses deliveries to unknown names, in the same time as a known sender. */
  readonly #unknownSender = makeSender('unknown', { kind: 'bearer', tokens: [randomBytes(32).toString('hex')] });
  readonly #budgets: ReadonlyMap<string, BodyMemoryBudget>;
  readonly #metrics = new GatewayMetrics();
  readonly #throttledLog: ThrottledLog;
  readonly #handler: DeliveryHandler;
  #readiness: Promise<Answer> | null = null;

  constructor(private readonly options: GatewayOptions) {
    const { alarms, temporal, log, proxyFor, clock } = options;
    const { owner, rules, senders } = alarms;
    this.#senders = new Map(senders.map(({ name, settings }) => [name, makeSender(name, settings, proxyFor)]));
    this.#budgets = new Map(senders.map(({ name }) => [name, new BodyMemoryBudget(BODY_BUDGET_BYTES)]));
    const decide = temporal && decideAlarmsWith({ ...temporal, owner, timeoutMs: UPDATE_TIMEOUT_MS });
    const throttledLog = new ThrottledLog(log, clock);
    this.#throttledLog = throttledLog;
    this.#handler = new DeliveryHandler({ owner, rules, decide, metrics: this.#metrics, log, throttledLog });
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
  recordRejection(reason: EarlyRejection | 'notFound' | 'cutOff', facts: object): void {
    this.#metrics.count('rejected_requests', { reason });
    this.#throttledLog.warn(`rejected ${reason}`, { reason, ...facts }, 'request rejected');
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method = '', url = '' } = request;
    const route = routeOf(method, url);
    if (route.kind === 'alarms') return this.#receive(route.sender, request);
    discard(request);
    if (route.kind === 'page') {
      if (route.page === 'healthz') return { status: 200, body: { healthy: true } };
      if (route.page === 'readyz') return this.#ready();
      const { type, text } = await this.#metrics.page(this.#handler.queueLengths());
      return { status: 200, body: text, headers: { 'content-type': type } };
    }
    const { kind, message } = route;
    this.recordRejection(kind, { method, path: shownPath(url) });
    const body = { error: kind, message };
    return kind === 'notFound' ? { status: 404, body } : { status: 405, body, headers: { allow: route.allow } };
  }

  async #receive(name: string, request: IncomingMessage): Promise<Answer> {
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
        this.#metrics.count('deliveries', { sender: name, result: body });
        return { status: 503, body: { error: body }, headers: { 'retry-after': '1' } };
      }
      return this.#handler.handle(sender, { headers, body, receivedAtMs: Date.now() });
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
    const { temporal } = this.options;
    if (temporal === null) return { status: 200, body: { ready: true, dryRun: true } };
    const { calls } = temporal;
    try {
      await calls.interruptible(READY_TIMEOUT_MS, undefined, () =>
        calls.client.connection.workflowService.getSystemInfo({}),
      );
      return { status: 200, body: { ready: true } };
    } catch (error) {
      this.#throttledLog.warn('notReady', { what: reasonOf(toClientError(error, null)) }, 'not ready');
      return { status: 503, body: { ready: false, error: 'temporalUnreachable' } };
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
