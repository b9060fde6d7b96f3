/** What a worker logs of a run, at the most talkative level: each line has what it is about, and none has a secret. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { controlOf } from '../support/simulator.js';
import { newSeed, USUAL_MS } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const temporal = useTemporal();
let simulator: RunningSimulator;
beforeAll(async () => {
  simulator = await startSimulator({ world: 'empty', seed: newSeed(), switches: { durationsMs: USUAL_MS } });
});
afterAll(() => simulator.close());

type Line = Readonly<Record<string, unknown>>;

it('logs a run with its id, target, step and cloud job, and no secret', async () => {
  const { address, taskQueue } = temporal;
  const worker = await startWorkerProcess({ address, taskQueue, simulator, env: { RUNBOOK_LOG_LEVEL: 'trace' } });
  const texts: string[] = [];
  const ended = worker.nextLine((line) => {
    texts.push(line);
    return line.includes('"run ended"');
  });
  const given = {
    application: 'shop',
    component: 'checkout',
    name: 'prod-1',
    version: '1.4.1',
    replica: 2,
    snapshots: [],
  };
  await controlOf(simulator).createInstance(given);
  const runbooks = new RunbookClient({ client: temporal.client, taskQueue });
  const reason = 'a reason that is an argument';
  const { workflowId: runId } = await runbooks.start('restart', { targets: ['shop/checkout/prod-1'], reason });
  const report = await runbooks.result(runId);
  await ended;
  await worker.kill('SIGTERM');

  const lines = texts.map((text) => JSON.parse(text) as Line);
  for (const { level, time } of lines) {
    expect(level).toMatch(/^(?:trace|debug|info|warn|error)$/);
    expect(new Date(String(time)).toISOString()).toBe(time);
  }
  const all = texts.join('\n');
  for (const secret of ['taskToken', reason, simulator.secretKey, simulator.accessKey])
    expect(all).not.toContain(secret);

  const line = (msg: string, more: Line = {}) =>
    lines.find((each) => each['msg'] === msg && Object.entries(more).every(([name, value]) => each[name] === value));
  const target = 'shop/checkout/prod-1';
  const [step] = report.targets[0]?.steps ?? [];
  const ofStep = { runId, target, step: step?.id, cloudJobId: step?.cloudJobId };
  expect(line('run planned')).toMatchObject({ level: 'info', runId, targets: 1 });
  expect(line('cloud job accepted')).toMatchObject({ level: 'info', ...ofStep });
  expect(line('action done')).toMatchObject({ level: 'info', ...ofStep, result: 'succeeded' });
  expect(line('run ended')).toMatchObject({ level: 'info', runId, outcome: 'succeeded', workflowRunId: report.runId });
  // Lines of the SDK itself.
  expect(line('Activity completed', { activityType: 'performAction' })).toMatchObject(ofStep);
  expect(line('Activity completed', { activityType: 'makePlan' })).toMatchObject({ runId });
  expect(line('Workflow completed', { workflowType: 'targetRun' })).toMatchObject({ runId, target });
});
