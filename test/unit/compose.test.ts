/**
 * Checks the compose file and the image without a container engine: the parts of the compose specification in use (listed by hand below),
 * every path, every variable, every dependency.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { calendarsIn } from '../../src/calendars/calendars.js';
import { listRunbooks } from '../../src/runbooks/catalogue.js';
import { TEMPORAL_VARIABLES } from '../../src/config/temporal-variables.js';
import { configVariables } from '../../src/config/variables.js';
import { loadClientConfig, loadConfig } from '../../src/config/config.js';
import { readWebhooks } from '../../src/notifications/read-webhooks.js';
import { endLimitMs } from '../../src/worker/worker-options.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const text = read('docker-compose.yml');
const configuration = read('docs/configuration.md');
const operations = read('docs/operations.md');
const dockerfile = read('Dockerfile');

const Condition = z.strictObject({
  condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
});
const Service = z.strictObject({
  image: z.string().optional(),
  build: z.string().optional(),
  init: z.boolean().optional(),
  profiles: z.array(z.string()).optional(),
  restart: z
    .string()
    .regex(/^(no|always|unless-stopped|on-failure(:\d+)?)$/)
    .optional(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  env_file: z.array(z.strictObject({ path: z.string(), required: z.boolean() })).optional(),
  depends_on: z.record(z.string(), Condition).optional(),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\S+:\d+$/)).optional(),
  volumes: z.array(z.string()).optional(),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  healthcheck: z
    .strictObject({ test: z.array(z.string()).min(2), interval: z.string(), timeout: z.string(), retries: z.int() })
    .optional(),
});
const Compose = z
  .looseObject({ name: z.string(), services: z.record(z.string(), Service), volumes: z.record(z.string(), z.null()) })
  .refine((file) =>
    Object.keys(file).every((key) => ['name', 'services', 'volumes'].includes(key) || key.startsWith('x-')),
  );
const compose = Compose.parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);

/** What a container gets where the shell has `given`. */
function environmentOf(service: string, given: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { environment = {} } = compose.services[service] ?? {};
  const resolved = Object.entries(environment).map(([name, value]) => [
    name,
    value.replace(/^\$\{(\w+):-(.*)\}$/, (_all, variable: string, byDefault: string) => given[variable] ?? byDefault),
  ]);
  return Object.fromEntries(resolved) as Record<string, string>;
}
const OURS = ['worker', 'worker-demo', 'worker-external', 'gateway', 'gateway-external'];

describe('the compose file', () => {
  it('gives every service an image or a build', () => {
    for (const [, service] of services) expect(service.image ?? service.build).toBeDefined();
  });

  it('depends only on services that exist, with a condition that they can meet', () => {
    for (const [, { depends_on: needs = {} }] of services) {
      for (const [name, { condition }] of Object.entries(needs)) {
        const needed = compose.services[name];
        expect(needed).toBeDefined();
        if (condition === 'service_healthy') expect(needed?.healthcheck).toBeDefined();
      }
    }
  });

  it('mounts only files that exist and volumes that are declared', () => {
    for (const [, { volumes = [] }] of services) {
      for (const source of volumes.map((volume) => volume.split(':')[0] ?? '')) {
        expect(source.startsWith('./') ? existsSync(`${root}${source}`) : source in compose.volumes).toBe(true);
      }
    }
  });

  it('gives every variable a default, and docs/configuration.md names it', () => {
    const variables = [...text.matchAll(/\$\{(\w+)(:-[^}]*)?\}/g)];
    expect(variables.length).toBeGreaterThan(10);
    for (const [, name = '', byDefault] of variables) {
      expect(byDefault).toBeDefined();
      // Temporal's own and those of OpenTelemetry are documented by them, and a file instead of a secret in one sentence.
      const secret = name.replace(/_FILE$/, '');
      const isTheirs = Object.hasOwn(TEMPORAL_VARIABLES, secret) || name.startsWith('OTEL_');
      if (!isTheirs) expect(configuration).toContain(`\`${secret}\``);
    }
  });

  it('gives workers and the gateway only variables that they know', () => {
    const known = [...configVariables.map(({ name }) => name), ...Object.keys(TEMPORAL_VARIABLES)];
    for (const name of OURS) {
      for (const variable of Object.keys(compose.services[name]?.environment ?? {}))
        if (!variable.startsWith('OTEL_')) expect(known).toContain(variable.replace(/_FILE$/, ''));
    }
  });

  it('configures the demo worker completely', () => {
    expect(loadConfig(environmentOf('worker-demo'))).toMatchObject({
      taskQueue: 'runbooks-demo',
    });
  });

  it('gives a worker more time to stop than it needs, with a margin for a longer POST', () => {
    const config = loadConfig(environmentOf('worker-demo'));
    const graceMs = Number.parseInt(compose.services['worker']?.stop_grace_period ?? '0', 10) * 1_000;
    expect(graceMs).toBeGreaterThan(endLimitMs(config) + 10_000);
  });

  it.each(OURS)('asks %s whether it is ready, at the port where that is served', (name) => {
    const port = environmentOf(name)['RUNBOOK_HEALTH_PORT'] ?? '';
    expect(port).toMatch(/^\d+$/);
    expect(compose.services[name]?.healthcheck?.test.join(' ')).toContain(`http://127.0.0.1:${port}/readyz`);
  });

  it.each(OURS)('passes the level and the form of the log to %s', (name) => {
    const given = { RUNBOOK_LOG_LEVEL: 'debug', RUNBOOK_LOG_FORMAT: 'text' };
    expect(environmentOf(name, given)).toMatchObject(given);
  });
});

describe('a Temporal elsewhere', () => {
  const cloud = { TEMPORAL_ADDRESS: 'a.b.tmprl.cloud:7233', TEMPORAL_NAMESPACE: 'a.b', TEMPORAL_API_KEY: 'the-key' };
  const project = { SERVICESTAGE_REGION: 'cn-north-4', HUAWEICLOUD_SDK_PROJECT_ID: 'b', SERVICESTAGE_TOKEN: 'c' };

  it('is reached with TLS and the key that the shell has', () => {
    const { temporal } = loadConfig(environmentOf('worker-external', { ...cloud, ...project }));
    expect(temporal).toMatchObject({ address: cloud.TEMPORAL_ADDRESS, namespace: 'a.b' });
    expect(temporal.connectionOptions.tls).toBeTruthy();
    expect(temporal.connectionOptions.apiKey).toBeDefined();
    expect(loadClientConfig(environmentOf('gateway-external', cloud)).temporal.namespace).toBe('a.b');
  });

  it('changes nothing for the processes that use the Temporal of the file', () => {
    for (const name of ['worker', 'worker-demo', 'gateway'])
      expect(environmentOf(name, cloud)).toMatchObject({
        TEMPORAL_ADDRESS: 'temporal:7233',
        TEMPORAL_NAMESPACE: 'default',
      });
    const { temporal } = loadConfig(environmentOf('worker', { ...cloud, ...project }));
    expect(temporal.connectionOptions.apiKey).toBeUndefined();
  });

  it('needs none of the services of the file', () => {
    for (const name of ['worker-external', 'gateway-external']) {
      expect(compose.services[name]).toMatchObject({ profiles: ['external'], depends_on: {} });
    }
  });
});

it('the folder of secrets is mounted, and nothing in it gets into image and repository', () => {
  for (const name of OURS)
    expect(compose.services[name]?.volumes).toContain('./deploy/secrets:/run/secrets/runbooks:ro');
  expect(read('.dockerignore')).toMatch(/^deploy\/secrets$/m);
  expect(read('deploy/secrets/.gitignore')).toMatch(/^\*$/m);
});

it('the alarms file of the gateway exists at the configured path, and its secrets stay out of image and repository', () => {
  const { environment, volumes } = compose.services['gateway'] ?? {};
  const [source, target] = (volumes?.[0] ?? '').split(':');
  const file = environment?.['RUNBOOK_ALARMS'] ?? '';
  expect(existsSync(`${root}${file.replace(target ?? '', source ?? '')}`)).toBe(true);
  for (const ignore of ['.gitignore', '.dockerignore']) expect(read(ignore)).toContain('deploy/gateway/secrets');
});

it('the notifications file of a worker can name the secrets that compose passes, which stay out of image and repository', async () => {
  const [file] = compose.services['worker']?.env_file ?? [];
  expect(file).toEqual({ path: './deploy/notifications/secrets.env', required: false });
  for (const ignore of ['.gitignore', '.dockerignore'])
    expect(read(ignore)).toContain('deploy/notifications/secrets.env');
  expect(operations).toContain('`deploy/notifications/secrets.env`');
  const example = await readWebhooks(`${root}deploy/notifications/example.yaml`, null);
  expect(example).toMatchObject({ webhooks: [{ name: 'ops' }] });
});

describe('runbooks and calendars of your own', () => {
  const ofImage: Record<string, string> = {};
  for (const [, name = '', value = ''] of (/^ENV (RUNBOOK_.*)$/m.exec(dockerfile)?.[1] ?? '').matchAll(/(\w+)=(\S+)/g))
    ofImage[name] = value;
  const mounted = (service: string, target: string | undefined) =>
    compose.services[service]?.volumes?.map((volume) => volume.split(':')).find(([, place]) => place === target);

  it.each([
    ['worker', 'RUNBOOK_DIR'],
    ['worker', 'RUNBOOK_CALENDARS'],
    ['worker-demo', 'RUNBOOK_DIR'],
    ['worker-demo', 'RUNBOOK_CALENDARS'],
    ['gateway', 'RUNBOOK_DIR'],
  ])('are mounted read-only into %s at the path of the image, %s', (service, variable) => {
    expect(configVariables.map(({ name }) => name)).toContain(variable);
    const [source = '', , mode] = mounted(service, ofImage[variable]) ?? [];
    expect(source).toMatch(/^\.\/deploy\//);
    expect(mode).toBe('ro');
    expect(operations).toContain(`\`${source.slice(2)}\``);
    // A variable of the service would override the path of the image.
    expect(compose.services[service]?.environment).not.toHaveProperty(variable);
  });

  it('have an empty folder in the image, so that a missing mount is not a problem', () => {
    for (const folder of Object.values(ofImage))
      expect(dockerfile).toMatch(new RegExp(`^RUN mkdir -p .*${folder}`, 'm'));
  });

  it('in the repository are valid, and name calendars of the repository', async () => {
    const calendars = calendarsIn([`${root}deploy/calendars`]);
    const { names, problems } = await calendars.list();
    expect(problems).toEqual([]);
    expect(names).not.toEqual([]);
    expect(await calendars.freezesBetween(names, 0, Date.now())).toEqual({ freezes: [], problems: [] });
    const found = await listRunbooks([`${root}deploy/runbooks`], names);
    expect(found.problems).toEqual([]);
    expect(found.runbooks.filter(({ builtIn }) => !builtIn)).not.toEqual([]);
  });
});

describe('the image', () => {
  it('copies only what exists', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, sources = '']) =>
      sources.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const source of copied) expect(existsSync(`${root}${source}`)).toBe(true);
  });

  it('runs what the build makes', () => {
    expect(dockerfile).toContain('"dist/worker.js"');
    expect(compose.services['simulator']?.command?.slice(0, 3)).toEqual(['node', 'dist/cli/main.js', 'simulator']);
  });
});
