/** A command while no worker runs: the server keeps it for the next one, and the caller waits for the answer. */
import { expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { NoWorkerAnswers } from '../../src/temporal/errors.js';
import { startStack, stopWorker } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();

it('is carried out once by the worker that comes', async () => {
  // The worker of the stack polls another queue: the one of the run is stopped and replaced here.
  const stack = await startStack(temporal, { worker: { taskQueue: `${temporal.taskQueue}-unused` } });
  const activities = { ...stack.activities };
  try {
    const first = await temporal.worker({ activities });
    const firstRunning = first.run();
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale', { targets: [path], inputs: { replica: 4 } });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await stopWorker(first, firstRunning);

    const runbooks = new RunbookClient({ client: temporal.client, callTimeoutMs: 2_000 });
    const by = { actor: 'ann', reason: 'a test', key: 'k' };
    await expect(runbooks.pause(workflowId, { ...by, patienceMs: 0 })).rejects.toThrow(NoWorkerAnswers);
    const paused = runbooks.pause(workflowId, by);
    const second = await temporal.worker({ activities });
    const secondRunning = second.run();
    expect(await paused).toMatchObject({ command: 'pause', state: 'pausing' });
    await stack.control.finish(instanceId);
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    expect(report.commands).toMatchObject([{ command: 'pause', key: 'k' }]);
    await stopWorker(second, secondRunning);
  } finally {
    await stack.close();
  }
});
