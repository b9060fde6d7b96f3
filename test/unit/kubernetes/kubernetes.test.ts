/**
 * Checks deploy/kubernetes without a cluster and without Kustomize: every object against Kubernetes' schemas, every reference, every variable, and
 * the numbers that depend on the worker. `kubectl kustomize` is run by hand (docs/deploy.md).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { calendarsIn } from '../../../src/calendars/calendars.js';
import { loadClientConfig, loadConfig } from '../../../src/config/config.js';
import { TEMPORAL_VARIABLES } from '../../../src/config/temporal-variables.js';
import { configVariables } from '../../../src/config/variables.js';
import { workerSizes } from '../../../src/config/worker-sizes.js';
import { readWebhooks } from '../../../src/notifications/read-webhooks.js';
import { listRunbooks } from '../../../src/runbooks/catalogue.js';
import { endLimitMs } from '../../../src/worker/worker-options.js';
import {
  Deployment,
  kubernetes,
  kustomizationOf,
  manifestsOf,
  partsOf,
  problemsOf,
  type Manifest,
} from './manifests.js';

const FOLDERS = ['base', 'gateway', 'keda', 'example'];
const manifests = FOLDERS.flatMap(manifestsOf);
const ofKind = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
const generated = partsOf('example').flatMap((folder) =>
  kustomizationOf(folder).configMapGenerator.map((generator) => ({ folder, ...generator })),
);
const deployments = ofKind('Deployment').map((manifest) => {
  const { replicas, template, selector } = Deployment.parse(manifest).spec;
  const [container] = template.spec.containers;
  return { name: manifest.metadata.name, replicas, template, selector, pod: template.spec, container };
});
const [worker, gateway] = deployments;

/** The variables that an overlay's pod gets, as a shell would read them. */
function environmentOf(name: string): Record<string, string> {
  const deployment = deployments.find((each) => each.name === name);
  const maps = deployment?.container.envFrom.map(({ configMapRef }) => configMapRef.name) ?? [];
  const lines = generated
    .filter((generator) => maps.includes(generator.name))
    .flatMap(({ folder, literals, envs }) => [
      ...literals,
      ...envs.flatMap((file) => readFileSync(join(kubernetes, folder, file), 'utf8').split('\n')),
    ])
    .filter((line) => /^\w+=/.test(line));
  const own = deployment?.container.env.map((variable): [string, string] => [variable.name, variable.value]) ?? [];
  return Object.fromEntries([...lines.map((line) => line.split(/=(.*)/s).slice(0, 2)), ...own]) as Record<
    string,
    string
  >;
}

/** What the Secrets of the example hold, where it matters to who reads it. */
const SECRETS: Readonly<Record<string, string>> = {
  'encryption-keys': `2026-11 ${randomBytes(32).toString('base64')}`,
  'ops-webhook': 'https://hooks.example.com/ops',
};

/** The environment with its secrets in files that exist. They are deleted after the test. */
function withSecrets(environment: Readonly<Record<string, string>>): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const entries = Object.entries(environment).map(([name, value]) => {
    if (!value.startsWith('/run/secrets/')) return [name, value];
    const file = join(folder, basename(value));
    writeFileSync(file, SECRETS[basename(value)] ?? 'abcdefghijklmnopqrst');
    return [name, file];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

describe('the manifests', () => {
  it('are valid for Kubernetes, where it has the kind itself', () => {
    const checked = manifests.map((manifest) => ({ file: manifest.file, problems: problemsOf(manifest) }));
    expect(checked.filter(({ problems }) => problems !== null && problems.length > 0)).toEqual([]);
    expect(checked.filter(({ problems }) => problems === null).map(({ file }) => file)).toEqual([
      'keda/scaling.yaml',
      'keda/scaling.yaml',
    ]);
  });

  it.each([
    ['a field that does not exist', { spec: { ...(ofKind('Service')[0]?.['spec'] as object), portz: [] } }],
    ['a value of another type', { spec: { ports: [{ port: 'http' }] } }],
    ['a missing field', { spec: { ports: [{ name: 'http' }] } }],
  ])('would not be with %s', (_what, change) => {
    expect(problemsOf({ ...(ofKind('Service')[0] as Manifest), ...change })).not.toEqual([]);
  });

  it('are all reached from the example, and what it names exists', () => {
    expect(new Set(partsOf('example'))).toEqual(new Set(FOLDERS));
    for (const { folder, files, envs } of generated)
      for (const file of [...files, ...envs]) expect(existsSync(join(kubernetes, folder, file))).toBe(true);
  });

  it('select the pods that they are meant for', () => {
    for (const { name, selector, template } of deployments) {
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
      const selected = { matchLabels: selector.matchLabels };
      for (const [kind, field] of [
        ['PodDisruptionBudget', 'selector'],
        ['NetworkPolicy', 'podSelector'],
      ] as const)
        expect(ofKind(kind).find(({ metadata }) => metadata.name === name)?.['spec']).toMatchObject({
          [field]: selected,
        });
    }
    expect(ofKind('Service')[0]?.['spec']).toMatchObject({ selector: gateway?.selector.matchLabels });
  });

  it('name only ConfigMaps that an overlay makes, by names that Kustomize follows', () => {
    const made = new Set(generated.map(({ name }) => name));
    for (const { pod, container } of deployments) {
      const mounted = pod.volumes.flatMap(({ configMap, projected }) => [
        configMap?.name,
        ...(projected?.sources.map((source) => source.configMap?.name) ?? []),
      ]);
      const wanted = [...mounted, ...container.envFrom.map(({ configMapRef }) => configMapRef.name)];
      expect(wanted.filter((name) => name !== undefined && !made.has(name))).toEqual([]);
    }
  });
});

describe.each(deployments)('the pods of $name', ({ name, replicas, pod, container }) => {
  it('run as a user, on a file system that they cannot change, without a token of Kubernetes', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const { mountPath, readOnly } of container.volumeMounts) expect(readOnly).toBe(mountPath !== '/tmp');
  });

  it('get no variables of Services beside those of the configuration', () => {
    expect(pod.enableServiceLinks).toBe(false);
  });

  it('mount what they declare', () => {
    expect(container.volumeMounts.map((mount) => mount.name).toSorted()).toEqual(
      pod.volumes.map((volume) => volume.name).toSorted(),
    );
  });

  it('are asked for their health at the port of the configuration', () => {
    const health = container.ports.find((port) => port.name === 'health')?.containerPort;
    expect(environmentOf(name)['RUNBOOK_HEALTH_PORT']).toBe(String(health));
    const { livenessProbe, readinessProbe } = container;
    expect(livenessProbe.httpGet).toEqual({ path: '/livez', port: 'health' });
    expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'health' });
  });

  it('are more than one, and run what the build makes', () => {
    expect(replicas).toBeGreaterThan(1);
    const script = container.command.find((word) => word.startsWith('dist/')) ?? '';
    expect(script).toBe(name === 'worker' ? 'dist/worker.js' : 'dist/cli/main.js');
  });

  it('get only variables that they know, and secrets only as files of Secrets that they mount', () => {
    const secrets = new Set([
      ...configVariables.filter(({ secret }) => secret).map((variable) => variable.name),
      'TEMPORAL_API_KEY',
    ]);
    const known = new Set([...configVariables.map((variable) => variable.name), ...Object.keys(TEMPORAL_VARIABLES)]);
    const mounts = container.volumeMounts.filter((mount) => mount.mountPath.startsWith('/run/secrets/'));
    for (const [variable, value] of Object.entries(environmentOf(name))) {
      expect(secrets).not.toContain(variable);
      const bare = variable.replace(/_FILE$/, '');
      if (!bare.startsWith('RUNBOOK_NOTIFY_')) expect(known).toContain(bare);
      if (value.startsWith('/run/secrets/'))
        expect(mounts.filter(({ mountPath }) => value.startsWith(`${mountPath}/`))).toHaveLength(1);
    }
  });
});

describe('the worker', () => {
  it('is configured completely by the example', () => {
    const { temporal, serviceStage } = loadConfig(withSecrets(environmentOf('worker')));
    expect(temporal).toMatchObject({
      namespace: 'example.a1b2c',
      connectionOptions: { apiKey: expect.anything() as unknown },
    });
    expect(temporal.connectionOptions.tls).toBeTruthy();
    expect(serviceStage).toMatchObject({ credentials: { kind: 'keyFiles' } });
  });

  it('has the time to stop that it needs, with a margin for a longer POST', () => {
    const config = loadConfig({
      SERVICESTAGE_REGION: 'cn-north-4',
      HUAWEICLOUD_SDK_PROJECT_ID: 'b',
      SERVICESTAGE_TOKEN: 'c',
    });
    const graceMs = (worker?.pod.terminationGracePeriodSeconds ?? 0) * 1_000;
    expect(graceMs).toBeGreaterThan(endLimitMs(config) + 10_000);
  });

  it('has the memory and the heap of docs/performance.md, and so the sizes', () => {
    const memory = /^(\d+)Gi$/.exec(worker?.container.resources.limits.memory ?? '')?.[1];
    const heap = /^--max-old-space-size=(\d+)$/.exec(worker?.container.command[1] ?? '')?.[1];
    const sizes = { totalBytes: Number(memory) * 2 ** 30, heapLimitBytes: Number(heap) * 2 ** 20 };
    const { cachedWorkflows, activitySlots } = workerSizes(sizes, {});
    const row = [
      `${memory} GB`,
      `${heap} MB`,
      ...[cachedWorkflows, activitySlots].map((count) => count.toLocaleString('en')),
    ];
    const page = readFileSync(join(kubernetes, '../../docs/performance.md'), 'utf8').replaceAll(/ +/g, ' ');
    expect(page).toContain(`| ${row.join(' | ')} |`);
  });

  it('finds runbooks, calendars and webhooks where the image and the example say', async () => {
    const image = readFileSync(join(kubernetes, '../../Dockerfile'), 'utf8');
    const mounted = worker?.container.volumeMounts.map(({ mountPath }) => mountPath);
    for (const [, path] of image.matchAll(/RUNBOOK_(?:DIR|CALENDARS)=(\S+)/g)) expect(mounted).toContain(path);
    expect(environmentOf('worker')['RUNBOOK_NOTIFICATIONS']).toBe('/srv/notifications/notifications.yaml');
    const files = join(kubernetes, 'example');
    const calendars = await calendarsIn([join(files, 'calendars')]).list();
    expect(calendars).toMatchObject({ names: ['prod-freeze'], problems: [] });
    expect((await listRunbooks([join(files, 'runbooks')], calendars.names)).problems).toEqual([]);
    expect(await readWebhooks(join(files, 'notifications/notifications.yaml'), null)).toMatchObject({
      webhooks: [{ name: 'ops' }],
    });
  });
});

describe('the gateway', () => {
  it('is configured by what it shares with the worker', () => {
    expect(loadClientConfig(withSecrets(environmentOf('gateway')))).toMatchObject({ taskQueue: 'runbooks-example' });
  });

  it('finds its alarms file, and beside it the tokens that the file names', () => {
    const { RUNBOOK_ALARMS: path = '' } = environmentOf('gateway');
    const volume = gateway?.pod.volumes.find(({ name }) => name === 'alarms')?.projected;
    expect(path).toBe('/etc/runbooks/alarms.yaml');
    expect(gateway?.container.volumeMounts).toContainEqual({
      name: 'alarms',
      mountPath: '/etc/runbooks',
      readOnly: true,
    });
    const alarms = z
      .looseObject({ senders: z.record(z.string(), z.looseObject({ tokenFiles: z.array(z.string()) })) })
      .parse(parse(readFileSync(join(kubernetes, 'example/alarms/alarms.yaml'), 'utf8')));
    const named = Object.values(alarms.senders).flatMap(({ tokenFiles }) => tokenFiles);
    expect(volume?.sources.flatMap(({ secret }) => secret?.items ?? []).map((item) => item.path)).toEqual(named);
  });

  it('gets no credentials of ServiceStage', () => {
    const names = Object.keys(environmentOf('gateway'));
    expect(names.filter((name) => /^(SERVICESTAGE|HUAWEICLOUD|RUNBOOK_NOTIFY)_/.test(name))).toEqual([]);
    expect(gateway?.pod.volumes.map(({ secret }) => secret?.secretName)).not.toContain('worker-access');
  });
});

/** The fields of pkg/scalers/temporal_scaler.go of KEDA 2.18 to 2.22, and of its ScaledObject as far as they are in use here. */
const Scaling = z.strictObject({
  scaleTargetRef: z.strictObject({ name: z.literal('worker') }),
  minReplicaCount: z.int().min(2),
  maxReplicaCount: z.int(),
  pollingInterval: z.int(),
  cooldownPeriod: z.int(),
  advanced: z.strictObject({ horizontalPodAutoscalerConfig: z.looseObject({}) }),
  triggers: z.tuple([
    z.strictObject({
      type: z.literal('temporal'),
      metadata: z.strictObject({
        endpointFromEnv: z.string(),
        namespaceFromEnv: z.string(),
        taskQueueFromEnv: z.string(),
        queueTypes: z.literal('activity,workflow'),
        targetQueueSize: z.string().regex(/^\d+$/),
      }),
      authenticationRef: z.strictObject({ name: z.literal('temporal') }),
    }),
  ]),
});

describe('the scaling by KEDA', () => {
  it('asks the task queue of the worker', () => {
    const { metadata } = Scaling.parse(ofKind('ScaledObject')[0]?.['spec']).triggers[0];
    const names = [metadata.endpointFromEnv, metadata.namespaceFromEnv, metadata.taskQueueFromEnv];
    expect(names).toEqual(['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'RUNBOOK_TASK_QUEUE']);
    for (const name of names) expect(environmentOf('worker')[name]).toMatch(/./);
  });

  it('proves itself with the key of the worker', () => {
    const { name, key } = z
      .strictObject({
        secretTargetRef: z.tuple([
          z.strictObject({ parameter: z.literal('apiKey'), name: z.literal('temporal-access'), key: z.string() }),
        ]),
      })
      .parse(ofKind('TriggerAuthentication')[0]?.['spec']).secretTargetRef[0];
    expect(worker?.pod.volumes.map(({ secret }) => secret?.secretName)).toContain(name);
    expect(environmentOf('worker')['TEMPORAL_API_KEY_FILE']).toBe(`/run/secrets/temporal/${key}`);
  });
});
