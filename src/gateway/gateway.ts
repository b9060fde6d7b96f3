/** The HTTP entry for alarms. Everything a stranger can do to it is bounded: bytes, time, requests at once, what is said in return. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { toClientError, reasonOf, type Calls } from '../temporal/calls.js';
import { Counts } from './counts.js';
import { decideAlarmsWith } from './decide-alarms.js';
import { onEarlyRefusal, type EarlyRefusal } from './early-refusals.js';
import type { ReadAlarms } from './read-alarms.js';
import { hostAndPort } from '../network/host-and-port.js';
import type { ProxyFor } from '../network/proxies.js';
import { makeSender, type Delivery, type Sender } from './sender.js';
import { discard, HeldBytes, MOST_BODY_BYTES, withBody } from './request-body.js';
import { routeOf, shownName, shownPath } from './route.js';
import { SparseLog } from '../logging/throttled-log.js';
import { DeliveryTaker, type Answer } from './take-delivery.js';

/** For each sender, so that who floods one does not shut out the others, on top of 64 KiB for each connection. */
const MOST_HELD_BYTES = 32 * 1024 * 1024;
const MOST_CONNECTIONS = 1_000;
/** How long a sender may take for its headers, and for a whole request. Chosen: senders are servers that send at once. */
const DEFAULT_PATIENCE: Patience = { headersMs: 5_000, requestMs: 10_000 };
/** Node looks for connections that are over their time so often, and oftener where the time is short. */
const LOOK_EVERY_MS = 1_000;
const KEEP_ALIVE_MS = 15_000;
/** Longer than a sender waits, since late deliveries are decided to the end; below what a container has to stop. */
const UPDATE_TIMEOUT_MS = 8_000;
const READY_TIMEOUT_MS = 1_000;
/** Longer than any delivery takes to be answered. */
const STOP_WITHIN_MS = 6_000;
/** Of nobody's body is anything read. */
const NOTHING_MORE = new HeldBytes(0);

interface Patience {
  readonly headersMs: number;
  readonly requestMs: number;
}

export interface GatewayOptions {
  readonly alarms: ReadAlarms;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** `null`: a dry run, which touches nothing. */
  readonly temporal: { readonly calls: Calls; readonly taskQueue: string } | null;
  readonly log: Logger;
  /** For what senders fetch themselves. Default: always direct. */
  readonly proxyFor?: ProxyFor;
  /** With a sender that is slow. Default: 5 s for its headers, 10 s for a request. */
  readonly patience?: Patience;
  /** By which the log says a thing once in a while. Milliseconds; default: the time. */
  readonly clock?: () => number;
}

export interface RunningGateway {
  readonly url: string;
  /** Takes nothing new, answers what it has taken, within some seconds. */
  close(): Promise<void>;
}

/** @throws when the port is taken, or a sender's settings do not fit */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const gateway = new Gateway(options);
  const { headersMs, requestMs } = options.patience ?? DEFAULT_PATIENCE;
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, headersMs),
    },
    (request, response) => void gateway.handle(request, response),
  );
  server.maxConnections = MOST_CONNECTIONS;
  onEarlyRefusal(server, (reason, what) => gateway.rejected(reason, { what }));
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

class Gateway {
  isStopping = false;
  readonly #senders: ReadonlyMap<string, Sender>;
  /** Answers for names that are no sender's, at the price of one that is. */
  readonly #nobody = makeSender('unknown', { kind: 'bearer', tokens: [randomBytes(32).toString('hex')] });
  readonly #held: ReadonlyMap<string, HeldBytes>;
  readonly #counts = new Counts();
  readonly #sparseLog: SparseLog;
  readonly #taker: DeliveryTaker;
  #readiness: Promise<Answer> | null = null;

  constructor(private readonly options: GatewayOptions) {
    const { alarms, temporal, log, proxyFor, clock } = options;
    const { owner, rules, senders } = alarms;
    this.#senders = new Map(senders.map(({ name, settings }) => [name, makeSender(name, settings, proxyFor)]));
    this.#held = new Map(senders.map(({ name }) => [name, new HeldBytes(MOST_HELD_BYTES)]));
    const decide = temporal && decideAlarmsWith({ ...temporal, owner, timeoutMs: UPDATE_TIMEOUT_MS });
    this.#sparseLog = new SparseLog(log, clock);
    this.#taker = new DeliveryTaker({ owner, rules, decide, counts: this.#counts, log, sparseLog: this.#sparseLog });
  }

  /** Never rejects, and never tells a stranger why something went wrong inside. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      this.#send(response, await this.#answer(request));
    } catch (error) {
      // The sender hung up, or took longer for its body than it may.
      this.rejected('cutOff', { what: reasonOf(error) });
      response.destroy();
    }
  }

  /** Counts a request that reaches no sender, and logs the first of its kind in a while. */
  rejected(reason: EarlyRefusal | 'notFound' | 'cutOff', facts: object): void {
    this.#counts.add('rejected', { reason });
    this.#sparseLog.warn(`rejected ${reason}`, { reason, ...facts }, 'request rejected');
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method = '', url = '' } = request;
    const route = routeOf(method, url);
    if (route.kind === 'alarms') return this.#take(route.sender, request);
    discard(request);
    if (route.kind === 'page') {
      if (route.page === 'metrics') return { status: 200, body: this.#counts.text(this.#taker.queueLengths()) };
      return route.page === 'healthz' ? { status: 200, body: { healthy: true } } : this.#ready();
    }
    const { kind, message } = route;
    this.rejected(kind, { method, path: shownPath(url) });
    const body = { error: kind, message };
    return kind === 'notFound' ? { status: 404, body } : { status: 405, body, headers: { allow: route.allow } };
  }

  async #take(name: string, request: IncomingMessage): Promise<Answer> {
    const known = this.#senders.get(name);
    const sender = known ?? this.#nobody;
    const headers = singleHeaders(request);
    const held = this.#held.get(name) ?? NOTHING_MORE;
    const refusal = sender.admits(headers);
    if (refusal !== null) {
      discard(request);
      const what = known === undefined ? `no sender is called ${shownName(name)}` : refusal.what;
      return this.#taker.refuse(sender.name, { ...refusal, what });
    }
    return withBody(request, { mostBytes: MOST_BODY_BYTES, held }, async (body) => {
      if (body === 'tooLarge') {
        const what = 'the body is larger than 1 MiB';
        return this.#taker.refuse(name, { kind: 'refused', status: 413, reason: 'tooLarge', what });
      }
      if (body === 'tooMuchAtOnce') {
        this.#counts.add('deliveries', { sender: name, result: body });
        return { status: 503, body: { error: body }, headers: { 'retry-after': '1' } };
      }
      return this.#taker.take(sender, { headers, body, receivedAtMs: Date.now() });
    });
  }

  /** However many ask, Temporal is asked once at a time. */
  #ready(): Promise<Answer> {
    this.#readiness ??= this.#askTemporal().finally(() => {
      this.#readiness = null;
    });
    return this.#readiness;
  }

  async #askTemporal(): Promise<Answer> {
    const { temporal } = this.options;
    if (temporal === null) return { status: 200, body: { ready: true, dryRun: true } };
    const { calls } = temporal;
    try {
      await calls.interruptible(READY_TIMEOUT_MS, undefined, () =>
        calls.client.connection.workflowService.getSystemInfo({}),
      );
      return { status: 200, body: { ready: true } };
    } catch (error) {
      this.#sparseLog.warn('notReady', { what: reasonOf(toClientError(error, null)) }, 'not ready');
      return { status: 503, body: { ready: false, error: 'temporalAway' } };
    }
  }

  #send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
    const [type, text] =
      typeof body === 'string'
        ? ['text/plain; version=0.0.4', body]
        : ['application/json', `${JSON.stringify(body)}\n`];
    const usual = { 'content-type': type, 'cache-control': 'no-store' };
    response.writeHead(status, { ...usual, ...headers, ...(this.isStopping ? { connection: 'close' } : {}) }).end(text);
  }
}

function singleHeaders({ headers }: IncomingMessage): Delivery['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
