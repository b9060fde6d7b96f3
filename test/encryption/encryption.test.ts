/** Runs with encrypted payloads, by the commands of an operator: everything works, and the server sees what docs/encryption.md lists. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { loadClientConfig } from '../../src/config/config.js';
import { dataConverterOf, loadCodec } from '../../src/config/data-converter.js';
import { startCodecServer } from '../../src/codec-server/codec-server.js';
import { findTemporalProgram } from '../../src/embedded/find-temporal.js';
import { Calls } from '../../src/temporal/calls.js';
import { runbook } from '../support/command-line.js';
import { newKey, useEncryption } from '../support/encrypted.js';
import { alertmanagerBody, deliver, restartRule, useGateway } from '../support/gateway.js';
import { plainPlaces } from '../support/plain-places.js';
import { CALM, useSchedules } from '../support/schedules.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const FIRST = newKey('2026-05');
const SECOND = newKey('2026-11');

const plain = useTemporal();
const encrypted = useEncryption(plain, FIRST);
const gatewayDesk = useGateway(plain);
const scheduleDesk = useSchedules(plain);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(encrypted.temporal);
});
afterAll(() => stack.close());

const asOperator = (...words: string[]) => runbook(words, encrypted.env);
const withKeys = async (...lines: string[]) => ({
  ...encrypted.env,
  RUNBOOK_ENCRYPTION_KEYS: await encrypted.keys(...lines),
});

/** All that the server has of some workflows, as it has it. */
async function rawOf(workflowIds: readonly string[]) {
  const { workflowService } = plain.client;
  const namespace = 'default';
  const ofOne = async (workflowId: string) => {
    const execution = { workflowId };
    const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution });
    const described = await workflowService.describeWorkflowExecution({ namespace, execution });
    const { executions } = await workflowService.listWorkflowExecutions({
      namespace,
      query: `WorkflowId = '${workflowId}'`,
    });
    return { history, described, listed: executions };
  };
  return Promise.all(workflowIds.map(ofOne));
}

describe.concurrent('an encrypted run', () => {
  it('is started, steered, watched, listed and reported as any other, and the server sees what the documentation lists', async () => {
    const { instanceId, path } = await stack.newInstance();
    const vendorText = 'vendor-text-7c1';
    await stack.control.outcome({
      ...{ instanceId, action: 'restart', durationMs: 2_000 },
      ...{ executionStatus: 'FAILED', messages: vendorText },
    });
    const id = `encrypted-${instanceId}`;
    const started = await asOperator('start', 'restart', '-t', path, '--id', id, '--reason', 'why-7c1');
    expect(started).toMatchObject({ exitCode: 0, stderr: '' });
    const why = ['--actor', 'ann-7c1', '--reason', 'steering-7c1'];
    expect(await asOperator('pause', id, ...why)).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await asOperator('ls', '--target', path)).stdout).toMatch(new RegExp(`running .* ${id} .* ${path}`));
    expect(await asOperator('resume', id, ...why)).toMatchObject({ exitCode: 0, stderr: '' });
    const watched = await asOperator('watch', id);
    const { stdout } = await asOperator('report', id);
    expect(watched.stdout).toContain('runs as cloud job');
    for (const text of ['why-7c1', 'pause by ann-7c1', 'steering-7c1', vendorText, path])
      expect(stdout).toContain(text);

    const raw = await rawOf([id, `runbook-target/${stack.simulator.projectId}/${instanceId}`]);
    const places = (text: string) => plainPlaces(raw, text);
    for (const hidden of ['why-7c1', 'steering-7c1', 'ann-7c1', '1.4.1', 'RUNNING', '"targets"'])
      expect(places(hidden), hidden).toEqual([]);
    expect(places(vendorText)).toEqual(FAILURES);
    expect(places(path)).toEqual([
      'described.workflowExecutionInfo.searchAttributes.indexedFields.RunbookTarget.data',
      'history.events.activityTaskScheduledEventAttributes.header.fields.runbook-origin.data',
      'history.events.upsertWorkflowSearchAttributesEventAttributes.searchAttributes.indexedFields.RunbookTarget.data',
      ...FAILURES.filter((place) => place.includes('workflowExecutionFailed')),
      'listed.searchAttributes.indexedFields.RunbookTarget.data',
    ]);
    // Headers, and what Temporal's core writes beside the result of a local activity: its name, its attempts, its times.
    expect(places('json/plain').filter((place) => !place.includes('searchAttributes'))).toEqual([
      'history.events.activityTaskScheduledEventAttributes.header.fields.runbook-origin.metadata.encoding',
      'history.events.markerRecordedEventAttributes.details.data.payloads.metadata.encoding',
    ]);
    expect(places('binary/encrypted').length).toBeGreaterThan(10);
  });

  it('shows the reason of an abort in its failure, which the documentation warns of', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', durationMs: 1_000 });
    const id = `encrypted-${instanceId}`;
    await asOperator('start', 'restart', '-t', path, '--id', id);
    await asOperator('abort', id, '--actor', 'ann-7c1', '--reason', 'abort-7c1');
    await asOperator('watch', id);
    expect(plainPlaces(await rawOf([id]), 'abort-7c1')).toEqual(FAILURES.slice(1));
    const page = readFileSync(new URL('../../docs/encryption.md', import.meta.url), 'utf8');
    expect(page).toContain('the reason of an abort');
  });

  it('cannot be read without its key, and the error names the key', async () => {
    const { path, instanceId } = await stack.newInstance();
    const id = `encrypted-${instanceId}`;
    await asOperator('start', 'restart', '-t', path, '--id', id, '--wait');
    const others = await withKeys(SECOND);
    const report = await runbook(['report', id], others);
    expect(report).toMatchObject({ exitCode: 1, stdout: '' });
    expect(report.stderr).toContain(
      'encrypted with the key "2026-05", which this process does not have (it has 2026-11)',
    );
    // A listing shows what it can read.
    const listed = await runbook(['ls', '--target', path], others);
    expect(listed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(id) as unknown });
    const { RUNBOOK_ENCRYPTION_KEYS: _none, ...without } = encrypted.env;
    expect((await runbook(['report', id], without)).stderr).toContain('set RUNBOOK_ENCRYPTION_KEYS');
  });

  it('of a gateway follows an alarm', async () => {
    const { path } = await stack.newInstance();
    const file = await gatewayDesk.file(gatewayDesk.newOwner(), { hung: restartRule() });
    const { client, taskQueue } = encrypted.temporal;
    const gateway = await gatewayDesk.start(file, undefined, { temporal: { calls: new Calls(client), taskQueue } });
    const labels = { alertname: 'InstanceHangs', instance: path.split('/')[2] ?? '' };
    const body = alertmanagerBody([{ labels, annotations: { summary: 'hangs-7c1' } }]);
    const { json } = await deliver(gateway.url, body);
    const run = json.decisions?.[0]?.run ?? '';
    expect((await asOperator('watch', run)).stdout).toContain('hangs-7c1');
    const history = await plain.client.workflow.getHandle(run).fetchHistory();
    expect(plainPlaces(history, 'hangs-7c1')).toEqual([]);
  });

  it('of a schedule is compared with its file through the codec', async () => {
    const owner = scheduleDesk.newOwner();
    const file = await scheduleDesk.file(owner, { nightly: { ...CALM, reason: 'nightly-7c1' } });
    expect(await asOperator('schedule', 'apply', file)).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await asOperator('schedule', 'diff', file, '--exit-code')).exitCode).toBe(0);
    const { workflowService } = plain.client;
    const described = await workflowService.describeSchedule({ namespace: 'default', scheduleId: `${owner}/nightly` });
    expect(plainPlaces(described, 'nightly-7c1')).toEqual([]);
    expect(plainPlaces(described, 'Europe/Berlin')).toEqual(['schedule.spec.timezoneName']);
  });
});

/** Where the message of a failure is. */
const FAILURES = [
  'history.events.activityTaskFailedEventAttributes.failure.message',
  'history.events.workflowExecutionFailedEventAttributes.failure.message',
  'history.events.workflowExecutionFailedEventAttributes.failure.stackTrace',
];

describe.concurrent('a change of keys', () => {
  it('leaves runs from before encryption and of the old key readable', async ({ onTestFinished }) => {
    const taskQueue = `${plain.taskQueue}-before`;
    const before = await startStack({ ...plain, client: plain.client, taskQueue }, { worker: { taskQueue } });
    onTestFinished(() => before.close());
    const { path } = await before.newInstance();
    const unencrypted = await before.start('restart', { targets: [path], requestedBy: 'bob', reason: 'long ago' });
    await before.report(unencrypted);
    const rotated = await withKeys(SECOND, FIRST);
    expect((await runbook(['report', unencrypted], rotated)).stdout).toContain('long ago');
    const { path: other, instanceId } = await stack.newInstance();
    const old = `encrypted-${instanceId}`;
    await asOperator('start', 'restart', '-t', other, '--id', old, '--wait', '--reason', 'last month');
    expect((await runbook(['report', old], rotated)).stdout).toContain('last month');
  });

  it('that reaches a worker late makes the run wait, not fail: the file is read again', async ({ onTestFinished }) => {
    const keysOfWorker = await encrypted.keys(FIRST);
    const source = loadClientConfig({ RUNBOOK_ENCRYPTION_KEYS: keysOfWorker }).codec;
    const taskQueue = `encrypted-${randomUUID()}`;
    // As in a worker: one codec for what it reads as a worker and as a client.
    const converter = await dataConverterOf(source, ({ text }) => console.warn(text));
    const { client } = await RunbookClient.connect({ address: plain.address, ...converter });
    const late = await startStack(
      { ...encrypted.temporal, client, taskQueue },
      { worker: { taskQueue, ...converter } },
    );
    onTestFinished(() => client.connection.close());
    onTestFinished(() => late.close());
    const { path, instanceId } = await late.newInstance();
    const early = { ...(await withKeys(SECOND, FIRST)), RUNBOOK_TASK_QUEUE: taskQueue };
    const id = `encrypted-${instanceId}`;
    await runbook(['start', 'restart', '-t', path, '--id', id], early);
    const failures = async () => {
      const { events } = await plain.client.workflow.getHandle(id).fetchHistory();
      return (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message ?? []);
    };
    await until(async () => (await failures()).some((why) => why.includes('encrypted with the key "2026-11"')));
    await copyFile(early.RUNBOOK_ENCRYPTION_KEYS ?? '', keysOfWorker);
    expect(await runbook(['watch', id], early)).toMatchObject({ exitCode: 0 });
    expect(await late.accepted(instanceId)).toEqual(['restart']);
  });
});

interface Started {
  readonly workflowExecutionStartedEventAttributes: {
    readonly input: { readonly payloads: { readonly data: string }[] };
  };
}

it('the temporal CLI shows an encrypted run through the codec server', async () => {
  const { path, instanceId } = await stack.newInstance();
  const id = `encrypted-${instanceId}`;
  await asOperator('start', 'restart', '-t', path, '--id', id, '--reason', 'shown-7c1', '--wait');
  const source = loadClientConfig(encrypted.env).codec;
  if (source === null) throw new Error('there is no codec');
  const token = randomUUID();
  const server = await startCodecServer({
    ...(await loadCodec(source, ({ text }) => console.warn(text))),
    ...{ host: '127.0.0.1', port: 0, origins: [], log: pino({ level: 'silent' }), access: { token: () => token } },
  });
  onTestFinished(() => server.close());
  const program = await findTemporalProgram({ env: process.env, say: console.error });
  const show = async (...words: string[]) => {
    const about = ['--address', plain.address, '--workflow-id', id, '--output', 'json'];
    const { stdout } = await promisify(execFile)(program, ['workflow', 'show', ...about, ...words], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const { events } = JSON.parse(stdout) as { events: Started[] };
    // Bytes are in base64, decrypted ones as well.
    return Buffer.from(events[0]?.workflowExecutionStartedEventAttributes.input.payloads[0]?.data ?? '', 'base64');
  };
  const isShown = async (...words: string[]) => (await show(...words)).includes('shown-7c1');
  const auth = ['--codec-auth', `Bearer ${token}`];
  expect(await isShown()).toBe(false);
  expect(await isShown('--codec-endpoint', server.url, ...auth)).toBe(true);
  expect(await isShown('--codec-endpoint', `${server.url}/{namespace}`, ...auth)).toBe(true);
  // The CLI asks again until its time is up, without the reason.
  await expect(show('--codec-endpoint', server.url, '--codec-auth', 'Bearer wrong')).rejects.toThrow('Command failed');
});
