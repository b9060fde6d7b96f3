/** `runbook doctor` against a Temporal server and the simulator: an installation that is well, and the finding for each illness. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPollers } from '../../src/client/run-facts.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { runbook } from '../support/command-line.js';
import { startGrpcProxy } from '../support/grpc-proxy.js';
import { controlOf } from '../support/simulator.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

const temporal = useTemporal();
let stack: Stack;
let simulator: RunningSimulator;
let folder: string;
beforeAll(async () => {
  stack = await startStack(temporal);
  simulator = await startSimulator();
  folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  // The worker's first poll may take a moment.
  await until(async () => (await readPollers(temporal.client, temporal.taskQueue)).length > 0);
});
afterAll(async () => {
  await stack.close();
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
});

/** The environment of a worker that is set up well. */
function well(running = simulator): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: temporal.address,
    RUNBOOK_TASK_QUEUE: temporal.taskQueue,
    SERVICESTAGE_ENDPOINT: running.url,
    HUAWEICLOUD_SDK_PROJECT_ID: running.projectId,
    HUAWEICLOUD_SDK_IAM_ENDPOINT: running.url,
    HUAWEICLOUD_SDK_AK: running.accessKey,
    HUAWEICLOUD_SDK_SK: running.secretKey,
  };
}

interface Line {
  readonly check: string;
  readonly verdict: string;
  readonly found: string;
}

async function doctor(env: Record<string, string>, words: readonly string[] = []) {
  const { stdout, stderr, exitCode } = await runbook(['doctor', '--json', '--timeout', '3', ...words], env);
  if (stdout === '') throw new Error(stderr);
  const { healthy, checks } = JSON.parse(stdout) as { healthy: boolean; checks: readonly Line[] };
  const of = (verdict: string) => checks.filter((line) => line.verdict === verdict).map(({ check }) => check);
  const found = (check: string) => checks.find((line) => line.check === check)?.found;
  return { exitCode, healthy, failed: of('fail'), warned: of('warn'), notChecked: of('notChecked'), found, checks };
}

it('an installation that is well', async () => {
  const { exitCode, healthy, failed, warned, notChecked, found } = await doctor(well());
  expect({ exitCode, healthy, failed }).toEqual({ exitCode: 0, healthy: true, failed: [] });
  // A dev server keeps closed runs for a day.
  expect(warned.filter((check) => check !== 'temporal retention')).toEqual([]);
  expect(notChecked).toEqual(['servicestage acting', 'calendars', 'alarms file', 'notifications file', 'named files']);
  expect(found('servicestage reading')).toContain('shop/checkout/');
  // Nothing was sent: not even to find out what may be.
  expect(await controlOf(simulator).accepted()).toEqual([]);
});

it('every file that is named, with its secrets', async () => {
  await writeFile(join(folder, 'bad.yaml'), 'title: no steps\n');
  await writeFile(join(folder, 'notify.yaml'), 'webhooks:\n  ops: { kind: slack, urlEnv: RUNBOOK_NOTIFY_OPS }\n');
  const env = { ...well(), RUNBOOK_DIR: folder, RUNBOOK_NOTIFICATIONS: join(folder, 'notify.yaml') };
  const { exitCode, failed, found } = await doctor(env, [join(folder, 'nowhere.yaml')]);
  expect(exitCode).toBe(1);
  expect(failed).toEqual(['runbooks', 'notifications file', 'named files']);
  expect(found('notifications file')).toContain('RUNBOOK_NOTIFY_OPS is not set');
});

describe('Temporal', () => {
  it('a namespace that does not exist, and a task queue that no worker polls', async () => {
    const other = await doctor({ ...well(), TEMPORAL_NAMESPACE: 'nowhere' });
    expect(other.failed).toEqual(['temporal namespace']);
    const alone = await doctor(well(), ['--task-queue', `${temporal.taskQueue}-unpolled`]);
    expect(alone.failed).toEqual(['workers']);
  });

  it('credentials that may only read, and credentials that are refused', async () => {
    const onlyReads = await startGrpcProxy(temporal.address, (method) =>
      /^(?:Start|Signal|Update|RequestCancel)/.test(method) ? PERMISSION_DENIED : null,
    );
    const refuses = await startGrpcProxy(temporal.address, () => UNAUTHENTICATED);
    const reader = await doctor({ ...well(), TEMPORAL_ADDRESS: onlyReads.address });
    expect(reader.failed).toEqual(['temporal rights']);
    expect(reader.found('temporal rights')).toContain(
      'may not start runs, steer runs, start, approve and steer runs, cancel runs',
    );
    const stranger = await doctor({ ...well(), TEMPORAL_ADDRESS: refuses.address });
    expect(stranger.failed).toEqual(['temporal server']);
    expect(stranger.found('temporal server')).toContain('refuses the credentials');
    await Promise.all([onlyReads.close(), refuses.close()]);
  });

  it('no server there: the rest is checked all the same', async () => {
    const { failed, exitCode, found } = await doctor({ ...well(), TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect({ failed, exitCode }).toEqual({ failed: ['temporal server'], exitCode: 1 });
    expect(found('servicestage credentials')).toContain('taken');
  });
});

describe('ServiceStage', () => {
  it('a wrong secret key, another project, no server there', async () => {
    const wrong = await doctor({ ...well(), HUAWEICLOUD_SDK_SK: 'another' });
    expect(wrong.failed).toEqual(['servicestage credentials']);
    expect(wrong.found('servicestage project')).toContain('the credentials were refused');
    expect(wrong.checks.map(({ found }) => found).join()).not.toContain('another');
    const fresh = await startSimulator();
    const project = await doctor({ ...well(fresh), HUAWEICLOUD_SDK_PROJECT_ID: 'p2' });
    expect(project.failed).toEqual(['servicestage project']);
    await fresh.close();
    const unreachable = await doctor(well(fresh));
    expect(unreachable.failed).toEqual(['servicestage endpoint']);
  });

  it('a clock that is off, and an agency that is missing', async () => {
    const other = await startSimulator({ switches: { agency: false } });
    await controlOf(other).time({ advanceMs: 5 * 60_000 });
    const late = await doctor(well(other));
    expect({ failed: late.failed, warned: late.warned }).toMatchObject({
      failed: [],
      warned: expect.arrayContaining(['clock']) as unknown,
    });
    const { HUAWEICLOUD_SDK_AK: _ak, HUAWEICLOUD_SDK_SK: _sk, ...rest } = well(other);
    const agency = await doctor({
      ...rest,
      SERVICESTAGE_CREDENTIALS: 'ecsAgency',
      SERVICESTAGE_METADATA_ENDPOINT: other.url,
    });
    expect(agency.failed).toContain('servicestage credentials');
    expect(agency.found('servicestage credentials')).toContain('agency');
    await other.close();
  });
});

it('a configuration with problems: what can be asked without it is asked, and the exit code is 2', async () => {
  const { HUAWEICLOUD_SDK_SK: _sk, ...rest } = well();
  const { exitCode, failed, notChecked, found } = await doctor(rest);
  expect({ exitCode, failed }).toEqual({ exitCode: 2, failed: ['configuration'] });
  expect(found('configuration')).toContain('HUAWEICLOUD_SDK_SK');
  expect(found('temporal server')).toContain('version');
  expect(notChecked).toContain('servicestage endpoint');
});

it('people get a table with what to do', async () => {
  const { stdout } = await runbook(['doctor', '--task-queue', 'unpolled'], well());
  expect(stdout).toMatch(/^ok {4}configuration /);
  expect(stdout).toMatch(/\nFAIL {2}workers [^\n]*\n +→ Start a worker/);
});
