/** Implements `service-stage.ts` over HTTP, with one request budget and one set of credentials. */
import type { Action } from '../domain/target/actions.js';
import { cloudJobPhase, type CloudJob } from '../domain/target/cloud-job.js';
import { isListedStatus, type Observation, type Target } from '../domain/target/target.js';
import { apiPath } from './api-path.js';
import { errorWithoutAnswer } from './classify-answer.js';
import { isLastPage, MOST_PAGES, paging, readPages } from './pages.js';
import { Requests, type Query, type RequestOptions } from './requests.js';
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

/** What a client needs. */
export interface ServiceStageOptions extends RequestOptions {
  /** Our own IAM user id, if it is configured. */
  readonly userId?: string | undefined;
  /** Called once for each status, of an instance or a cloud job, that is missing in our tables. */
  readonly onUnlistedStatus?: (status: string) => void;
}

type InstancePlace = Pick<Target, 'applicationId' | 'componentId' | 'instanceId'>;

/** Creates the client; makes no request. */
export function createServiceStage(options: ServiceStageOptions): ServiceStage {
  return new ServiceStageClient(options);
}

class ServiceStageClient implements ServiceStage {
  readonly projectId: string;
  readonly #requests: Requests;
  readonly #unlisted = new Set<string>();

  constructor(private readonly options: ServiceStageOptions) {
    this.projectId = options.projectId;
    this.#requests = new Requests(options);
  }

  async reservePost(waits: Parameters<ServiceStage['reservePost']>[0]): Promise<PostReservation> {
    const { use, release } = await this.#requests.reserve(apiPath('POST', this.#cas), waits);
    const submitAction: PostReservation['submitAction'] = async (target, action, options) => {
      use();
      return { cloudJobId: await this.#submit(target, action, options) };
    };
    return { submitAction, release };
  }

  async #submit(target: Target, { action, ...parameters }: Action, options: SubmitOptions): Promise<string> {
    const path = apiPath('POST', [...this.#instance(target), 'action']);
    const body = JSON.stringify(Object.keys(parameters).length === 0 ? { action } : { action, parameters });
    const answer = await this.#requests.send({ method: 'POST', path, query: [], body, ...options });
    const parsed = ActionAnswer.safeParse(answer.json);
    if (!parsed.success) throw errorWithoutAnswer({ method: 'POST', path }, true, 'accepted without a readable job_id');
    return parsed.data.job_id;
  }

  async readInstance(place: InstancePlace, options: ReadOptions): Promise<Observation> {
    return (await this.readNamedInstance(place, options)).observation;
  }

  async readNamedInstance(place: InstancePlace, options: ReadOptions): Promise<NamedObservation> {
    const reading = await this.#requests.read(apiPath('GET', this.#instance(place)), [], options, (body) => ({
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
      const read = await this.#requests.read(path, query, options, cloudJobPageFromWire);
      tasks.push(...read.tasks);
      if (page + 1 < MOST_PAGES && !isLastPage(read.tasks.length, tasks.length, read.taskCount)) continue;
      const { status } = read.job;
      if (cloudJobPhase(status) === 'unclear' && status !== 'UNKNOWN') this.#reportOnce(status);
      return { ...read.job, tasks };
    }
  }

  async listSnapshots(place: InstancePlace, options: ReadOptions): Promise<readonly Snapshot[]> {
    const path = apiPath('GET', [...this.#instance(place), 'snapshots']);
    const rows = await readPages(this.#requests, path, options, SnapshotPage, ({ snapshots }) => snapshots);
    const snapshots = rows.map((row) => ({
      version: row.version,
      description: row.description ?? '',
      createdAtMs: row.create_time ?? 0,
    }));
    return snapshots.sort((left, right) => right.createdAtMs - left.createdAtMs);
  }

  async listApplications(options: ReadOptions): Promise<readonly NamedEntity[]> {
    const rows = await readPages(
      this.#requests,
      apiPath('GET', [...this.#cas, 'applications']),
      options,
      ApplicationPage,
      ({ applications }) => applications,
    );
    return rows.map(({ id, name }) => ({ id, name }));
  }

  async listComponents(applicationId: string, options: ReadOptions): Promise<readonly NamedEntity[]> {
    const path = apiPath('GET', [...this.#cas, 'applications', applicationId, 'components']);
    const rows = await readPages(this.#requests, path, options, ComponentPage, ({ components }) => components);
    return rows.map(({ id, name }) => ({ id, name }));
  }

  async listInstances(
    applicationId: string,
    componentId: string,
    options: ReadOptions,
  ): Promise<readonly ListedInstance[]> {
    const path = apiPath('GET', [...this.#cas, 'applications', applicationId, 'components', componentId, 'instances']);
    const rows = await readPages(this.#requests, path, options, InstancePage, ({ instances }) => instances);
    return rows.map(({ id, name, platform_type: platformType }) => ({ id, name, platformType: platformType ?? '' }));
  }

  async ownUserId({ timeoutMs }: ReadOptions): Promise<string | null> {
    return this.options.userId ?? (await this.#requests.ownUserId(timeoutMs));
  }

  clockAheadMs(): number | null {
    return this.#requests.clockAheadMs();
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
}
