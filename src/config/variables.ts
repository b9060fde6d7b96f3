/** Every variable that is read, as one table: docs/operations.md is printed from it, and a name that is not in it is a typing error. */
import { DEFAULT_TASK_QUEUE } from '../domain/contract.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

interface ConfigVariable {
  readonly name: string;
  readonly default: string;
  readonly meaning: string;
  readonly secret?: true;
}

/** `TEMPORAL_*` are Temporal's own. */
export const configVariables: readonly ConfigVariable[] = [
  {
    name: 'TEMPORAL_ADDRESS',
    default: 'localhost:7233',
    meaning:
      "Temporal server; further `TEMPORAL_*` (namespace, API key, TLS, profile) as in Temporal's own environment configuration",
  },
  { name: 'TEMPORAL_NAMESPACE', default: 'default', meaning: 'Temporal namespace' },
  { name: 'RUNBOOK_TASK_QUEUE', default: DEFAULT_TASK_QUEUE, meaning: 'Task queue of worker and runs' },
  {
    name: 'RUNBOOK_DIR',
    default: './runbooks where it exists',
    meaning:
      'Folders of runbook files beside the built-in catalogue, separated by `:` (`;` on Windows); all workers need the same files',
  },
  {
    name: 'RUNBOOK_CALENDARS',
    default: './calendars where it exists',
    meaning:
      'Folders of calendars (`.ics`, `.yaml`) that freezes name, separated as in `RUNBOOK_DIR`; all workers need the same files',
  },
  {
    name: 'RUNBOOK_ALARMS',
    default: '',
    meaning: 'Alarms file of `runbook gateway` and `runbook alarm`, where no `--file` is given',
  },
  { name: 'RUNBOOK_LOG_LEVEL', default: 'info', meaning: `One of ${LOG_LEVELS.join(', ')}` },
  { name: 'RUNBOOK_READ_TIMEOUT', default: '5s', meaning: 'Longest time for one read of the API' },
  { name: 'RUNBOOK_POST_TIMEOUT', default: '10s', meaning: 'Longest time for the POST of an action' },
  { name: 'RUNBOOK_QUIET_PERIOD', default: '5s', meaning: 'Between two readings that must agree' },
  {
    name: 'RUNBOOK_VISIBILITY_WINDOW',
    default: '15s',
    meaning:
      'How long ServiceStage may take to show an accepted cloud job in `last_job_id`; too short a value endangers *once*',
  },
  {
    name: 'RUNBOOK_LIMITS',
    default: '',
    meaning:
      'The other limits of an attempt, such as `lease=2s,budgetWait=5s,credentialsWait=5s,margin=3s,clockSkew=5s,lateStart=5s`',
  },
  {
    name: 'RUNBOOK_VERIFY',
    default: 'within=5m,stable=10s',
    meaning: 'How long a desired state may take after the cloud job, and must hold, where a runbook does not say',
  },
  {
    name: 'RUNBOOK_USUAL_DURATIONS',
    default: '',
    meaning:
      'Usual time of each action in your cloud, such as `start=45s,stop=10s`; decides when to look, never what is concluded',
  },
  {
    name: 'HTTPS_PROXY',
    default: '',
    meaning:
      'HTTP proxy for everything that goes out by `https`, and for Temporal; also `https_proxy`, which counts first',
  },
  { name: 'HTTP_PROXY', default: '', meaning: 'The same for `http`; also `http_proxy`' },
  {
    name: 'NO_PROXY',
    default: '',
    meaning:
      'Hosts, domains, addresses and networks that are reached directly, separated by commas; also `no_proxy`. Loopback and link-local addresses always are',
  },
  { name: 'SERVICESTAGE_REGION', default: '', meaning: 'Such as `cn-north-4`; gives both endpoints' },
  {
    name: 'SERVICESTAGE_ENDPOINT',
    default: 'from the region',
    meaning: 'Overrides the endpoint: simulator, private cloud',
  },
  { name: 'SERVICESTAGE_ALLOW_HTTP', default: 'false', meaning: '`true` allows http beyond loopback' },
  {
    name: 'SERVICESTAGE_REQUESTS_PER_SECOND',
    default: '5',
    meaning: 'Request budget of this process; chosen, since ServiceStage documents no limit',
  },
  { name: 'SERVICESTAGE_BURST', default: '10', meaning: 'Requests that may go at once' },
  {
    name: 'SERVICESTAGE_USER_ID',
    default: 'from the token, or asked of IAM',
    meaning: 'Our own IAM user id: evidence that a cloud job found later is ours',
  },
  { name: 'SERVICESTAGE_TOKEN', default: '', meaning: 'A ready token', secret: true },
  {
    name: 'SERVICESTAGE_IAM_USER',
    default: '',
    meaning: 'IAM user, to fetch and renew tokens; with `_IAM_PASSWORD` and `_IAM_DOMAIN`',
  },
  { name: 'SERVICESTAGE_IAM_PASSWORD', default: '', meaning: 'Password of the IAM user', secret: true },
  { name: 'SERVICESTAGE_IAM_DOMAIN', default: '', meaning: 'Account name of the IAM user' },
  { name: 'HUAWEICLOUD_SDK_PROJECT_ID', default: '', meaning: 'Project id; always needed' },
  { name: 'HUAWEICLOUD_SDK_AK', default: '', meaning: 'Access key, with `_SK`' },
  { name: 'HUAWEICLOUD_SDK_SK', default: '', meaning: 'Secret key', secret: true },
  { name: 'HUAWEICLOUD_SDK_SECURITY_TOKEN', default: '', meaning: 'Of temporary access keys', secret: true },
  { name: 'HUAWEICLOUD_SDK_IAM_ENDPOINT', default: 'from the region', meaning: 'IAM endpoint' },
];

export const CONFIG_VARIABLE_NAMES: readonly string[] = configVariables.map(({ name }) => name);
/** Read in lower case as well. */
export const PROXY_VARIABLES: readonly string[] = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
