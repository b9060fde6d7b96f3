/** Response bodies and errors in the vendor's shapes. */
import { executionStatus, progressOf, type CloudJob } from './cloud-job.js';
import type { Component, Instance, Named, World } from './world.js';

/** An error answer: HTTP status, vendor code, text. */
export interface VendorError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** API reference servicestage_06_0162, "ServiceStage Error Codes", and the API gateway's own codes. */
export const ERRORS = {
  parameterInvalid: { status: 400, code: 'SVCSTG.00100400', message: 'parameter invalid' },
  actionUndefined: { status: 400, code: 'SVCSTG.00100418', message: 'component instance action not defined' },
  applicationNotFound: { status: 404, code: 'SVCSTG.00100403', message: 'application not found' },
  componentNotFound: { status: 404, code: 'SVCSTG.00100404', message: 'component not found' },
  instanceNotFound: { status: 404, code: 'SVCSTG.00100412', message: 'instance not found' },
  jobNotFound: { status: 404, code: 'SVCSTG.00100429', message: 'job not found' },
  snapshotNotFound: { status: 404, code: 'SVCSTG.00100436', message: 'snapshot not found' },
  apiNotFound: {
    status: 404,
    code: 'APIGW.0101',
    message: 'The API does not exist or has not been published in the environment',
  },
  badCredentials: {
    status: 401,
    code: 'APIGW.0301',
    message: 'Incorrect IAM authentication information: verify aksk signature fail',
  },
  noToken: {
    status: 401,
    code: 'APIGW.0301',
    message: 'Incorrect IAM authentication information: x-auth-token not found',
  },
  badToken: {
    status: 401,
    code: 'APIGW.0301',
    message: 'Incorrect IAM authentication information: decrypt token fail',
  },
  tokenExpired: { status: 401, code: 'APIGW.0307', message: 'The token must be updated' },
  keyLocked: {
    status: 401,
    code: 'APIGW.0301',
    message: 'Incorrect IAM authentication information: the access key is locked for 5 minutes',
  },
  projectUnavailable: { status: 403, code: 'APIGW.0310', message: 'The project is unavailable' },
} as const satisfies Record<string, VendorError>;

/** The answer to a request signed with an access key that does not exist, or no longer. The text is the gateway's. */
export function unknownKey(accessKey: string): VendorError {
  const message = `Incorrect IAM authentication information: Get secretKey failed,ak:${accessKey},err:ak not exist`;
  return { ...ERRORS.badCredentials, message };
}

/** The answer to a request over the rate limit. */
export function throttled(requests: number, windowSeconds: number): VendorError {
  const inMinutes = windowSeconds >= 60 && windowSeconds % 60 === 0;
  const window = inMinutes ? `${windowSeconds / 60} minute` : `${windowSeconds} second`;
  return {
    status: 429,
    code: 'APIGW.0308',
    message: `The throttling threshold has been reached: policy user over ratelimit,limit:${requests},time:${window}`,
  };
}

/** The body of an error answer. */
export function errorBody(world: World, error: VendorError, requestId: string): object {
  const gateway = error.code.startsWith('APIGW.');
  const textKey = gateway ? 'error_msg' : world.switches.errorTextKey;
  return { error_code: error.code, [textKey]: error.message, ...(gateway ? { request_id: requestId } : {}) };
}

/** An application, as listed. */
export function applicationBody({ id, name, createdAtMs }: Named, projectId: string, componentCount: number): object {
  const times = { create_time: createdAtMs, update_time: createdAtMs };
  return {
    id,
    name,
    description: '',
    creator: 'simulator',
    project_id: projectId,
    enterprise_project_id: '0',
    component_count: componentCount,
    ...times,
  };
}

/** A component, as listed. */
export function componentBody({ id, name, applicationId, createdAtMs }: Component, projectId: string): object {
  const kind = { runtime: 'Docker', category: 'MicroService', sub_category: '', description: '', status: 0 };
  return {
    id,
    application_id: applicationId,
    name,
    project_id: projectId,
    ...kind,
    creator: 'simulator',
    create_time: createdAtMs,
    update_time: createdAtMs,
  };
}

/** An instance, as read by its id. */
export function instanceBody(world: World, instance: Instance): object {
  const { state, platformType } = instance;
  const hosts =
    platformType === 'vmapp' ? [{ id: 'ecs', type: 'ecs', refer_alias: '', parameters: { hosts: state.hosts } }] : [];
  return {
    id: instance.id,
    name: instance.name,
    description: '',
    environment_id: 'env-0001',
    platform_type: platformType,
    flavor_id: 'MICRO-5G:0.5C:1G',
    version: state.version,
    artifacts: {},
    configuration: {},
    creator: 'simulator',
    create_time: instance.createdAtMs,
    update_time: world.clock.nowMs,
    external_accesses: [],
    refer_resources: hosts,
    status_detail: statusDetail(world, instance),
  };
}

/** An instance in a list: repeats the names that the detail leaves out, and has no `refer_resources`. */
export function listedInstanceBody(world: World, instance: Instance): object {
  const application = world.applications.find(({ id }) => id === instance.applicationId);
  const component = world.components.find(({ id }) => id === instance.componentId);
  return {
    id: instance.id,
    name: instance.name,
    application_id: instance.applicationId,
    application_name: application?.name,
    component_id: instance.componentId,
    component_name: component?.name,
    environment_id: 'env-0001',
    environment_name: 'production',
    platform_type: instance.platformType,
    version: instance.state.version,
    artifacts: {},
    creator: 'simulator',
    create_time: instance.createdAtMs,
    update_time: world.clock.nowMs,
    external_accesses: [],
    status_detail: statusDetail(world, instance),
  };
}

function statusDetail(world: World, instance: Instance): object {
  const nowMs = world.clock.nowMs;
  const shown = instance.cloudJobs.findLast((job) => job.visibleAtMs <= nowMs);
  const hidden = instance.cloudJobs.find((job) => job.statusVisibleAtMs > nowMs);
  const state = hidden?.before ?? instance.state;
  const lastJobId = instance.shownLastJobId === undefined ? shown?.id : instance.shownLastJobId;
  return {
    status: state.status,
    replica: state.replica,
    available_replica: state.availableReplica,
    ...(instance.failDetail === null ? {} : { fail_detail: instance.failDetail }),
    ...(lastJobId === undefined || lastJobId === null ? {} : { last_job_id: lastJobId }),
    ...(shown === undefined ? {} : { last_job_status: executionStatus(shown, world.clock.nowMs) }),
    enterprise_project_id: '0',
  };
}

/** A cloud job. V2 spells the keys of cloud jobs and tasks in upper case. Right after the POST there are no tasks. */
export function cloudJobBody(
  world: World,
  job: CloudJob,
  projectId: string,
  page: { limit: number; offset: number; descending: boolean },
): object {
  const status = executionStatus(job, world.clock.nowMs);
  const tasks = status === 'SUBMITTED' ? [] : tasksOf(world, job, status);
  const ordered = page.descending ? tasks.reverse() : tasks;
  const body = {
    JOB_ID: job.id,
    JOB_NAME: `operation/${job.action}`,
    JOB_DESC: `operation/${job.action}`,
    JOB_TYPE: job.jobType,
    EXECUTION_STATUS: status,
    SERVICE_INSTANCE_ID: job.instanceId,
    PROJECT_ID: projectId,
    ORDER_ID: '',
    CREATED_BY: job.userId,
  };
  const inCase = world.switches.jobKeyCase === 'lower' ? lowerKeys : <Value extends object>(value: Value) => value;
  return {
    task_count: tasks.length,
    job: inCase(body),
    tasks: ordered.slice(page.offset, page.offset + page.limit).map(inCase),
  };
}

function tasksOf(world: World, job: CloudJob, status: string): object[] {
  const { taskCount } = world.switches;
  const finished = Math.floor(progressOf(job, world.clock.nowMs) * taskCount);
  const createdAt = new Date(job.acceptedAtMs).toISOString();
  return Array.from({ length: taskCount }, (_item, index) => {
    const isLast = index === taskCount - 1;
    const ended = status !== 'RUNNING';
    const failed = ended && isLast && status !== 'SUCCEEDED';
    const taskStatus = failed ? status : ended || index < finished ? 'SUCCEEDED' : 'RUNNING';
    return {
      TASK_ID: `Task-${job.id.slice(3)}-${index}`,
      TASK_INDEX: index * 3 + 1,
      TASK_NAME: `SEPARATOR_${job.action.toUpperCase()}_${index + 1}`,
      TASK_TYPE: 'echo',
      TASK_STATUS: taskStatus,
      MESSAGES: failed
        ? JSON.stringify({ reason: job.outcome.messages ?? `the ${job.action} failed in the simulated cloud` })
        : '{}',
      CREATED_AT: createdAt,
      LAST_HEALTH_CHECK: createdAt,
      OWNER_ID: 'cas-mgr-simulator:30114',
    };
  });
}

function lowerKeys(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));
}
