/**
 * Alarms files, bodies and a gateway for tests: a unique owner, secrets in files, the gateway in this process or in its
 * own.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { stringify } from 'yaml';
import { afterAll, beforeAll } from 'vitest';
import { findRunbook } from '../../src/runbooks/catalogue.js';
import { Calls } from '../../src/temporal/calls.js';
import { alarmRuleId } from '../../src/domain/alarms/alarm.js';
import { startGateway, type GatewayOptions, type RunningGateway } from '../../src/gateway/gateway.js';
import { readAlarmsFile, type AlarmsConfig } from '../../src/gateway/alarms-file/read-alarms-file.js';
import { secretsBeside } from '../../src/gateway/alarms-file/sender-settings.js';
import { spawnCommand } from './command-line.js';
import type { TestTemporal } from './temporal.js';

export const TOKEN = 'a-token-of-this-test-0123456789';

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface GatewayDesk {
  readonly folder: string;
  readonly env: Record<string, string>;
  newOwner(): string;
  /** Writes rules for one Alertmanager, `prod`, unless the test names other senders. @returns the path of the file */
  file(owner: string, rules: Entries, senders?: Entries): Promise<string>;
  read(file: string): Promise<AlarmsConfig>;
  /** In this process, on a free port; closed at the end of the test file. */
  start(file: string, dry?: 'dry', options?: Partial<GatewayOptions>): Promise<RunningGateway>;
}

/** A rule that restarts the instance that an alarm names, without brakes unless a test adds them. */
export function restartRule(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    when: { alertname: 'InstanceHangs' },
    runbook: 'restart',
    target: 'shop/checkout/${{ labels.instance }}',
    within: ['shop/*/*'],
    coolDown: '0s',
    atOnce: 'unlimited',
    ...more,
  };
}

/** Call once at the top of a test file, after `useTemporal`. */
export function useGateway(temporal: TestTemporal): GatewayDesk {
  const owners: string[] = [];
  const gateways: RunningGateway[] = [];
  const env: Record<string, string> = {};
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbooks-gateway-'));
    await writeFile(join(folder, 'token'), `${TOKEN}\n`);
    Object.assign(env, { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue });
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()));
    // Rules never end by themselves.
    for (const owner of owners) {
      const prefix = alarmRuleId(owner, '');
      for await (const { workflowId } of temporal.client.workflow.list({
        query: `WorkflowId STARTS_WITH "${prefix}" AND ExecutionStatus = "Running"`,
      }))
        await temporal.client.workflow.getHandle(workflowId).terminate('the test is over');
    }
    await rm(folder, { recursive: true, force: true });
  });
  const read = async (file: string) => {
    const alarms = await readAlarmsFile(file, {
      findRunbook: (name) => findRunbook([], name),
      readSecret: secretsBeside(folder),
    });
    if (Array.isArray(alarms)) throw new Error(JSON.stringify(alarms, null, 2));
    return alarms;
  };
  return {
    get folder() {
      return folder;
    },
    env,
    newOwner: () => {
      const owner = `test-${randomUUID().slice(0, 8)}`;
      owners.push(owner);
      return owner;
    },
    file: async (owner, rules, senders = { prod: { kind: 'alertmanager', tokenFiles: ['token'] } }) => {
      const path = join(folder, `${randomUUID()}.yaml`);
      await writeFile(path, stringify({ owner, senders, rules }, { aliasDuplicateObjects: false }));
      return path;
    },
    read,
    start: async (file, dry, options = {}) => {
      const gateway = await startGateway({
        alarms: await read(file),
        host: '127.0.0.1',
        port: 0,
        temporal: dry === 'dry' ? null : { calls: new Calls(temporal.client), taskQueue: temporal.taskQueue },
        log: pino({ level: 'silent' }),
        ...options,
      });
      gateways.push(gateway);
      return gateway;
    },
  };
}

export interface GatewayProcess {
  readonly url: string;
  readonly lines: readonly string[];
  /** @returns its exit code; `null` when the signal ended it */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts the built command in its own process. */
export async function startGatewayProcess(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<GatewayProcess> {
  const child = spawnCommand(['gateway', '--port', '0', '--json', ...words], env);
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const ended = once(child, 'exit').then(([exitCode]) => {
    process.removeListener('exit', onExit);
    return exitCode as number | null;
  });
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null)
        createInterface({ input: stream }).on('line', (line) => {
          lines.push(line);
          if (lines.length === 1 && line.startsWith('{')) resolve((JSON.parse(line) as { url: string }).url);
        });
    void ended.then(() => reject(new Error(`The gateway did not come up:\n${lines.join('\n')}`)));
  });
  return {
    url,
    lines,
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

export interface FiredAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly status?: 'firing' | 'resolved';
  readonly startsAt?: string;
  readonly endsAt?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const LONG_AGO = '2026-01-02T03:04:05.678Z';

/** As Alertmanager writes it. */
export function alertmanagerBody(alerts: readonly FiredAlert[]): string {
  return `${JSON.stringify({
    version: '4',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
    status: alerts.some(({ status = 'firing' }) => status === 'firing') ? 'firing' : 'resolved',
    receiver: 'runbook\\.gateway',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example:9093',
    alerts: alerts.map(({ labels, status = 'firing', startsAt = LONG_AGO, endsAt, annotations = {} }) => ({
      status,
      labels,
      annotations,
      startsAt,
      endsAt: endsAt ?? (status === 'firing' ? '0001-01-01T00:00:00Z' : new Date(Date.now() - 1_000).toISOString()),
      generatorURL: 'http://prometheus.example:9090/graph',
      fingerprint: createHash('sha256').update(JSON.stringify(labels)).digest('hex').slice(0, 16),
    })),
  })}\n`;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly json: {
    readonly error?: string;
    readonly message?: string;
    readonly decisions?: readonly {
      readonly alarm: string;
      readonly rule: string | null;
      readonly decision: string;
      readonly why: string;
      readonly run: string | null;
    }[];
  };
}

/** Sends one POST as Alertmanager does, with the right token unless another is given. */
export async function deliver(url: string, body: string | Buffer, token = TOKEN, sender = 'prod'): Promise<Answered> {
  const answer = await fetch(`${url}/alarms/${sender}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: JSON.parse(text) as Answered['json'] };
}
