/**
 * A worker and a gateway that get SIGTERM while their calls to Temporal are in flight exit with 0 and log no error.
 * `bench/stop-under-load.mjs` does it more often.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { startSimulator } from '../../src/simulator/server.js';
import { BreakableLink } from '../chaos/link.js';
import { alertmanagerBody, deliver, restartRule, startGatewayProcess, useGateway } from '../support/gateway.js';
import { controlOf } from '../support/simulator.js';
import { newSeed, USUAL_MS } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
const RUNS = 8;
/** What Node, gRPC and the SDK print about an error that was not caught. */
const ERROR = /Channel has been shut down|Unhandled|Uncaught|node:internal|^\s+at |MaxListeners/m;

it.each([
  ['answers', false],
  ['is out of reach', true],
])('when Temporal %s', async (how, isUnreachable) => {
  const simulator = await startSimulator({
    world: 'empty',
    seed: newSeed(),
    switches: { durationsMs: USUAL_MS },
  });
  const link = await BreakableLink.open(Number(temporal.address.split(':')[1]));
  onTestFinished(async () => {
    await link.close();
    await simulator.close();
  });
  const control = controlOf(simulator);
  const address = `127.0.0.1:${link.port}`;
  const taskQueue = `${temporal.taskQueue}-stop-${isUnreachable ? 'unreachable' : 'reachable'}`;
  const place = { address, taskQueue, simulator };
  const worker = await startWorkerProcess(place);
  const file = await desk.file(desk.newOwner(), { hung: restartRule() });
  const gateway = await startGatewayProcess(['--file', file], {
    TEMPORAL_ADDRESS: address,
    RUNBOOK_TASK_QUEUE: taskQueue,
  });
  const names = Array.from({ length: 2 * RUNS }, (_, index) => `${how.replaceAll(' ', '-')}-${index}`);
  for (const name of names)
    await control.createInstance({ application: 'shop', component: 'checkout', name, replica: 2, version: '2' });
  const runbooks = new RunbookClient({ client: temporal.client, taskQueue });
  const started = await Promise.all(
    names.slice(RUNS).map((name) => runbooks.start('restart', { targets: [`shop/checkout/${name}`] })),
  );
  const deliveries = names
    .slice(0, RUNS)
    .map((instance) =>
      deliver(gateway.url, alertmanagerBody([{ labels: { alertname: 'InstanceHangs', instance } }])).catch(() => null),
    );
  // In the middle: some have been sent, others have not.
  while ((await control.accepted()).length === 0) await delay(10);
  if (isUnreachable) link.cut();
  const exitCodes = await Promise.all([worker.kill('SIGTERM').then(() => worker.ended), gateway.kill('SIGTERM')]);
  expect(exitCodes, `${how}\n${worker.lastWords()}`).toEqual([0, 0]);
  expect(worker.lastWords()).not.toMatch(ERROR);
  expect(gateway.lines.join('\n')).not.toMatch(ERROR);
  await Promise.all(deliveries);
  for (const { workflowId } of started)
    await temporal.client.workflow.getHandle(workflowId).terminate('the test is over');
});
