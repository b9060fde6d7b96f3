/**
 * Every variable that is read, with its form, default and meaning. This is the whole truth: the values are read by these schemas, the table
 * of docs/configuration.md and `.env.example` are printed from them, and a name of ours that is not here is a typing error.
 */
import { z } from 'zod';
import { DEFAULT_TASK_QUEUE } from '../domain/contract.js';
import { LONGEST_WAIT_MS, LONGEST_WAIT_REMEDY } from '../domain/gates/gates.js';
import { DEFAULT_LIMITS } from '../domain/once/limits.js';
import { DEFAULT_OPERATOR_WAIT_MS } from '../domain/steering/commands.js';
import { DEFAULT_VERIFY } from '../domain/runbook/runbook-checks.js';
import { ACTION_NAMES } from '../domain/target/actions.js';
import { describeDuration } from '../domain/time/duration.js';
import { CODEC_SERVER_VARIABLES, CODEC_VARIABLES } from './codec-variables.js';
import { TEMPORAL_VARIABLES, WORKER_VERSION_VARIABLES } from './temporal-variables.js';
import {
  allowedHosts,
  approvers,
  count,
  duration,
  durations,
  folders,
  formed,
  headerSecret,
  oneOf,
  positive,
  proxyUrl,
  secret,
  serviceUrl,
  text,
  waiting,
} from './values.js';

/** From the least urgent to the most. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
/** The least urgent log lines that are written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_FORMATS = ['json', 'text'] as const;
/** How log lines are written. */
export type LogFormat = (typeof LOG_FORMATS)[number];
/** Where every Elastic Cloud Server finds its metadata service. */
export const DEFAULT_METADATA_ENDPOINT = 'http://169.254.169.254';

/** What the command line and the gateway read beside those of Temporal and the proxies. */
export const CLIENT_VARIABLES = {
  RUNBOOK_TASK_QUEUE: text
    .default(DEFAULT_TASK_QUEUE)
    .meta({ default: DEFAULT_TASK_QUEUE })
    .describe('Task queue of worker and runs'),
  RUNBOOK_DIR: folders('runbooks').describe(
    'Folders of runbook files beside the built-in catalogue, separated by `:` (`;` on Windows); all workers need the same files',
  ),
  RUNBOOK_CALENDARS: folders('calendars').describe(
    'Folders of calendars (`.ics`, `.yaml`) that freezes name, separated as in `RUNBOOK_DIR`; all workers need the same files',
  ),
  RUNBOOK_ALARMS: text
    .optional()
    .meta({ form: 'file' })
    .describe('Alarms file of `runbook gateway` and `runbook alarm`, where no `--file` is given'),
  RUNBOOK_NOTIFICATIONS: text
    .optional()
    .meta({ form: 'file' })
    .describe(
      'Notifications file: the webhooks that runs notify; its secrets are in variables that begin with `RUNBOOK_NOTIFY_`',
    ),
  RUNBOOK_LOG_LEVEL: oneOf(LOG_LEVELS, 'info').describe('The least urgent log lines that are written'),
  RUNBOOK_LOG_FORMAT: oneOf(LOG_FORMATS, 'json').describe(
    'How log lines are written: `json` for machines, `text` for a person at a terminal (logs.md)',
  ),
  RUNBOOK_HEALTH_PORT: count(1, 65_535).describe(
    'Port of `/livez`, `/readyz` and `/metrics` of worker and gateway (docs/monitoring.md). Unset: they are not served',
  ),
  RUNBOOK_HEALTH_HOST: text
    .optional()
    .meta({ form: 'address' })
    .describe(
      'Address that these pages listen on. Unset: all addresses, because Kubernetes and Prometheus ask that of the pod',
    ),
};

/** What the worker reads besides. */
export const WORKER_VARIABLES = {
  RUNBOOK_READ_TIMEOUT: duration(DEFAULT_LIMITS.readTimeoutMs).describe('Longest time for one read of the API'),
  RUNBOOK_POST_TIMEOUT: duration(DEFAULT_LIMITS.postTimeoutMs).describe('Longest time for the POST of an action'),
  RUNBOOK_QUIET_PERIOD: duration(DEFAULT_LIMITS.quietMs).describe('Time between two readings that must agree'),
  RUNBOOK_VISIBILITY_WINDOW: duration(DEFAULT_LIMITS.visibilityWindowMs).describe(
    'How long ServiceStage may take to show an accepted cloud job in `last_job_id`; too short a value endangers *once*',
  ),
  RUNBOOK_LIMITS: durations(['budgetWait', 'credentialsWait', 'clockSkew', 'lateStart', 'lease', 'margin']).describe(
    'The other limits of an attempt, such as `lease=2s,budgetWait=5s,credentialsWait=5s,margin=3s,clockSkew=5s,lateStart=5s`',
  ),
  RUNBOOK_VERIFY: durations(['within', 'stable'])
    .meta({
      default: `within=${describeDuration(DEFAULT_VERIFY.withinMs)},stable=${describeDuration(DEFAULT_VERIFY.stableMs)}`,
    })
    .describe(
      'How long the desired state may take to appear after the cloud job, and how long it must hold, where a runbook does not say and no other action follows directly',
    ),
  RUNBOOK_CHECK_HOSTS: allowedHosts.describe(
    'Hosts that `check` steps may ask, such as `shop.example.com,*.example.com:8443`; without a port only the usual one. Their addresses must be public. Empty: no checks, unless the next variable has some',
  ),
  RUNBOOK_CHECK_INTERNAL_HOSTS: allowedHosts.describe(
    'The same for hosts whose addresses may also be private or loopback, such as `checkout.svc.local:8080`; link-local addresses and metadata services are never asked',
  ),
  RUNBOOK_USUAL_DURATIONS: durations(ACTION_NAMES).describe(
    'Usual time of each action in your cloud, such as `start=45s,stop=10s`; shown until cloud jobs of a step were seen; never decides what is concluded',
  ),
  RUNBOOK_OPERATOR_WAIT: waiting(DEFAULT_OPERATOR_WAIT_MS, LONGEST_WAIT_MS, LONGEST_WAIT_REMEDY).describe(
    'How long a target waits for an operator where a step is blocked and the runbook does not say; `0s`: not at all, at most `7d`',
  ),
  RUNBOOK_APPROVERS: approvers
    .optional()
    .describe(
      'Whose signatures approvals need, as JSON or as a file of it (docs/approvals.md); all workers need the same. Without it approvals are not signed',
    ),
  RUNBOOK_CACHED_WORKFLOWS: count(10, 100_000).describe(
    'Workflows that the worker keeps in memory, two for each run; those beyond are replayed from their histories, which costs CPU. Unset: by the memory that is there (performance.md)',
  ),
  RUNBOOK_WAITING_STEPS: count(10, 100_000).describe(
    'Steps that one worker carries at once; those beyond wait for a place. Unset: by the memory that is there (performance.md)',
  ),
  RUNBOOK_NEXUS: oneOf(['on', 'off'], 'off').describe(
    '`on`: workflows of other namespaces may call runbooks as Nexus operations, through an endpoint (nexus.md); anyone who can call the endpoint can start runs',
  ),
};

/** Read in lower case as well; see `proxies.ts`. */
export const PROXY_VARIABLES = {
  HTTPS_PROXY: proxyUrl
    .optional()
    .describe(
      'HTTP proxy for everything that goes out by `https`, and for Temporal; also `https_proxy`, which counts first',
    ),
  HTTP_PROXY: proxyUrl.optional().describe('The same for `http`; also `http_proxy`'),
  NO_PROXY: text
    .optional()
    .meta({ form: 'hosts' })
    .describe(
      'Hosts, domains, addresses and networks that are reached directly, separated by commas; also `no_proxy`. Loopback and link-local addresses always are',
    ),
};

const name = /^[\w-]+$/;

/** How the worker reaches ServiceStage; what must be given together is checked in `service-stage.ts`. */
export const SERVICESTAGE_VARIABLES = {
  SERVICESTAGE_REGION: formed(
    name,
    'the name of a region',
    'Write it as in the addresses of its services, such as cn-north-4',
  )
    .optional()
    .describe('Such as `cn-north-4`; gives both endpoints'),
  SERVICESTAGE_ENDPOINT: serviceUrl
    .optional()
    .meta({ default: 'from the region' })
    .describe('Overrides the endpoint: simulator, private cloud'),
  SERVICESTAGE_ALLOW_HTTP: oneOf(['true', 'false'], 'false').describe('`true` allows http beyond loopback'),
  SERVICESTAGE_REQUESTS_PER_SECOND: positive(5)
    .meta({ form: 'requests a second' })
    .describe('Request budget of this process; chosen, since ServiceStage documents no limit'),
  SERVICESTAGE_BURST: positive(10).meta({ form: 'requests' }).describe('Requests that may go at once'),
  SERVICESTAGE_USER_ID: formed(
    name,
    'a user id',
    'Write the id of the IAM user, as "My Credentials" of the console shows it',
  )
    .optional()
    .meta({ default: 'from the token, or asked of IAM' })
    .describe('Our own IAM user id: evidence that a cloud job found later is ours'),
  SERVICESTAGE_CREDENTIALS: oneOf(['variables', 'ecsAgency'], 'variables').describe(
    'Where credentials come from: the variables below, or `ecsAgency`: temporary keys of the agency of the ECS that this runs on, renewed early (secrets.md)',
  ),
  SERVICESTAGE_METADATA_ENDPOINT: serviceUrl
    .optional()
    .meta({ default: DEFAULT_METADATA_ENDPOINT })
    .describe('Metadata service that gives the keys of an agency; never asked through a proxy'),
  SERVICESTAGE_TOKEN: headerSecret.optional().describe('A ready token'),
  SERVICESTAGE_IAM_USER: text
    .optional()
    .describe('IAM user, to fetch and renew tokens; with `_IAM_PASSWORD` and `_IAM_DOMAIN`'),
  SERVICESTAGE_IAM_PASSWORD: secret.optional().describe('Password of the IAM user'),
  SERVICESTAGE_IAM_DOMAIN: text.optional().describe('Account name of the IAM user'),
  HUAWEICLOUD_SDK_PROJECT_ID: formed(name, 'a project id', 'Write the 32 hexadecimal digits of the project')
    .optional()
    .describe('Project id; always needed'),
  HUAWEICLOUD_SDK_AK: formed(name, 'an access key', 'Write the access key id alone, letters and digits')
    .optional()
    .meta({ fromFile: true })
    .describe('Access key, with `_SK`'),
  HUAWEICLOUD_SDK_SK: headerSecret.optional().describe('Secret key'),
  HUAWEICLOUD_SDK_SECURITY_TOKEN: headerSecret.optional().describe('Security token of temporary access keys'),
  HUAWEICLOUD_SDK_IAM_ENDPOINT: serviceUrl.optional().meta({ default: 'from the region' }).describe('IAM endpoint'),
};

/** One variable, as the documentation shows it. */
export interface ConfigVariable {
  readonly name: string;
  /** As one would write it; empty: none. */
  readonly default: string;
  /** What its value looks like. */
  readonly form: string;
  readonly meaning: string;
  readonly secret: boolean;
  /** Whether it may be given as a file as well: the same name with `_FILE`. */
  readonly fromFile: boolean;
}

const ALL: Readonly<Record<string, z.ZodType>> = {
  ...TEMPORAL_VARIABLES,
  ...WORKER_VERSION_VARIABLES,
  ...CLIENT_VARIABLES,
  ...CODEC_VARIABLES,
  ...CODEC_SERVER_VARIABLES,
  ...WORKER_VARIABLES,
  ...PROXY_VARIABLES,
  ...SERVICESTAGE_VARIABLES,
};

/** All documented variables, in the order in which people set them. */
export const configVariables: readonly ConfigVariable[] = Object.entries(ALL).flatMap(([variable, schema]) => {
  const { description, default: byDefault = '', form = '', secret: isSecret = false } = metaOf(schema);
  const fromFile = mayComeFromFile(schema);
  return description === undefined
    ? []
    : [{ name: variable, default: byDefault, form, meaning: description, secret: isSecret, fromFile }];
});

function mayComeFromFile(schema: z.ZodType): boolean {
  const { secret: isSecret = false, fromFile = false } = metaOf(schema);
  return isSecret || fromFile;
}

/** Every variable that may be given as a file, documented or not. */
export const FILE_VARIABLE_NAMES: readonly string[] = Object.keys(ALL).filter((variable) =>
  mayComeFromFile(ALL[variable] as z.ZodType),
);

/** The metadata of a schema together with that of the schemas it wraps: zod keeps them separately. */
function metaOf(schema: z.ZodType): z.GlobalMeta {
  const inner = 'innerType' in schema.def ? metaOf(schema.def.innerType as z.ZodType) : {};
  return { ...inner, ...schema.meta() };
}

/** Their names. */
export const CONFIG_VARIABLE_NAMES: readonly string[] = configVariables.map(({ name: each }) => each);
