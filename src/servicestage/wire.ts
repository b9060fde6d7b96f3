/**
 * Shapes of the vendor's answers and their translation into domain values. Only fields that we read; each may be
 * absent, and each has a bound.
 */
import { z } from 'zod';
import type { CloudJob } from '../domain/target/cloud-job.js';
import { jsonBytes, shortened } from '../domain/text/json-bytes.js';
import { HOSTS_BYTES } from '../domain/sizes.js';
import type { Observation } from '../domain/target/target.js';
import { ID_PATTERN } from './api-path.js';

/**
 * Bounds of what is kept, bytes as JSON. Chosen: far above anything documented, because the texts go into plans,
 * reports and histories several times. Applications, components and instances are found by name, and a shortened
 * name would be another name.
 */
const LONGEST_NAME_BYTES = 1_002;
const LONGEST_STATUS_BYTES = 64;
const LONGEST_DETAIL_BYTES = 500;
const LONGEST_MESSAGES_BYTES = 1_000;
/** Documented pages have at most 1,000 rows. */
const MOST_ROWS = 1_000;

const id = z.string().regex(ID_PATTERN, 'no id of this API');
const idOrNothing = z.union([z.literal(''), id]).nullish();
const number = z.number().nullish();
const status = textWithin(LONGEST_STATUS_BYTES);
const name = textWithin(LONGEST_NAME_BYTES);

function textWithin(maxBytes: number) {
  return z.string().transform((text) => shortened(text, maxBytes));
}

function rows<Row extends z.ZodType>(row: Row) {
  return z.array(row).max(MOST_ROWS);
}

type Resources = readonly {
  readonly parameters?: { readonly hosts?: readonly string[] | null | undefined } | null | undefined;
}[];

function hostsOf(resources: Resources): string[] {
  return resources.flatMap(({ parameters }) => parameters?.hosts ?? []);
}

/** API reference servicestage_06_0050 `ShowInstanceDetail`; SDK `InstanceStatusView`. */
const Instance = z.object({
  version: name.nullish(),
  refer_resources: rows(z.object({ parameters: z.object({ hosts: z.array(id).nullish() }).nullish() }))
    .superRefine((resources, context) => {
      // A shortened list of hosts would be another list.
      const hosts = hostsOf(resources);
      const bytes = jsonBytes(hosts);
      if (bytes > HOSTS_BYTES)
        context.addIssue(`${hosts.length} hosts of ${bytes} bytes in all, and at most ${HOSTS_BYTES} can be kept`);
    })
    .nullish(),
  status_detail: z.object({
    status,
    replica: number,
    available_replica: number,
    fail_detail: textWithin(LONGEST_DETAIL_BYTES).nullish(),
    last_job_id: idOrNothing,
    last_job_status: status.nullish(),
  }),
});

/** The observation in an instance's answer. */
export function observationFromWire(body: unknown, observedAtMs: number): Observation {
  const { version, refer_resources: resources, status_detail: detail } = Instance.parse(body);
  const hosts = hostsOf(resources ?? []);
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

const Called = z.object({ name: name.nullish().catch(null) });

/** What an instance's answer calls it; `null` if it does not say. */
export function instanceNameFromWire(body: unknown): string | null {
  return emptyToNull(Called.parse(body).name);
}

/**
 * API reference servicestage_06_0053 `ShowJobDetail`. V2 writes the keys in upper case, V3 in lower case, and V3
 * pages print both, so they are normalised first.
 */
const CloudJobPage = z.object({
  task_count: number,
  job: z.object({
    JOB_ID: id,
    EXECUTION_STATUS: status,
    JOB_TYPE: status.nullish(),
    SERVICE_INSTANCE_ID: idOrNothing,
    CREATED_BY: idOrNothing,
  }),
  tasks: rows(
    z.object({
      TASK_ID: name.nullish(),
      TASK_NAME: name.nullish(),
      TASK_STATUS: status,
      MESSAGES: textWithin(LONGEST_MESSAGES_BYTES).nullish(),
      CREATED_AT: name.nullish(),
    }),
  )
    .nullish()
    .transform((tasks) => tasks ?? []),
});

/** One page of a cloud job's tasks. */
export interface CloudJobPage {
  readonly job: Omit<CloudJob, 'tasks'>;
  readonly tasks: CloudJob['tasks'];
  /** Over all pages; `null` if the API does not report it. */
  readonly taskCount: number | null;
}

/** The cloud job in an answer. */
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
  snapshots: rows(
    z.object({ version: name, description: textWithin(LONGEST_DETAIL_BYTES).nullish(), create_time: number }),
  ).nullish(),
});

/** API reference servicestage_06_0028, _0037, _0046: the three lists. */
const Named = z.object({ id, name, platform_type: status.nullish() });
/** A page of applications. */
export const ApplicationPage = z.object({ count: number, applications: rows(Named).nullish() });
/** A page of components. */
export const ComponentPage = z.object({ count: number, components: rows(Named).nullish() });
/** A page of instances. */
export const InstancePage = z.object({ count: number, instances: rows(Named).nullish() });

/** API reference servicestage_06_0047: `job_id` is optional in the SDKs, but an answer without it proves nothing. */
export const ActionAnswer = z.object({ job_id: id });

/** IAM API reference, "Obtaining a User Token": the token itself is a header. */
export const TokenAnswer = z.object({
  token: z.object({ expires_at: name, user: z.object({ id }).nullish() }),
});

/** IAM API reference, "Querying a Permanent Access Key". */
export const CredentialAnswer = z.object({ credential: z.object({ user_id: id }) });

function emptyToNull(value: string | null | undefined): string | null {
  return value === undefined || value === null || value === '' ? null : value;
}
