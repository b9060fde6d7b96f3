/** Implements `service-stage.ts` over HTTP, with one request budget and one set of credentials. */
import { z } from 'zod';
import type { Action } from '../domain/target/actions.js';
import { cloudJobPhase, type CloudJob } from '../domain/target/cloud-job.js';
import { isListedStatus, type Observation, type Target } from '../domain/target/target.js';
import { clipText } from '../domain/text/text.js';
import { apiPath } from './api-path.js';
import { createAuthenticator, type Credentials } from './auth.js';
import type { Authenticator } from './authenticator.js';
import { errorWithoutAnswer, DEFAULT_THROTTLE_MS } from './classify-answer.js';
import { ServiceStageError } from './errors.js';
import { createHttpClient, type FollowRequest, type HttpAnswer, type HttpClient } from './http.js';
import type { ProxyFor } from '../network/proxies.js';
import { observedBudget, observedHttp, type ServiceStageObserver } from './observed.js';
import { notAllowed, refusalOfCredentials } from './refused-credentials.js';
import { RequestBudget } from './request-budget.js';
import type {
  ListedInstance,
  NamedEntity,
  NamedObservation,
  PostReservation,
  ReadOptions,
  ServiceStage,
  Snapshot,
  SubmitOptions,
} from './service-stage.js';
import {
  ActionAnswer,
  ApplicationPage,
  cloudJobPageFromWire,
  ComponentPage,
  instanceNameFromWire,
  InstancePage,
  observationFromWire,
  SnapshotPage,
} from './wire.js';

/** Endpoint, credentials and budget of a client. */
export interface ServiceStageOptions {
  /** `https://servicestage.cn-north-4.myhuaweicloud.com`, a private cloud, or the simulator. */
  readonly endpoint: string;
  readonly projectId: string;
  readonly credentials: Credentials;
  /** Used to look up the user of an access key. */
  readonly iamEndpoint?: string | undefined;
  /** Our own IAM user id, if it is configured. */
  readonly userId?: string | undefined;
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Default: no proxies. */
  readonly proxyFor?: ProxyFor;
  /** Called once for each status, of an instance or a cloud job, that is missing in our tables. */
  readonly onUnlistedStatus?: (status: string) => void;
  /** Default: requests are not followed. */
  readonly followRequest?: FollowRequest;
  /** Absent: nothing is reported. */
  readonly observer?: ServiceStageObserver;
}

type InstancePlace = Pick<Target, 'applicationId' | 'componentId' | 'instanceId'>;
type Query = readonly (readonly [string, string])[];

/** Documented limits are 0 to 100, and 1000; anything else silently counts as 10. */
const PAGE_ROWS = 100;
/** Asked for only where the total shows that so many rows are left, and no more once a server gave fewer rows: it would need more pages than are read. */
const LARGE_PAGE_ROWS = 1_000;
/** Far more than any real cloud job or list has; stops an API that never returns a last page. */
const MOST_PAGES = 200;
/** Longest wait of a read for the budget. Reads are never urgent, and the caller's signal can end the wait sooner. */
const READ_BUDGET_WAIT_MS = 120_000;

/** Creates the client; makes no request. */
export function createServiceStage(options: ServiceStageOptions): ServiceStage {
  return new ServiceStageClient(options);
}

class ServiceStageClient implements ServiceStage {
  readonly projectId: string;
  readonly #budget: ReturnType<typeof observedBudget>;
  readonly #auth: Authenticator;
  readonly #http: HttpClient;
  readonly #unlisted = new Set<string>();

  constructor(private readonly options: ServiceStageOptions) {
    const { projectId, credentials, iamEndpoint } = options;
    this.projectId = projectId;
    this.#budget = observedBudget(new RequestBudget(options), options.observer);
    this.#http = observedHttp(createHttpClient(options.proxyFor, options.followRequest), options.observer);
    this.#auth = createAuthenticator({ http: this.#http, projectId, credentials, iamEndpoint });
  }

  async reservePost({
    budgetWaitMs,
    credentialsWaitMs,
    signal,
  }: Parameters<ServiceStage['reservePost']>[0]): Promise<PostReservation> {
    const path = apiPath('POST', this.#cas);
    if (!(await this.#budget.acquire('post', budgetWaitMs, signal))) throw exhausted('POST', path);
    let held = true;
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
    const submitAction: PostReservation['submitAction'] = async (target, action, options) => {
      held = false;
      return { cloudJobId: await this.#submit(target, action, options) };
    };
    return { submitAction, release };
  }

  async #submit(target: Target, { action, ...parameters }: Action, options: SubmitOptions): Promise<string> {
    const path = apiPath('POST', [...this.#instance(target), 'action']);
    const body = JSON.stringify(Object.keys(parameters).length === 0 ? { action } : { action, parameters });
    const answer = await this.#send({ method: 'POST', path, query: [], body, ...options });
    const parsed = ActionAnswer.safeParse(answer.json);
    if (!parsed.success) throw errorWithoutAnswer({ method: 'POST', path }, true, 'accepted without a readable job_id');
    return parsed.data.job_id;
  }

  async readInstance(place: InstancePlace, options: ReadOptions): Promise<Observation> {
    return (await this.readNamedInstance(place, options)).observation;
  }

  async readNamedInstance(place: InstancePlace, options: ReadOptions): Promise<NamedObservation> {
    const reading = await this.#read(apiPath('GET', this.#instance(place)), [], options, (body) => ({
      observation: observationFromWire(body, Date.now()),
      name: instanceNameFromWire(body),
    }));
    const { status } = reading.observation;
    if (!isListedStatus(status)) this.#reportOnce(status);
    return reading;
  }

  async readCloudJob(cloudJobId: string, options: ReadOptions): Promise<CloudJob> {
    const path = apiPath('GET', [...this.#cas, 'jobs', cloudJobId]);
    const tasks: CloudJob['tasks'][number][] = [];
    for (let page = 0; ; page++) {
      const query: Query = [...paging(tasks.length), ['desc', 'false']];
      const read = await this.#read(path, query, options, cloudJobPageFromWire);
      tasks.push(...read.tasks);
      if (page + 1 < MOST_PAGES && !isLastPage(read.tasks.length, tasks.length, read.taskCount)) continue;
      const { status } = read.job;
      if (cloudJobPhase(status) === 'unclear' && status !== 'UNKNOWN') this.#reportOnce(status);
      return { ...read.job, tasks };
    }
  }

  async listSnapshots(place: InstancePlace, options: ReadOptions): Promise<readonly Snapshot[]> {
    const path = apiPath('GET', [...this.#instance(place), 'snapshots']);
    const rows = await this.#list(path, options, SnapshotPage, ({ snapshots }) => snapshots);
    const snapshots = rows.map((row) => ({
      version: row.version,
      description: row.description ?? '',
      createdAtMs: row.create_time ?? 0,
    }));
    return snapshots.sort((left, right) => right.createdAtMs - left.createdAtMs);
  }

  async listApplications(options: ReadOptions): Promise<readonly NamedEntity[]> {
    const rows = await this.#list(
      apiPath('GET', [...this.#cas, 'applications']),
      options,
      ApplicationPage,
      ({ applications }) => applications,
    );
    return rows.map(({ id, name }) => ({ id, name }));
  }

  async listComponents(applicationId: string, options: ReadOptions): Promise<readonly NamedEntity[]> {
    const path = apiPath('GET', [...this.#cas, 'applications', applicationId, 'components']);
    const rows = await this.#list(path, options, ComponentPage, ({ components }) => components);
    return rows.map(({ id, name }) => ({ id, name }));
  }

  async listInstances(
    applicationId: string,
    componentId: string,
    options: ReadOptions,
  ): Promise<readonly ListedInstance[]> {
    const path = apiPath('GET', [...this.#cas, 'applications', applicationId, 'components', componentId, 'instances']);
    const rows = await this.#list(path, options, InstancePage, ({ instances }) => instances);
    return rows.map(({ id, name, platform_type: platformType }) => ({ id, name, platformType: platformType ?? '' }));
  }

  async ownUserId({ timeoutMs }: ReadOptions): Promise<string | null> {
    return this.options.userId ?? (await this.#auth.ownUserId(timeoutMs));
  }

  clockAheadMs(): number | null {
    return this.#http.clockAheadMs();
  }

  #reportOnce(status: string): void {
    if (this.#unlisted.has(status)) return;
    this.#unlisted.add(status);
    this.options.onUnlistedStatus?.(status);
  }

  get #cas(): readonly string[] {
    return ['v2', this.projectId, 'cas'];
  }

  #instance({ applicationId, componentId, instanceId }: InstancePlace): readonly string[] {
    return [...this.#cas, 'applications', applicationId, 'components', componentId, 'instances', instanceId];
  }

  /** Reads all pages, until the total is reached or a page is empty. */
  async #list<Page extends { count?: number | null | undefined }, Row>(
    path: string,
    options: ReadOptions,
    shape: z.ZodType<Page>,
    rowsOf: (page: Page) => readonly Row[] | null | undefined,
  ): Promise<Row[]> {
    const rows: Row[] = [];
    let limit = PAGE_ROWS;
    let largest = LARGE_PAGE_ROWS;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const page = await this.#read(path, paging(rows.length, limit), options, (body) => shape.parse(body));
      const found = rowsOf(page) ?? [];
      rows.push(...found);
      if (isLastPage(found.length, rows.length, page.count)) break;
      if (found.length < limit) largest = PAGE_ROWS;
      limit = typeof page.count === 'number' && page.count - rows.length > PAGE_ROWS ? largest : PAGE_ROWS;
    }
    return rows;
  }

  /** One GET, repeated once if its credentials were refused and there are others, which is safe for a read. */
  async #read<Value>(
    path: string,
    query: Query,
    { timeoutMs, signal }: ReadOptions,
    parse: (body: unknown) => Value,
  ): Promise<Value> {
    const once = async () => {
      if (!(await this.#budget.acquire('read', READ_BUDGET_WAIT_MS, signal))) throw exhausted('GET', path);
      await this.#auth.ready(timeoutMs);
      return this.#send({ method: 'GET', path, query, timeoutMs, ...(signal === undefined ? {} : { signal }) });
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

  async #send(request: {
    method: 'GET' | 'POST';
    path: string;
    query: Query;
    body?: string;
    timeoutMs: number;
    signal?: AbortSignal;
    beforeFirstByte?: () => Promise<void>;
  }): Promise<HttpAnswer> {
    const sentAtMs = Date.now();
    try {
      return await this.#http.send({
        ...request,
        endpoint: this.options.endpoint,
        headers: { 'X-Project-Id': this.projectId },
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
}

function paging(offset: number, limit = PAGE_ROWS): Query {
  return [
    ['limit', String(limit)],
    ['offset', String(offset)],
  ];
}

/** Without a total, the last page is the first one that is not full. */
function isLastPage(onThisPage: number, soFar: number, total: number | null | undefined): boolean {
  if (onThisPage === 0) return true;
  return typeof total === 'number' ? soFar >= total : onThisPage !== PAGE_ROWS;
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
