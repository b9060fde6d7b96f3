/** Requests to ServiceStage: within the budget, signed, and repeated with other credentials where these were refused and a repetition is safe. Paths and shapes are those of the caller. */
import { z } from 'zod';
import { clipText } from '../domain/text/text.js';
import type { ProxyFor } from '../network/proxies.js';
import { createAuthenticator, type Credentials } from './auth.js';
import type { Authenticator } from './authenticator.js';
import { DEFAULT_THROTTLE_MS } from './classify-answer.js';
import { ServiceStageError } from './errors.js';
import { createHttpClient, type FollowRequest, type HttpAnswer, type HttpClient } from './http.js';
import { observedBudget, observedHttp, type ServiceStageObserver } from './observed.js';
import { notAllowed, refusalOfCredentials } from './refused-credentials.js';
import { RequestBudget } from './request-budget.js';
import type { PostReservation, ReadOptions, ServiceStage } from './service-stage.js';

/** Endpoint, credentials and budget of a client. */
export interface RequestOptions {
  /** `https://servicestage.cn-north-4.myhuaweicloud.com`, a private cloud, or the simulator. */
  readonly endpoint: string;
  readonly projectId: string;
  readonly credentials: Credentials;
  /** Used to look up the user of an access key. */
  readonly iamEndpoint?: string | undefined;
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Default: no proxies. */
  readonly proxyFor?: ProxyFor;
  /** Default: requests are not followed. */
  readonly followRequest?: FollowRequest;
  /** Absent: nothing is reported. */
  readonly observer?: ServiceStageObserver;
}

/** Parameters of a request, in their order. */
export type Query = readonly (readonly [string, string])[];

/** A request without what all have in common. */
interface ServiceStageRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query: Query;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly beforeFirstByte?: () => Promise<void>;
}

/** Longest wait of a read for the budget. Reads are never urgent, and the caller's signal can end the wait sooner. */
const READ_BUDGET_WAIT_MS = 120_000;

/** Those of one client, with one request budget and one set of credentials. */
export class Requests {
  readonly #budget: ReturnType<typeof observedBudget>;
  readonly #auth: Authenticator;
  readonly #http: HttpClient;

  constructor(private readonly options: RequestOptions) {
    const { projectId, credentials, iamEndpoint } = options;
    this.#budget = observedBudget(new RequestBudget(options), options.observer);
    this.#http = observedHttp(createHttpClient(options.proxyFor, options.followRequest), options.observer);
    this.#auth = createAuthenticator({ http: this.#http, projectId, credentials, iamEndpoint });
  }

  /** Takes a place in the budget and gets credentials ready. @returns what uses the place, and what gives it back unused. @throws ServiceStageError */
  async reserve(
    path: string,
    { budgetWaitMs, credentialsWaitMs, signal }: Parameters<ServiceStage['reservePost']>[0],
  ): Promise<Pick<PostReservation, 'release'> & { readonly use: () => void }> {
    if (!(await this.#budget.acquire('post', budgetWaitMs, signal))) throw exhausted('POST', path);
    let held = true;
    const use = () => {
      held = false;
    };
    const release = () => {
      if (held) this.#budget.giveBack();
      held = false;
    };
    try {
      await this.#auth.ready(credentialsWaitMs);
    } catch (error) {
      release();
      throw error;
    }
    return { use, release };
  }

  /** One GET, repeated once if its credentials were refused and there are others, which is safe for a read. @throws ServiceStageError */
  async read<Value>(
    path: string,
    query: Query,
    { timeoutMs, signal }: ReadOptions,
    parse: (body: unknown) => Value,
  ): Promise<Value> {
    const once = async () => {
      if (!(await this.#budget.acquire('read', READ_BUDGET_WAIT_MS, signal))) throw exhausted('GET', path);
      await this.#auth.ready(timeoutMs);
      return this.send({ method: 'GET', path, query, timeoutMs, ...(signal === undefined ? {} : { signal }) });
    };
    let answer: HttpAnswer;
    const askedAtMs = Date.now();
    try {
      answer = await once();
    } catch (error) {
      const why = refusalOfCredentials(error);
      if (why === null) throw error;
      if (!this.#auth.renew(askedAtMs, why.reason)) throw notAllowed(why.error);
      answer = await once();
    }
    return readable(path, answer, parse);
  }

  /** One request, outside the budget: a read or a reservation has taken its place. @throws ServiceStageError */
  async send(request: ServiceStageRequest): Promise<HttpAnswer> {
    const sentAtMs = Date.now();
    try {
      return await this.#http.send({
        ...request,
        endpoint: this.options.endpoint,
        headers: { 'X-Project-Id': this.options.projectId },
        headersFor: (toSign) => this.#auth.headersFor(toSign),
      });
    } catch (error) {
      if (error instanceof ServiceStageError && error.code === 'Throttled')
        this.#budget.closeFor(error.retryAfterMs ?? DEFAULT_THROTTLE_MS);
      const why = request.method === 'POST' ? refusalOfCredentials(error) : null;
      if (why === null) throw error;
      // A POST is not repeated here; the next attempt sends with the new credentials.
      const isRenewed = this.#auth.renew(sentAtMs, why.reason);
      throw isRenewed ? new ServiceStageError({ ...why.error.facts, code: 'TokenExpired' }) : notAllowed(why.error);
    }
  }

  /** Our own IAM user id; `null`: IAM does not say. @throws ServiceStageError */
  ownUserId(timeoutMs: number): Promise<string | null> {
    return this.#auth.ownUserId(timeoutMs);
  }

  /** Our clock minus ServiceStage's, milliseconds; `null`: no answer had a date yet. */
  clockAheadMs(): number | null {
    return this.#http.clockAheadMs();
  }
}

function readable<Value>(path: string, answer: HttpAnswer, parse: (body: unknown) => Value): Value {
  try {
    return parse(answer.json);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const issues = error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ServiceStageError({
      code: 'UnreadableAnswer',
      sent: 'no',
      method: 'GET',
      path,
      reason: clipText(`undocumented shape: ${issues.join('; ')}`, 500),
    });
  }
}

function exhausted(method: string, path: string): ServiceStageError {
  return new ServiceStageError({
    code: 'BudgetExhausted',
    sent: 'no',
    method,
    path,
    reason: 'the request budget of this process was used up for too long',
  });
}
