/** Wire shapes in the vendor's names, and their translation into domain values. Only the fields that are read; everything may be absent. */
import { z } from 'zod';
import type { CloudJob } from '../domain/cloud-job.js';
import type { Observation } from '../domain/target.js';

const text = z.string().nullish();
const number = z.number().nullish();

/** API reference servicestage_06_0050 `ShowInstanceDetail`; SDK `InstanceStatusView`. */
const Instance = z.object({
  version: text,
  refer_resources: z
    .array(z.object({ parameters: z.object({ hosts: z.array(z.string()).nullish() }).nullish() }))
    .nullish(),
  status_detail: z.object({
    status: z.string(),
    replica: number,
    available_replica: number,
    fail_detail: text,
    last_job_id: text,
    last_job_status: text,
  }),
});

export function observationFromWire(body: unknown, observedAtMs: number): Observation {
  const { version, refer_resources: resources, status_detail: detail } = Instance.parse(body);
  const hosts = resources?.flatMap((resource) => resource.parameters?.hosts ?? []) ?? [];
  return {
    observedAtMs,
    status: detail.status,
    version: emptyToNull(version),
    replicaCount: detail.replica ?? null,
    availableReplicaCount: detail.available_replica ?? null,
    hosts: hosts.length === 0 ? null : hosts,
    lastJobId: emptyToNull(detail.last_job_id),
    lastJobStatus: emptyToNull(detail.last_job_status),
    failDetail: emptyToNull(detail.fail_detail),
  };
}

/** API reference servicestage_06_0053 `ShowJobDetail`. V2 writes the keys in upper case, V3 in lower case, and V3 pages print both: normalised first. */
const CloudJobPage = z.object({
  task_count: number,
  job: z.object({
    JOB_ID: z.string(),
    EXECUTION_STATUS: z.string(),
    JOB_TYPE: text,
    SERVICE_INSTANCE_ID: text,
    CREATED_BY: text,
  }),
  tasks: z
    .array(z.object({ TASK_ID: text, TASK_NAME: text, TASK_STATUS: z.string(), MESSAGES: text, CREATED_AT: text }))
    .nullish()
    .transform((tasks) => tasks ?? []),
});

export interface CloudJobPage {
  readonly job: Omit<CloudJob, 'tasks'>;
  readonly tasks: CloudJob['tasks'];
  /** Of all pages; `null` where the API does not say. */
  readonly taskCount: number | null;
}

export function cloudJobPageFromWire(body: unknown): CloudJobPage {
  const page = CloudJobPage.parse(withUpperCaseKeys(body));
  const { JOB_ID, EXECUTION_STATUS, JOB_TYPE, SERVICE_INSTANCE_ID, CREATED_BY } = page.job;
  return {
    job: {
      cloudJobId: JOB_ID,
      status: EXECUTION_STATUS,
      jobType: emptyToNull(JOB_TYPE),
      instanceId: emptyToNull(SERVICE_INSTANCE_ID),
      createdBy: emptyToNull(CREATED_BY),
    },
    tasks: page.tasks.map((task) => ({
      taskId: task.TASK_ID ?? '',
      name: task.TASK_NAME ?? '',
      status: task.TASK_STATUS,
      messages: task.MESSAGES ?? '',
      createdAtMs: timeFromWire(task.CREATED_AT),
    })),
    taskCount: page.task_count ?? null,
  };
}

function withUpperCaseKeys(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { job, tasks, ...rest } = { job: undefined, tasks: undefined, ...body } as Record<string, unknown>;
  return { ...rest, job: upper(job), tasks: Array.isArray(tasks) ? tasks.map(upper) : tasks };
}

function upper(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toUpperCase(), item]));
}

/** ISO 8601 strings; everything else in the API has epoch milliseconds. */
function timeFromWire(time: string | null | undefined): number | null {
  const epochMs = Date.parse(time ?? '');
  return Number.isNaN(epochMs) ? null : epochMs;
}

/** API reference servicestage_06_0051 `ListInstanceSnapshots`. */
export const SnapshotPage = z.object({
  count: number,
  snapshots: z.array(z.object({ version: z.string(), description: text, create_time: number })).nullish(),
});

/** API reference servicestage_06_0028, _0037, _0046: the three lists. */
const Named = z.object({ id: z.string(), name: z.string(), platform_type: text });
export const ApplicationPage = z.object({ count: number, applications: z.array(Named).nullish() });
export const ComponentPage = z.object({ count: number, components: z.array(Named).nullish() });
export const InstancePage = z.object({ count: number, instances: z.array(Named).nullish() });

/** API reference servicestage_06_0047: `job_id` is optional in the SDKs, and an answer without it tells nothing. */
export const ActionAnswer = z.object({ job_id: z.string().min(1) });

/** IAM API reference, "Obtaining a User Token": the token itself is a header. */
export const TokenAnswer = z.object({
  token: z.object({ expires_at: z.string(), user: z.object({ id: z.string() }).nullish() }),
});

/** IAM API reference, "Querying a Permanent Access Key". */
export const CredentialAnswer = z.object({ credential: z.object({ user_id: z.string() }) });

function emptyToNull(value: string | null | undefined): string | null {
  return value === undefined || value === null || value === '' ? null : value;
}
