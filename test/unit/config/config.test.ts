import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CONFIG_VARIABLE_NAMES, configVariables } from '../../../src/config/variables.js';
import { ConfigurationError, type Environment } from '../../../src/config/environment.js';
import { loadClientConfig, loadConfig, loadOperatorConfig } from '../../../src/config/config.js';

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

describe('a valid configuration', () => {
  it('derives both endpoints from the region, and uses the defaults of the protocol', () => {
    const config = loadConfig(good);
    expect(config.serviceStage).toMatchObject({
      endpoint: 'https://servicestage.cn-north-4.myhuaweicloud.com',
      iamEndpoint: 'https://iam.cn-north-4.myhuaweicloud.com',
    });
    expect(config).toMatchObject({
      taskQueue: 'runbooks',
      limits: { heartbeatTimeoutMs: 15_000 },
      verify: { stableMs: 10_000 },
    });
  });

  it('of a command that reads ServiceStage needs the same credentials, and no more', () => {
    const { serviceStage, taskQueue, readTimeoutMs } = loadOperatorConfig(good);
    expect(serviceStage).toMatchObject({ projectId: 'p1', credentials: { kind: 'accessKey' } });
    expect({ taskQueue, readTimeoutMs }).toEqual({
      taskQueue: 'runbooks',
      readTimeoutMs: loadConfig(good).limits.readTimeoutMs,
    });
    expect(() => loadOperatorConfig({})).toThrow(
      /SERVICESTAGE_REGION[\s\S]*HUAWEICLOUD_SDK_PROJECT_ID[\s\S]*HUAWEICLOUD_SDK_AK/,
    );
  });

  it('lets a shorter part shorten the computed heartbeat time-out', () => {
    expect(
      loadConfig({ ...good, RUNBOOK_POST_TIMEOUT: '4s', RUNBOOK_LIMITS: 'lease=1s,margin=1s' }).limits
        .heartbeatTimeoutMs,
    ).toBe(6_000);
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

  it('accepts several folders, usual durations, and the variables of Temporal', () => {
    const config = loadConfig({
      ...good,
      RUNBOOK_DIR: '/a:/b',
      RUNBOOK_CALENDARS: '/c:/d',
      RUNBOOK_USUAL_DURATIONS: 'start=45s, stop=10s',
      RUNBOOK_WAITING_STEPS: '800',
      TEMPORAL_ADDRESS: 'temporal:7233',
      TEMPORAL_NAMESPACE: 'ops',
    });
    expect(config).toMatchObject({
      runbookDirectories: ['/a', '/b'],
      calendarDirectories: ['/c', '/d'],
      usualDurationsMs: { start: 45_000, stop: 10_000 },
      sizes: { cachedWorkflows: undefined, waitingSteps: 800 },
      temporal: { namespace: 'ops', connectionOptions: { address: 'temporal:7233' } },
    });
  });

  it('ignores Windows line ends, spaces and a byte order mark around values', () => {
    const around = Object.entries({ ...good, TEMPORAL_ADDRESS: '127.0.0.1:7233', RUNBOOK_QUIET_PERIOD: '5s' });
    const env = Object.fromEntries(around.map(([name, value]) => [name, `\ufeff ${value}\r\n`]));
    const { temporal, serviceStage, limits } = loadConfig(env);
    expect(temporal).toMatchObject({ address: '127.0.0.1:7233', connectionOptions: { address: '127.0.0.1:7233' } });
    expect(serviceStage).toMatchObject({
      endpoint: 'https://servicestage.cn-north-4.myhuaweicloud.com',
      projectId: 'p1',
    });
    expect(limits.quietMs).toBe(5_000);
  });

  it('accepts valid values of unusual form', () => {
    const { HUAWEICLOUD_SDK_AK: _ak, HUAWEICLOUD_SDK_SK: _sk, ...rest } = good;
    const env = {
      ...rest,
      SERVICESTAGE_IAM_USER: 'Müller @ ops',
      SERVICESTAGE_IAM_PASSWORD: '"all of $this = it"',
      SERVICESTAGE_IAM_DOMAIN: '华为云',
      RUNBOOK_DIR: '/srv/run books:/srv/Übung',
      RUNBOOK_TASK_QUEUE: 'it\'s "ours"',
      TEMPORAL_ADDRESS: '[2001:db8::7]:7233',
      TEMPORAL_NAMESPACE: 'ops.a1b2c',
    };
    expect(problemsOf(env)).toEqual([]);
  });

  it('treats an empty variable as absent', () => {
    expect(problemsOf({ ...good, SERVICESTAGE_TOKEN: '', SERVICESTAGE_ENDPOINT: '' })).toEqual([]);
  });

  it('keeps the secrets of webhooks by the names of their variables, and takes any that begins so', () => {
    const { webhookSecrets, notificationsFile } = loadConfig({
      ...good,
      RUNBOOK_NOTIFICATIONS: 'notifications.yaml',
      RUNBOOK_NOTIFY_OPS_URL: ' https://hooks.example.com/sesame ',
      RUNBOOK_NOTIFY_EMPTY: '',
    });
    expect(notificationsFile).toBe('notifications.yaml');
    expect([...webhookSecrets.keys()]).toEqual(['RUNBOOK_NOTIFY_OPS_URL']);
    expect(webhookSecrets.get('RUNBOOK_NOTIFY_OPS_URL')?.reveal()).toBe('https://hooks.example.com/sesame');
    expect(inspect(webhookSecrets)).not.toContain('sesame');
    expect(problemsOf({ ...good, RUNBOOK_NOTIFY_OPS_URL: '"https://hooks.example.com/sesame"' })).toEqual([
      'RUNBOOK_NOTIFY_OPS_URL: it is in quotes',
    ]);
    expect(problemsOf({ ...good, RUNBOOK_NOTIFICATION: 'x' })).toEqual([
      'RUNBOOK_NOTIFICATION: there is no such variable',
    ]);
  });

  it('shows no secret when it is printed', () => {
    const config = loadConfig({ ...good, HUAWEICLOUD_SDK_SECURITY_TOKEN: 'the-security-token' });
    for (const text of [JSON.stringify(config), inspect(config, { depth: 10 })]) {
      expect(text).not.toContain('the-secret-key');
      expect(text).not.toContain('the-security-token');
    }
  });
});

describe('the address of a service', () => {
  const place = { endpoint: 'SERVICESTAGE_ENDPOINT', iamEndpoint: 'HUAWEICLOUD_SDK_IAM_ENDPOINT' } as const;

  it.each(['https://x.com/#', 'https://x.com?', 'https://x.com#', 'https://x.com/v2/?#', 'https://x.com/a#b'])(
    '%s would hide the path of every request behind it, and is a problem',
    (text) => {
      for (const name of Object.values(place))
        expect(problemsOf({ ...good, [name]: text })).toEqual([`${name}: it contains a query or a fragment`]);
    },
  );

  it.each(['https://a..b', 'https://-', 'https://..', 'https://*.example.com'])('%s is not a URL of a host', (text) => {
    for (const name of Object.values(place))
      expect(problemsOf({ ...good, [name]: text })).toEqual([`${name}: it is not a URL`]);
  });

  it.each([
    ['https:x.com', 'https://x.com'],
    ['https://X.com:443//', 'https://x.com'],
    ['https://x.com\\v2', 'https://x.com/v2'],
    ['https://@x.com/', 'https://x.com'],
    ['https://[2001:db8::5]:8443/', 'https://[2001:db8::5]:8443'],
  ])('%s is read as %s', (text, taken) => {
    for (const [key, name] of Object.entries(place))
      expect(loadConfig({ ...good, [name]: text }).serviceStage).toMatchObject({ [key]: taken });
  });
});

describe('an invalid configuration', () => {
  it.each([
    ['SERVICESTAGE_IAM_ENDPOINT', 'HUAWEICLOUD_SDK_IAM_ENDPOINT'],
    ['SERVICESTAGE_AK_FILE', 'HUAWEICLOUD_SDK_AK_FILE'],
    ['RUNBOOK_REGION', 'SERVICESTAGE_REGION'],
  ])('%s, which begins as others do, was meant as %s', (name, meant) => {
    expect(() => loadConfig({ ...good, [name]: 'x' })).toThrow(`Did you mean ${meant}?`);
  });

  it.each<[string, Environment, string]>([
    ['nothing at all', {}, 'neither a region nor an endpoint'],
    ['no name of a region', { ...good, SERVICESTAGE_REGION: 'cn/north 4' }, '"cn/north 4" is not the name of a region'],
    ['an unknown region', { ...good, SERVICESTAGE_REGION: 'cn-north-44' }, '"cn-north-44" is not a region'],
    ['no project', { ...good, HUAWEICLOUD_SDK_PROJECT_ID: '' }, 'the project id is missing'],
    ['no credentials', { ...good, HUAWEICLOUD_SDK_AK: '', HUAWEICLOUD_SDK_SK: '' }, 'none are set'],
    ['two ways to authenticate', { ...good, SERVICESTAGE_TOKEN: 't' }, 'two ways'],
    ['half an access key', { ...good, HUAWEICLOUD_SDK_SK: '' }, 'HUAWEICLOUD_SDK_SK: it is missing'],
    ['http beyond loopback', { ...good, SERVICESTAGE_ENDPOINT: 'http://servicestage.example.com' }, 'in the open'],
    ['no URL', { ...good, SERVICESTAGE_ENDPOINT: 'servicestage' }, 'it is not a URL'],
    ['a mistyped variable', { ...good, RUNBOOK_TASKQUEUE: 'x' }, 'RUNBOOK_TASKQUEUE: there is no such variable'],
    ['a wrong duration', { ...good, RUNBOOK_QUIET_PERIOD: 'soon' }, '"soon" is not a duration'],
    ['a window shorter than quiet', { ...good, RUNBOOK_VISIBILITY_WINDOW: '1s' }, 'shorter than RUNBOOK_QUIET_PERIOD'],
    ['an unknown limit', { ...good, RUNBOOK_LIMITS: 'marjin=1s' }, '"marjin" is not known'],
    ['an unknown action', { ...good, RUNBOOK_USUAL_DURATIONS: 'stpo=1s' }, '"stpo" is not known'],
    ['a size with a unit', { ...good, RUNBOOK_CACHED_WORKFLOWS: '1k' }, '"1k" is not a number from 10 to 100000'],
    ['a size too small', { ...good, RUNBOOK_WAITING_STEPS: '9' }, '"9" is not a number from 10 to 100000'],
    ['no number', { ...good, SERVICESTAGE_REQUESTS_PER_SECOND: 'many' }, 'not a positive number'],
    ['an unknown log level', { ...good, RUNBOOK_LOG_LEVEL: 'loud' }, '"loud" is not known'],
  ])('(%s) is a problem', (_case, env, text) => {
    expect(problemsOf(env).join('\n')).toContain(text);
  });

  it('is refused with all its problems in one message, and no secret value', () => {
    const problems = problemsOf({
      RUNBOOK_QUIET_PERIOD: 'x',
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

  it('describes the value of each, and marks those that are secret', () => {
    expect(configVariables.filter(({ form, meaning }) => form === '' || meaning === '')).toEqual([]);
    expect(configVariables.filter(({ secret }) => secret).map(({ name }) => name)).toEqual([
      'RUNBOOK_CODEC_TOKEN',
      'SERVICESTAGE_TOKEN',
      'SERVICESTAGE_IAM_PASSWORD',
      'HUAWEICLOUD_SDK_SK',
      'HUAWEICLOUD_SDK_SECURITY_TOKEN',
    ]);
  });

  it('gives the defaults that apply to unset variables', () => {
    const written = configVariables.filter(({ name, default: text }) => name.startsWith('RUNBOOK_') && text !== '');
    const env = Object.fromEntries(
      written.filter(({ form }) => form !== 'folders').map(({ name, default: text }) => [name, text]),
    );
    expect(Object.keys(env)).toHaveLength(10);
    const { proxyFor: _one, serviceStage: _first, ...given } = loadConfig({ ...good, ...env });
    const { proxyFor: _other, serviceStage: _second, ...byDefault } = loadConfig(good);
    expect(given).toEqual(byDefault);
  });
});

describe('probes and metrics', () => {
  it('are off unless a port is set, and on all addresses unless one is', () => {
    expect(loadConfig(good).health).toBeNull();
    expect(loadConfig({ ...good, RUNBOOK_HEALTH_PORT: '9464' }).health).toEqual({ host: undefined, port: 9464 });
    expect(loadClientConfig({ RUNBOOK_HEALTH_PORT: '9464', RUNBOOK_HEALTH_HOST: '::1' }).health).toEqual({
      host: '::1',
      port: 9464,
    });
    expect(problemsOf({ ...good, RUNBOOK_HEALTH_PORT: '99999' })).toEqual([
      'RUNBOOK_HEALTH_PORT: "99999" is not a number from 1 to 65535',
    ]);
  });
});

describe('variables that Kubernetes makes for services', () => {
  const links: Environment = {
    RUNBOOK_GATEWAY_SERVICE_HOST: '10.96.12.3',
    RUNBOOK_GATEWAY_SERVICE_PORT: '8095',
    RUNBOOK_GATEWAY_SERVICE_PORT_HTTP_ALARMS: '8095',
    RUNBOOK_GATEWAY_PORT: 'tcp://10.96.12.3:8095',
    RUNBOOK_GATEWAY_PORT_8095_TCP: 'tcp://10.96.12.3:8095',
    RUNBOOK_GATEWAY_PORT_8095_TCP_PROTO: 'tcp',
    RUNBOOK_GATEWAY_PORT_8095_TCP_PORT: '8095',
    RUNBOOK_GATEWAY_PORT_8095_TCP_ADDR: '10.96.12.3',
    RUNBOOK_HEALTH_PORT: 'tcp://10.96.12.7:9464',
    RUNBOOK_DNS_PORT_53_UDP: 'udp://10.96.12.5:53',
    RUNBOOK_DNS_PORT_53_UDP_ADDR: '10.96.12.5',
    SERVICESTAGE_RUNBOOKS_SERVICE_HOST: '10.96.12.4',
    SERVICESTAGE_RUNBOOKS_PORT: 'tcp://10.96.12.4:8095',
    SERVICESTAGE_PORT_36412_SCTP: 'sctp://10.96.12.4:36412',
    TEMPORAL_FRONTEND_PORT: 'tcp://10.96.12.6:7233',
    TEMPORAL_TLS_SERVICE_HOST: '10.96.12.6',
  };

  it('are passed over', () => {
    expect(problemsOf({ ...good, ...links })).toEqual([]);
    expect(loadConfig({ ...good, ...links }).warnings).toEqual([]);
    expect(loadConfig({ ...good, ...links }).health).toBeNull();
  });

  it('are not sent to Temporal as headers either, while a header of such a name is', () => {
    const { connectionOptions } = loadClientConfig({
      HOME: '/nowhere',
      TEMPORAL_GRPC_META_PORT: 'tcp://10.96.12.6:7233',
      TEMPORAL_GRPC_META_PORT_7233_TCP: 'tcp://10.96.12.6:7233',
      TEMPORAL_GRPC_META_PORT_7233_TCP_PORT: '7233',
      TEMPORAL_GRPC_META_SERVICE_HOST: '10.96.12.6',
      TEMPORAL_GRPC_META_SERVICE_PORT_GRPC: '7233',
      TEMPORAL_GRPC_META_X_TEAM: 'ops',
      TEMPORAL_GRPC_META_X_PORT: '8080',
    }).temporal;
    expect(connectionOptions.metadata).toEqual({ 'x-team': 'ops', 'x-port': '8080' });
    expect(problemsOf({ ...good, TEMPORAL_GRPC_META_X_PORT: 'a\nb' })).toContain(
      'TEMPORAL_GRPC_META_X_PORT: it contains a line break',
    );
  });

  it.each([
    'RUNBOOK_PORTS',
    'RUNBOOK_GATEWAY_HOST',
    'RUNBOOK_GATEWAY_PORT_8095',
    'SERVICESTAGE_SERVICE',
    'RUNBOOK_DNS_PORT_X_TCP',
  ])('%s is not one of them', (name) => {
    expect(problemsOf({ ...good, [name]: 'x' })).toEqual([`${name}: there is no such variable`]);
  });

  it('have no name that is read here, except for one, whose value shows which of the two it is', () => {
    expect(CONFIG_VARIABLE_NAMES.filter((name) => /_(PORT|SERVICE_HOST|SERVICE_PORT)/.test(name))).toEqual([
      'RUNBOOK_HEALTH_PORT',
    ]);
  });
});

describe('what no value may hold', () => {
  const named = (env: Environment) => problemsOf({ ...good, ...env }).join('\n');

  it.each(CONFIG_VARIABLE_NAMES)('a line break inside %s is a problem, and the value is not shown', (name) => {
    const found = named({ [name]: 'top\nsecret' });
    expect(found).toContain(`${name}: it contains a line break`);
    expect(found).not.toMatch(/top|secret(?!-)/);
  });

  it.each<[string, string]>([
    ['\0', '\\u0000'],
    ['\u001b', '\\u001b'],
    ['\ufeff', '\\ufeff'],
    ['\u200b', '\\u200b'],
    ['\u202e', '\\u202e'],
  ])('the character %j', (character, escaped) => {
    expect(named({ HUAWEICLOUD_SDK_SK: `se${character}cret` })).toBe(
      `HUAWEICLOUD_SDK_SK: it contains the invisible character ${escaped}`,
    );
  });

  it.each(['"default"', "'default'"])('quotes around %s', (value) => {
    for (const name of ['TEMPORAL_NAMESPACE', 'HUAWEICLOUD_SDK_SK', 'RUNBOOK_DIR', 'SERVICESTAGE_REGION'])
      expect(named({ [name]: value })).toContain(`${name}: it is in quotes`);
  });

  it.each<[string, string]>([
    ['SERVICESTAGE_TOKEN', 'tökén'],
    ['HUAWEICLOUD_SDK_SECURITY_TOKEN', '令牌'],
    ['TEMPORAL_API_KEY', 'clé'],
  ])('%s=%s, which no header can hold, is reported without its value', (name, value) => {
    const found = named({ [name]: value });
    expect(found).toContain(`${name}: it contains a character that no header can hold`);
    expect(found).not.toContain(value);
  });

  it.each<[string, Environment]>([
    ['user and password', { SERVICESTAGE_ENDPOINT: 'https://me:hidden@servicestage.example.com' }],
    ['a password alone', { SERVICESTAGE_ENDPOINT: 'https://:hidden@servicestage.example.com' }],
    ['one in no URL', { SERVICESTAGE_ENDPOINT: 'me:hidden@servicestage example' }],
    ['one in the address of IAM', { HUAWEICLOUD_SDK_IAM_ENDPOINT: 'https://:hidden@iam.example.com' }],
    ['one in the address of a proxy', { HTTPS_PROXY: 'socks5://me:hidden@proxy:1080' }],
    ['one in no address of a proxy', { https_proxy: 'http://me:hidden@pro xy:1080' }],
  ])('an address with %s is a problem that does not show it', (_case, env) => {
    const found = named(env);
    expect(found).not.toBe('');
    expect(found).not.toContain('hidden');
  });
});

describe('Temporal', () => {
  const problemsOfClient = (env: Environment): string[] => {
    try {
      loadClientConfig({ HOME: '/nowhere', ...env });
      return [];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return error.problems.map(({ place, found }) => `${place}: ${found}`);
    }
  };

  it.each([
    'http://localhost:7233',
    'https://ops.a1b2c.tmprl.cloud:7233',
    'localhost:7233/',
    'localhost:port',
    'localhost:',
    ':7233',
    'dns:///temporal:7233',
    '::1:7233',
    'two words:7233',
    'tcp://10.96.12.3:7233',
    'me:hidden@temporal:7233',
    'localhost:0',
    'localhost:65536',
    'a..b:7233',
    '..:7233',
    '-:7233',
    '.temporal:7233',
    'temporal-:7233',
    '1.2.3.999:7233',
    '[::1:7233',
    '[:::]:7233',
  ])('has no address %s', (address) => {
    expect(problemsOfClient({ TEMPORAL_ADDRESS: address })).toEqual([
      `TEMPORAL_ADDRESS: "${address}" is not host:port`,
    ]);
  });

  it.each([
    ['TEMPORAL_ADRESS', 'TEMPORAL_ADDRESS'],
    ['TEMPORAL_NAME_SPACE', 'TEMPORAL_NAMESPACE'],
    ['TEMPORAL_TLS_CLIENT_CERT', 'TEMPORAL_TLS_CLIENT_CERT_PATH or TEMPORAL_TLS_CLIENT_CERT_DATA'],
    ['TEMPORAL_APIKEY', 'TEMPORAL_API_KEY'],
  ])('warns at start that %s is probably mistyped', (name, meant) => {
    expect(loadClientConfig({ HOME: '/nowhere', [name]: 'x:1' }).warnings).toEqual([
      `${name} is not known, and nothing reads it. Did you mean ${meant}?`,
    ]);
  });

  it('does not mention the variables of its other tools', () => {
    const others = [
      'TEMPORAL_TLS_CA',
      'TEMPORAL_FRONTEND_PORT',
      'TEMPORAL_UI_VERSION',
      'TEMPORAL_ENV',
      'TEMPORAL_HOST',
    ];
    const env = Object.fromEntries(others.map((name) => [name, 'x']));
    expect(loadClientConfig({ HOME: '/nowhere', ...env }).warnings).toEqual([]);
  });

  it.each([
    'localhost',
    'temporal.:7233',
    'temporal:7233',
    '10.0.0.7:7233',
    '[::1]:7233',
    '[2001:db8::1]',
    'my_host:1',
    'host:65535',
  ])('has the address %s', (address) => {
    expect(problemsOfClient({ TEMPORAL_ADDRESS: address })).toEqual([]);
  });

  it('reports every problem at once: missing files, half a certificate, values that are not booleans', () => {
    const found = problemsOfClient({
      TEMPORAL_ADDRESS: 'https://temporal',
      TEMPORAL_NAMESPACE: 'a b',
      TEMPORAL_API_KEY: 'two\nlines',
      TEMPORAL_TLS: 'yes',
      TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere/cert.pem',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/',
      TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml',
      TEMPORAL_GRPC_META_X_TEAM: 'öps',
      RUNBOOK_LOG_LEVEL: 'loud',
    });
    expect(found).toEqual([
      'TEMPORAL_API_KEY: it contains a line break',
      'TEMPORAL_TLS: "yes" is not true or false',
      'TEMPORAL_CONFIG_FILE: "/nowhere/temporal.toml" does not exist, or is a link to nothing (ENOENT)',
      'TEMPORAL_TLS_CLIENT_CERT_PATH: "/nowhere/cert.pem" does not exist, or is a link to nothing (ENOENT)',
      'TEMPORAL_TLS_SERVER_CA_CERT_PATH: "/" is a folder, not a regular file',
      'TEMPORAL_NAMESPACE: "a b" is not a namespace',
      'TEMPORAL_GRPC_META_* x-team: it contains a character that no header can hold',
      'TEMPORAL_ADDRESS: "https://temporal" is not host:port',
      'RUNBOOK_LOG_LEVEL: "loud" is not known',
    ]);
  });

  it('has headers of text, and one way to authenticate', () => {
    expect(problemsOfClient({ TEMPORAL_GRPC_META_AUTHORIZATION: 'Bearer x', TEMPORAL_API_KEY: 'y' })).toEqual([
      'TEMPORAL_API_KEY: an authorization header is given as well',
    ]);
    expect(problemsOfClient({ TEMPORAL_GRPC_META_X_BIN: 'x' })).toEqual([
      'TEMPORAL_GRPC_META_* x-bin: it is not a text header',
    ]);
    expect(problemsOfClient({ TEMPORAL_GRPC_META_X_TEAM: 'two words' })).toEqual([]);
  });

  it('has a profile file whose values are checked in the same way, and none of whose lines is shown', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'runbooks-config-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'temporal.toml');
    const withProfile = async (lines: string) => {
      await writeFile(file, `[profile.default]\n${lines}\n`);
      return problemsOfClient({ TEMPORAL_CONFIG_FILE: file });
    };
    expect(await withProfile('address = "https://temporal:7233"\napi_key = "hid\\nden"')).toEqual([
      "TEMPORAL_API_KEY of Temporal's profile file: it contains a character that no header can hold",
      'TEMPORAL_ADDRESS of Temporal\'s profile file: "https://temporal:7233" is not host:port',
    ]);
    await writeFile(file, '');
    expect(problemsOfClient({ TEMPORAL_CONFIG_FILE: file })).toEqual([
      'TEMPORAL_*: the profile file has no [profile.NAME]',
    ]);
    const [broken = ''] = await withProfile('api_key = "hidden\naddress = "x"');
    expect(broken).toContain('TEMPORAL_*: Invalid TOML');
    expect(broken).not.toContain('hidden');
  });

  it('gets the whole PEM with its line breaks, and only both halves of a certificate', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    expect(problemsOfClient({ TEMPORAL_TLS_CLIENT_CERT_DATA: pem })).toEqual([
      'TEMPORAL_TLS_CLIENT_CERT and _KEY: only one of the two is given',
    ]);
    expect(problemsOfClient({ TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'no PEM' }).join()).toContain(
      'TEMPORAL_TLS_*: a certificate or key cannot be used',
    );
  });
});

describe('the version of a worker', () => {
  const [name, buildId] = ['TEMPORAL_WORKER_DEPLOYMENT_NAME', 'TEMPORAL_WORKER_BUILD_ID'] as const;

  it('is made of both variables, and absent without them', () => {
    expect(loadConfig(good).version).toBeNull();
    const version = { deploymentName: 'runbooks', buildId: '1.4.2' };
    expect(loadConfig({ ...good, [name]: 'runbooks', [buildId]: '1.4.2' }).version).toEqual(version);
    const ofController = { ...good, TEMPORAL_DEPLOYMENT_NAME: 'runbooks', [buildId]: '1.4.2' };
    expect(loadConfig(ofController).version).toEqual(version);
    expect(loadConfig({ ...ofController, [name]: 'runbooks' }).version).toEqual(version);
  });

  it.each([
    [{ [name]: 'runbooks' }, [`${buildId}: it is missing`]],
    [{ TEMPORAL_DEPLOYMENT_NAME: 'runbooks' }, [`${buildId}: it is missing`]],
    [{ [buildId]: '1' }, [`${name}: it is missing`]],
    [{ [name]: 'runbooks', [buildId]: '' }, [`${buildId}: it is missing`]],
    [{ [name]: 'a.b', [buildId]: '1' }, [`${name}: "a.b" is not the name of a Worker Deployment`]],
    [{ [name]: 'a', [buildId]: '__unversioned__' }, [`${buildId}: "__unversioned__" is not a build id`]],
    [
      { [name]: 'a', TEMPORAL_DEPLOYMENT_NAME: 'b', [buildId]: '1' },
      [`${name} and TEMPORAL_DEPLOYMENT_NAME: they name two Worker Deployments`],
    ],
  ])('is refused in half, and where a name is not one that Temporal takes: %j', (env, problems) => {
    expect(problemsOf({ ...good, ...env })).toEqual(problems);
  });

  it('concerns workers only', () => {
    expect(() => loadClientConfig({ [name]: 'runbooks' })).not.toThrow();
  });
});

describe('the way to Temporal', () => {
  const via = (env: Environment) =>
    loadClientConfig({ HOME: '/nowhere', TEMPORAL_ADDRESS: 'temporal.example.com:7233', ...env });

  it('is direct, whatever grpc-js would read from the environment', () => {
    for (const env of [
      {},
      { TEMPORAL_ADDRESS: 'localhost:7233', HTTPS_PROXY: 'http://proxy:3128' },
      { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '.example.com' },
    ])
      expect(via(env).temporal).toMatchObject({
        proxy: null,
        connectionOptions: { channelArgs: { 'grpc.enable_http_proxy': 0 } },
      });
  });

  it('goes through HTTPS_PROXY, both for the client and for the native core', () => {
    const { temporal, warnings } = via({ https_proxy: 'http://me:p%40ss@proxy.example.net:3128' });
    expect(warnings).toEqual([]);
    expect(temporal).toEqual({
      address: 'temporal.example.com:7233',
      namespace: 'default',
      proxy: 'http://proxy.example.net:3128',
      connectionOptions: expect.objectContaining({
        address: 'proxy.example.net:3128',
        channelArgs: {
          'grpc.enable_http_proxy': 0,
          'grpc.http_connect_target': 'dns:temporal.example.com:7233',
          'grpc.default_authority': 'temporal.example.com:7233',
          'grpc.http_connect_creds': 'me:p@ss',
        },
      }) as unknown,
      native: {
        address: 'temporal.example.com:7233',
        proxy: {
          type: 'http-connect',
          targetHost: 'proxy.example.net:3128',
          basicAuth: { username: 'me', password: 'p@ss' },
        },
      },
    });
  });

  it('is direct, with a warning, if the proxy itself requires TLS', () => {
    const { temporal, warnings } = via({ HTTPS_PROXY: 'https://me:hidden@proxy:3129' });
    expect(temporal.proxy).toBeNull();
    expect(warnings.join()).toContain('is reached without the proxy https://proxy:3129');
    expect(warnings.join()).not.toContain('hidden');
  });

  it('prefers the lower-case variable, and uses the exceptions of both spellings', () => {
    const { proxyFor } = via({
      https_proxy: 'first:3128',
      HTTPS_PROXY: 'http://second:3128',
      no_proxy: 'a.example.com',
      NO_PROXY: 'b.example.com, c.example.com',
    });
    expect(proxyFor(new URL('https://d.example.com'))?.href).toBe('http://first:3128/');
    for (const host of ['a', 'b', 'c']) expect(proxyFor(new URL(`https://${host}.example.com`))).toBeNull();
  });

  it('warns at start of NO_PROXY entries that cannot be understood, without their passwords', () => {
    const { warnings, proxyFor } = via({
      HTTPS_PROXY: 'http://proxy:3128',
      NO_PROXY: 'a|b.example.com, 10.0.0.* https://servicestage.x.com/,https://me:hidden@y.com,',
    });
    expect(warnings).toEqual(
      ['a|b.example.com', '10.0.0.*', '…@y.com'].map(
        (entry) =>
          expect.stringContaining(
            `NO_PROXY: "${entry}" cannot be understood, so no host is reached directly`,
          ) as string,
      ),
    );
    expect(proxyFor(new URL('https://servicestage.x.com'))).toBeNull();
  });

  it.each(['ALL_PROXY', 'all_proxy', 'grpc_proxy', 'no_grpc_proxy'])('warns at start that %s is ignored', (name) => {
    const { temporal, warnings } = via({ [name]: 'http://me:hidden@proxy:3128' });
    expect(temporal.proxy).toBeNull();
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${name} is ignored`))]);
    expect(warnings.join()).not.toContain('hidden');
  });
});
