/** The only reader of the environment: one table is the whole truth; all problems come in one message. Nothing happens at import time. */
import { existsSync } from 'node:fs';
import { ACTION_NAMES, type ActionName } from '../domain/target/actions.js';
import { DEFAULT_TASK_QUEUE } from '../domain/contract.js';
import { readProxies } from './proxy-variables.js';
import { Reader, type Environment, type Form } from './variable-reader.js';
import { readTemporal, type TemporalConfig } from './temporal-variables.js';
import { LOG_LEVELS, type LogLevel } from './variables.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout, type ChosenLimits, type Limits } from '../domain/once/limits.js';
import { didYouMean } from '../domain/text/suggest.js';
import { DEFAULT_VERIFY, type VerifyDefaults } from '../domain/runbook/runbook-checks.js';
import { isHostOfUrl } from '../network/host-and-port.js';
import type { ProxyFor } from '../network/proxies.js';
import { isRegion, REGIONS } from '../servicestage/regions.js';
import { Secret } from '../servicestage/secret.js';
import type { Credentials } from '../servicestage/auth.js';
import type { ServiceStageOptions } from '../servicestage/service-stage-client.js';

export interface ClientConfig {
  readonly temporal: TemporalConfig;
  readonly taskQueue: string;
  readonly runbookDirectories: readonly string[];
  readonly calendarDirectories: readonly string[];
  /** `undefined`: alarms start nothing. */
  readonly alarmsFile: string | undefined;
  readonly logLevel: LogLevel;
  /** The proxy for everything else that goes out. */
  readonly proxyFor: ProxyFor;
  /** What the environment asks for and cannot be had, in words: for the log at start. */
  readonly warnings: readonly string[];
}

export interface Config extends ClientConfig {
  readonly serviceStage: ServiceStageOptions;
  readonly limits: Limits;
  readonly usualDurationsMs: Partial<Record<ActionName, number>>;
  readonly verify: VerifyDefaults;
}

/** What the command line needs: no ServiceStage credentials. @throws ConfigurationError */
export function loadClientConfig(env: Environment): ClientConfig {
  const reader = new Reader(env);
  const config = readClientConfig(reader);
  reader.throwProblems();
  return config;
}

/** What the worker needs. @throws ConfigurationError */
export function loadConfig(env: Environment): Config {
  const reader = new Reader(env);
  const client = readClientConfig(reader);
  const config: Config = {
    ...client,
    serviceStage: { ...readServiceStage(reader), proxyFor: client.proxyFor },
    limits: readLimits(reader),
    usualDurationsMs: readUsualDurations(reader),
    verify: readVerify(reader),
  };
  reader.throwProblems();
  return Object.freeze(config);
}

function readClientConfig(reader: Reader): ClientConfig {
  const proxyFor = readProxies(reader);
  return {
    temporal: readTemporal(reader, proxyFor),
    proxyFor,
    warnings: reader.warnings,
    taskQueue: reader.text('RUNBOOK_TASK_QUEUE') ?? DEFAULT_TASK_QUEUE,
    runbookDirectories: readDirectories(reader, 'RUNBOOK_DIR', 'runbooks'),
    calendarDirectories: readDirectories(reader, 'RUNBOOK_CALENDARS', 'calendars'),
    alarmsFile: reader.text('RUNBOOK_ALARMS'),
    logLevel: reader.oneOf('RUNBOOK_LOG_LEVEL', LOG_LEVELS, 'info'),
  };
}

function readDirectories(reader: Reader, name: string, byDefault: string): readonly string[] {
  const directories = reader.text(name)?.split(process.platform === 'win32' ? ';' : ':');
  return directories?.filter((directory) => directory !== '') ?? (existsSync(byDefault) ? [byDefault] : []);
}

function readServiceStage(reader: Reader): ServiceStageOptions {
  const region = reader.formed('SERVICESTAGE_REGION', REGION);
  const given = reader.text('SERVICESTAGE_ENDPOINT');
  reader.oneOf('SERVICESTAGE_ALLOW_HTTP', ['true', 'false'], 'false');
  if (region !== undefined && given === undefined && REGION.pattern.test(region) && !isRegion(region)) {
    reader.problem(
      'SERVICESTAGE_REGION',
      `"${region}" is not a region that is known here`,
      `Use one of ${REGIONS.join(', ')}, or give SERVICESTAGE_ENDPOINT.${didYouMean(region, REGIONS)}`,
    );
  }
  if (region === undefined && given === undefined) {
    reader.problem(
      'SERVICESTAGE_REGION',
      'neither region nor endpoint is given',
      'Set SERVICESTAGE_REGION, such as cn-north-4, or SERVICESTAGE_ENDPOINT',
    );
  }
  const iamGiven = reader.text('HUAWEICLOUD_SDK_IAM_ENDPOINT');
  const iamEndpoint =
    iamGiven === undefined
      ? region && `https://iam.${region}.myhuaweicloud.com`
      : checkedUrl(reader, 'HUAWEICLOUD_SDK_IAM_ENDPOINT', iamGiven);
  const projectId = reader.formed('HUAWEICLOUD_SDK_PROJECT_ID', PROJECT_ID);
  if (projectId === undefined)
    reader.problem(
      'HUAWEICLOUD_SDK_PROJECT_ID',
      'the project id is missing',
      'Set it; the console shows it under "My Credentials"',
    );
  return {
    endpoint:
      given === undefined
        ? `https://servicestage.${region ?? 'unknown'}.myhuaweicloud.com`
        : checkedUrl(reader, 'SERVICESTAGE_ENDPOINT', given),
    projectId: projectId ?? '',
    credentials: readCredentials(reader, iamEndpoint),
    iamEndpoint,
    userId: reader.formed('SERVICESTAGE_USER_ID', USER_ID),
    requestsPerSecond: reader.positive('SERVICESTAGE_REQUESTS_PER_SECOND', 5),
    burst: Math.max(1, reader.positive('SERVICESTAGE_BURST', 10)),
  };
}

const REGION: Form = {
  pattern: /^[\w-]+$/,
  noun: 'the name of a region',
  remedy: 'Write it as in the addresses of its services, such as cn-north-4',
};
const PROJECT_ID: Form = {
  pattern: /^[\w-]+$/,
  noun: 'a project id',
  remedy: 'Write the 32 hexadecimal digits of the project',
};
const USER_ID: Form = {
  pattern: /^[\w-]+$/,
  noun: 'a user id',
  remedy: 'Write the id of the IAM user, as "My Credentials" of the console shows it',
};
const ACCESS_KEY: Form = {
  pattern: /^[\w-]+$/,
  noun: 'an access key',
  remedy: 'Write the access key id alone, letters and digits',
};
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** No problem shows the value: it may hold a password. @returns without slashes at its end */
function checkedUrl(reader: Reader, name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['https:', 'http:'].includes(url.protocol) || !isHostOfUrl(url)) {
    reader.problem(name, 'it is no URL', 'Write it with its scheme, such as https://servicestage.example.com');
    return text;
  }
  const { origin, pathname, protocol, hostname, username, password } = url;
  const httpIsAllowed = LOOPBACK.includes(hostname) || reader.text('SERVICESTAGE_ALLOW_HTTP') === 'true';
  if (`${username}${password}` !== '')
    reader.problem(name, 'it holds a user name or password', 'Take it out; credentials have variables of their own');
  // An empty one too, which the parts of a URL do not show: the path of each request is written behind it.
  if (/[?#]/.test(text))
    reader.problem(
      name,
      'it holds a query or a fragment',
      'Write the address alone, such as https://servicestage.example.com',
    );
  if (protocol === 'http:' && !httpIsAllowed) {
    reader.problem(
      name,
      `it uses http:// for ${hostname}, and credentials would travel in the open`,
      'Use https, or set SERVICESTAGE_ALLOW_HTTP=true',
    );
  }
  return `${origin}${pathname}`.replace(/\/+$/, '');
}

/** Exactly one way to authenticate; two at once is a problem, since nobody could tell which one acts. */
function readCredentials(reader: Reader, iamEndpoint: string | undefined): Credentials {
  const accessKey = reader.formed('HUAWEICLOUD_SDK_AK', ACCESS_KEY);
  const secretKey = reader.secret('HUAWEICLOUD_SDK_SK');
  const token = reader.secret('SERVICESTAGE_TOKEN');
  const user = reader.text('SERVICESTAGE_IAM_USER');
  const password = reader.password('SERVICESTAGE_IAM_PASSWORD');
  const domain = reader.text('SERVICESTAGE_IAM_DOMAIN');
  const ways = [
    ...((accessKey ?? secretKey) === undefined ? [] : ['HUAWEICLOUD_SDK_AK']),
    ...(token === undefined ? [] : ['SERVICESTAGE_TOKEN']),
    ...((user ?? password ?? domain) === undefined ? [] : ['SERVICESTAGE_IAM_USER']),
  ];
  const choices =
    'HUAWEICLOUD_SDK_AK with _SK, or SERVICESTAGE_TOKEN, or SERVICESTAGE_IAM_USER with _IAM_PASSWORD and _IAM_DOMAIN';
  if (ways.length === 0) reader.problem('credentials', 'there are none', `Set one of: ${choices}`);
  if (ways.length > 1)
    reader.problem(ways.join(' and '), 'there are two ways to authenticate at once', `Keep one of: ${choices}`);
  const needs = (pairs: readonly (readonly [string, unknown])[]) => {
    for (const [name, value] of pairs)
      if (value === undefined) reader.problem(name, 'it is missing', `It goes with ${ways[0] ?? ''}`);
  };
  const nothing = new Secret('');
  if (ways[0] === 'HUAWEICLOUD_SDK_AK') {
    needs([
      ['HUAWEICLOUD_SDK_AK', accessKey],
      ['HUAWEICLOUD_SDK_SK', secretKey],
    ]);
    const securityToken = reader.secret('HUAWEICLOUD_SDK_SECURITY_TOKEN');
    return {
      kind: 'accessKey',
      accessKey: accessKey ?? '',
      secretKey: secretKey ?? nothing,
      ...(securityToken === undefined ? {} : { securityToken }),
    };
  }
  if (ways[0] === 'SERVICESTAGE_IAM_USER') {
    needs([
      ['SERVICESTAGE_IAM_USER', user],
      ['SERVICESTAGE_IAM_PASSWORD', password],
      ['SERVICESTAGE_IAM_DOMAIN', domain],
      ['HUAWEICLOUD_SDK_IAM_ENDPOINT', iamEndpoint],
    ]);
    return {
      kind: 'password',
      iamEndpoint: iamEndpoint ?? '',
      user: user ?? '',
      password: password ?? nothing,
      domain: domain ?? '',
    };
  }
  return { kind: 'token', token: token ?? nothing };
}

function readLimits(reader: Reader): Limits {
  const others = reader.durations('RUNBOOK_LIMITS', [
    'budgetWait',
    'credentialsWait',
    'clockSkew',
    'lateStart',
    'lease',
    'margin',
  ]);
  const chosen: ChosenLimits = {
    readTimeoutMs: reader.duration('RUNBOOK_READ_TIMEOUT', DEFAULT_LIMITS.readTimeoutMs),
    postTimeoutMs: reader.duration('RUNBOOK_POST_TIMEOUT', DEFAULT_LIMITS.postTimeoutMs),
    quietMs: reader.duration('RUNBOOK_QUIET_PERIOD', DEFAULT_LIMITS.quietMs),
    visibilityWindowMs: reader.duration('RUNBOOK_VISIBILITY_WINDOW', DEFAULT_LIMITS.visibilityWindowMs),
    budgetWaitMs: others.budgetWait ?? DEFAULT_LIMITS.budgetWaitMs,
    credentialsWaitMs: others.credentialsWait ?? DEFAULT_LIMITS.credentialsWaitMs,
    clockSkewMs: others.clockSkew ?? DEFAULT_LIMITS.clockSkewMs,
    lateStartMs: others.lateStart ?? DEFAULT_LIMITS.lateStartMs,
    leaseMs: others.lease ?? DEFAULT_LIMITS.leaseMs,
    marginMs: others.margin ?? DEFAULT_LIMITS.marginMs,
  };
  if (chosen.visibilityWindowMs < chosen.quietMs)
    reader.problem('RUNBOOK_VISIBILITY_WINDOW', 'it is shorter than RUNBOOK_QUIET_PERIOD', 'Make it at least as long');
  return withHeartbeatTimeout(chosen);
}

function readUsualDurations(reader: Reader): Partial<Record<ActionName, number>> {
  return reader.durations('RUNBOOK_USUAL_DURATIONS', ACTION_NAMES);
}

function readVerify(reader: Reader): VerifyDefaults {
  const { within, stable } = reader.durations('RUNBOOK_VERIFY', ['within', 'stable']);
  return { withinMs: within ?? DEFAULT_VERIFY.withinMs, stableMs: stable ?? DEFAULT_VERIFY.stableMs };
}
