import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { configVariables } from '../../src/config-variables.js';
import { ConfigurationError, type Environment } from '../../src/config-reader.js';
import { loadClientConfig, loadConfig } from '../../src/config.js';

const good: Environment = {
  SERVICESTAGE_REGION: 'cn-north-4',
  HUAWEICLOUD_SDK_PROJECT_ID: 'p1',
  HUAWEICLOUD_SDK_AK: 'AK',
  HUAWEICLOUD_SDK_SK: 'the-secret-key',
};

function problemsOf(env: Environment): string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ place, found }) => `${place}: ${found}`);
  }
}

describe('a right configuration', () => {
  it('takes both endpoints from the region, and the defaults of the protocol', () => {
    const config = loadConfig(good);
    expect(config.serviceStage).toMatchObject({
      endpoint: 'https://servicestage.cn-north-4.myhuaweicloud.com',
      iamEndpoint: 'https://iam.cn-north-4.myhuaweicloud.com',
    });
    expect(config).toMatchObject({
      taskQueue: 'runbooks',
      limits: { heartbeatTimeoutMs: 65_000 },
      verify: { stableMs: 10_000 },
    });
  });

  it('lets a shorter part shorten the computed heartbeat time-out', () => {
    expect(
      loadConfig({ ...good, RUNBOOK_READ_TIMEOUT: '2s', RUNBOOK_LIMITS: 'margin=1s' }).limits.heartbeatTimeoutMs,
    ).toBe(65_000 - 4 * 3_000 - 4_000);
  });

  it.each([
    ['a token', { SERVICESTAGE_TOKEN: 't' }, 'token'],
    [
      'an IAM user',
      { SERVICESTAGE_IAM_USER: 'u', SERVICESTAGE_IAM_PASSWORD: 'p', SERVICESTAGE_IAM_DOMAIN: 'd' },
      'password',
    ],
  ])('authenticates by %s', (_case, env, kind) => {
    const { HUAWEICLOUD_SDK_AK: _ak, HUAWEICLOUD_SDK_SK: _sk, ...rest } = good;
    expect(loadConfig({ ...rest, ...env }).serviceStage.credentials.kind).toBe(kind);
  });

  it('takes several folders, usual durations, and Temporal as its own variables say', () => {
    const config = loadConfig({
      ...good,
      RUNBOOK_DIR: '/a:/b',
      RUNBOOK_CALENDARS: '/c:/d',
      RUNBOOK_USUAL_DURATIONS: 'start=45s, stop=10s',
      TEMPORAL_ADDRESS: 'temporal:7233',
      TEMPORAL_NAMESPACE: 'ops',
    });
    expect(config).toMatchObject({
      runbookDirectories: ['/a', '/b'],
      calendarDirectories: ['/c', '/d'],
      usualDurationsMs: { start: 45_000, stop: 10_000 },
      temporal: { namespace: 'ops', connectionOptions: { address: 'temporal:7233' } },
    });
  });

  it('takes an empty variable as absent', () => {
    expect(problemsOf({ ...good, SERVICESTAGE_TOKEN: '', SERVICESTAGE_ENDPOINT: '' })).toEqual([]);
  });

  it('shows no secret when it is printed', () => {
    const config = loadConfig({ ...good, HUAWEICLOUD_SDK_SECURITY_TOKEN: 'the-security-token' });
    for (const text of [JSON.stringify(config), inspect(config, { depth: 10 })]) {
      expect(text).not.toContain('the-secret-key');
      expect(text).not.toContain('the-security-token');
    }
  });
});

describe('a wrong configuration', () => {
  it.each<[string, Environment, string]>([
    ['nothing at all', {}, 'neither region nor endpoint'],
    ['an unknown region', { ...good, SERVICESTAGE_REGION: 'cn-north-44' }, '"cn-north-44" is not a region'],
    ['no project', { ...good, HUAWEICLOUD_SDK_PROJECT_ID: '' }, 'the project id is missing'],
    ['no credentials', { ...good, HUAWEICLOUD_SDK_AK: '', HUAWEICLOUD_SDK_SK: '' }, 'there are none'],
    ['two ways to authenticate', { ...good, SERVICESTAGE_TOKEN: 't' }, 'two ways'],
    ['half an access key', { ...good, HUAWEICLOUD_SDK_SK: '' }, 'HUAWEICLOUD_SDK_SK: it is missing'],
    ['http beyond loopback', { ...good, SERVICESTAGE_ENDPOINT: 'http://servicestage.example.com' }, 'in the open'],
    ['no URL', { ...good, SERVICESTAGE_ENDPOINT: 'servicestage' }, 'is no URL'],
    ['a mistyped variable', { ...good, RUNBOOK_TASKQUEUE: 'x' }, 'RUNBOOK_TASKQUEUE: this variable is not known'],
    ['a wrong duration', { ...good, RUNBOOK_QUIET: 'soon' }, '"soon" is no duration'],
    ['a window shorter than quiet', { ...good, RUNBOOK_VISIBILITY: '1s' }, 'shorter than RUNBOOK_QUIET'],
    ['an unknown limit', { ...good, RUNBOOK_LIMITS: 'marjin=1s' }, '"marjin" is not known'],
    ['an unknown action', { ...good, RUNBOOK_USUAL_DURATIONS: 'stpo=1s' }, '"stpo" is not known'],
    ['no number', { ...good, SERVICESTAGE_REQUESTS_PER_SECOND: 'many' }, 'no positive number'],
    ['an unknown log level', { ...good, RUNBOOK_LOG_LEVEL: 'loud' }, '"loud" is not known'],
  ])('(%s) is a problem', (_case, env, text) => {
    expect(problemsOf(env).join('\n')).toContain(text);
  });

  it('comes with all its problems in one message, and no secret value', () => {
    const problems = problemsOf({
      RUNBOOK_QUIET: 'x',
      SERVICESTAGE_REGION: 'y',
      SERVICESTAGE_TOKEN: 'top-secret',
      SERVICESTAGE_IAM_USER: 'u',
    });
    expect(problems.length).toBeGreaterThanOrEqual(4);
    expect(problems.join('\n')).not.toContain('top-secret');
  });
});

describe('the command line', () => {
  it('needs no credentials', () => {
    expect(loadClientConfig({ TEMPORAL_ADDRESS: 'localhost:1' })).toMatchObject({ taskQueue: 'runbooks' });
  });
});

describe('the table of variables', () => {
  it('names each once', () => {
    const names = configVariables.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
