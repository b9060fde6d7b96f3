/** Handles each request: checks credentials, applies faults, answers the vendor's calls. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as timeout } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono, type Context } from 'hono';
import type { MetadataAnswer } from './agency-keys.js';
import { ERRORS, errorBody, throttled, type VendorError } from './answers.js';
import { controlApp } from './control.js';
import type { Gatekeeper } from './credentials.js';
import { Faults, type Fault } from './faults.js';
import { credentialAnswer, tokenAnswer, type IamAnswer } from './iam-routes.js';
import { RequestLog } from './request-log.js';
import { vendorCall, type Acceptance, type Call, type VendorAnswer } from './vendor-routes.js';
import type { World } from './world.js';

type Bindings = { Bindings: HttpBindings };

/** The simulator without its port. */
export class SimulatorApp {
  readonly app = new Hono<Bindings>();
  readonly #faults = new Faults();
  readonly #requests: RequestLog;
  #window = { beganAtMs: 0, requests: 0 };

  constructor(
    private readonly world: World,
    private readonly gatekeeper: Gatekeeper,
    log: ((line: string) => void) | undefined,
  ) {
    this.#requests = new RequestLog(log);
    this.app.route('/control', controlApp({ world, faults: this.#faults, gatekeeper, requests: this.#requests }));
    this.app.post('/v3/auth/tokens', async (c) =>
      this.#iam(c, 'token', async () => tokenAnswer(gatekeeper, await c.req.json().catch(() => null))),
    );
    this.app.get('/v3.0/OS-CREDENTIAL/credentials/:key', (c) =>
      this.#iam(c, 'credential', async () => credentialAnswer(gatekeeper, c.req.param('key') ?? '')),
    );
    const { agencyKeys } = gatekeeper;
    this.app.put('/meta-data/latest/api/token', (c) =>
      this.#metadata(c, 'metadataToken', () => agencyKeys.token(c.req.header('x-metadata-token-ttl-seconds'))),
    );
    this.app.get('/openstack/latest/securitykey', (c) =>
      this.#metadata(c, 'securityKey', () => agencyKeys.key(c.req.header('x-metadata-token'))),
    );
    this.app.all('*', (c) => this.#vendor(c));
  }

  async #metadata(
    c: Context<Bindings>,
    route: 'metadataToken' | 'securityKey',
    answer: () => MetadataAnswer,
  ): Promise<Response> {
    const usual = async () => {
      const { status, body } = answer();
      if (typeof body === 'object') return this.#json(c, route, status, body);
      return this.#raw(c, route, status, body, { 'Content-Type': 'text/plain' });
    };
    const fault = this.#faults.hit({ route }, this.world.clock.nowMs);
    return fault === null ? usual() : this.#faulty(c, route, fault, usual);
  }

  async #iam(c: Context<Bindings>, route: 'token' | 'credential', answer: () => Promise<IamAnswer>): Promise<Response> {
    const usual = async () => {
      const refused = route === 'credential' ? this.gatekeeper.refuse(await sentRequest(c)) : null;
      if (refused !== null) return this.#error(c, route, refused);
      const { status, body, headers = {} } = await answer();
      return this.#json(c, route, status, body, headers);
    };
    const fault = this.#faults.hit({ route }, this.world.clock.nowMs);
    return fault === null ? usual() : this.#faulty(c, route, fault, usual);
  }

  async #vendor(c: Context<Bindings>): Promise<Response> {
    const sent = await sentRequest(c);
    const [path = '/', query = ''] = sent.url.split('?');
    const call = vendorCall(
      this.world,
      { method: sent.method, path, query: new URLSearchParams(query), body: sent.body },
      this.gatekeeper.account.userId,
    );
    if (call === null) return this.#error(c, 'unknown', ERRORS.apiNotFound);
    const fault = this.#faults.hit(call, this.world.clock.nowMs);
    const refused = this.#refuse(call, sent);
    if (refused !== null && fault === null) return this.#error(c, call.route, refused);
    const usual = async (acceptance?: Acceptance) =>
      this.#answer(c, call, refused === null ? call.answer(acceptance) : { error: refused });
    return fault === null ? usual() : this.#faulty(c, call.route, fault, usual);
  }

  #refuse(call: Call, sent: Parameters<Gatekeeper['refuse']>[0]): VendorError | null {
    const refused = this.gatekeeper.refuse(sent);
    if (refused !== null) return refused;
    if (call.projectId !== this.gatekeeper.account.projectId) return ERRORS.projectUnavailable;
    return this.#throttle();
  }

  #throttle(): VendorError | null {
    const { rateLimit } = this.world.switches;
    if (rateLimit === null) return null;
    const nowMs = this.world.clock.nowMs;
    if (nowMs - this.#window.beganAtMs >= rateLimit.windowSeconds * 1_000)
      this.#window = { beganAtMs: nowMs, requests: 0 };
    // Refused requests count as well.
    this.#window.requests++;
    return this.#window.requests > rateLimit.requests ? throttled(rateLimit.requests, rateLimit.windowSeconds) : null;
  }

  async #faulty(
    c: Context<Bindings>,
    route: string,
    fault: Fault,
    usual: (acceptance?: Acceptance) => Promise<Response>,
  ): Promise<Response> {
    switch (fault.kind) {
      case 'status': {
        const { status, code = 'SVCSTG.00100500', message = 'armed fault', headers, body } = fault;
        if (body !== undefined) return this.#raw(c, route, status, body, { 'Content-Type': 'text/html', ...headers });
        return this.#error(c, route, { status, code, message, headers });
      }
      case 'throttle': {
        const retryAfter =
          fault.retryAfterSeconds === undefined ? {} : { headers: { 'Retry-After': String(fault.retryAfterSeconds) } };
        return this.#error(c, route, { ...throttled(fault.limit, fault.windowSeconds), ...retryAfter });
      }
      case 'tokenExpired':
        return this.#error(c, route, ERRORS.tokenExpired);
      case 'reset':
        return this.#cut(c, route, 'reset');
      case 'hang':
        await delay(fault.ms);
        return this.#cut(c, route, 'hung');
      case 'delay':
        await delay(fault.ms);
        return usual();
      case 'wrongBody':
        return this.#raw(c, route, 200, fault.body, { 'Content-Type': fault.contentType });
      case 'nested':
        return this.#raw(c, route, 200, `${'['.repeat(fault.levels)}${']'.repeat(fault.levels)}`, {
          'Content-Type': 'application/json',
        });
      case 'redirect':
        return this.#raw(c, route, 307, '', { Location: fault.location });
      case 'actThenReset':
        await usual(shownLate(fault));
        return this.#cut(c, route, 'acted, then reset');
      case 'actThenStatus':
        await usual();
        return this.#error(c, route, {
          status: fault.status,
          code: 'SVCSTG.00100500',
          message: 'armed fault after acting',
        });
      case 'actThenHang':
        await usual();
        await delay(fault.ms);
        return this.#cut(c, route, 'acted, then hung');
      case 'actThenWrongBody':
        await usual();
        return this.#raw(c, route, 200, fault.body, { 'Content-Type': 'application/json' });
      case 'truncate':
        return this.#truncated(c, route, await usual());
      case 'actLate':
        setTimeout(() => void usual(), fault.ms).unref();
        return this.#cut(c, route, `reset, acts ${fault.ms} ms later`);
      case 'visibleLate':
        return usual({ visibleLateMs: fault.ms, statusVisibleLateMs: fault.statusMs });
    }
  }

  #answer(c: Context<Bindings>, { route, action }: Call, answer: VendorAnswer): Response {
    if ('error' in answer) return this.#error(c, route, answer.error);
    const remark = answer.accepted === undefined ? undefined : `accepted ${action} as ${answer.accepted.id}`;
    return this.#json(c, route, 200, answer.body, {}, remark);
  }

  #error(c: Context<Bindings>, route: string, error: VendorError): Response {
    const requestId = this.world.newId();
    return this.#json(
      c,
      route,
      error.status,
      errorBody(this.world, error, requestId),
      { 'X-Request-Id': requestId, ...error.headers },
      error.code,
    );
  }

  #json(
    c: Context<Bindings>,
    route: string,
    status: number,
    body: object,
    headers: Record<string, string> = {},
    remark?: string,
  ): Response {
    return this.#raw(
      c,
      route,
      status,
      JSON.stringify(body),
      { 'Content-Type': 'application/json', 'X-Request-Id': this.world.newId(), ...headers },
      remark,
    );
  }

  #raw(
    c: Context<Bindings>,
    route: string,
    status: number,
    body: string,
    headers: Record<string, string>,
    remark?: string,
  ): Response {
    this.#log(c, route, String(status), remark);
    // The cloud's own clock, so that clients can notice that theirs is off.
    const date = new Date(this.world.clock.nowMs).toUTCString();
    return new Response(status === 204 || status === 304 ? null : body, {
      status,
      headers: { Date: date, ...headers },
    });
  }

  #cut(c: Context<Bindings>, route: string, what: string): Response {
    this.#log(c, route, what);
    c.env.incoming.socket.resetAndDestroy();
    return RESPONSE_ALREADY_SENT;
  }

  async #truncated(c: Context<Bindings>, route: string, full: Response): Promise<Response> {
    const text = await full.text();
    const outgoing = c.env.outgoing;
    outgoing.writeHead(full.status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
    outgoing.write(text.slice(0, Math.floor(text.length / 2)), () => outgoing.destroy());
    this.#log(c, route, 'truncated');
    return RESPONSE_ALREADY_SENT;
  }

  #log(c: Context<Bindings>, route: string, answer: string, remark?: string): void {
    this.#requests.add({ atMs: this.world.clock.nowMs, method: c.req.method, path: c.req.path, route, answer }, remark);
  }
}

function shownLate({ visibleLateMs, statusLateMs }: Extract<Fault, { kind: 'actThenReset' }>): Acceptance {
  return { ...(visibleLateMs === undefined ? {} : { visibleLateMs }), statusVisibleLateMs: statusLateMs };
}

/** Keeps no process alive, because a fault may wait far longer than the test that armed it. */
async function delay(ms: number): Promise<void> {
  await timeout(ms, undefined, { ref: false });
}

async function sentRequest(
  c: Context<Bindings>,
): Promise<{ method: string; url: string; headers: IncomingMessage['headers']; body: string }> {
  const { url = '/', headers, method = 'GET' } = c.env.incoming;
  return { method, url, headers, body: method === 'GET' ? '' : await c.req.text() };
}
