/** A worker is killed while a webhook is being notified: the next worker sends the same message, with the same id. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import type { Notification } from '../../src/domain/notifications/notification.js';
import { startSimulator } from '../../src/simulator/server.js';
import { startReceiver } from '../support/receiver.js';
import { controlOf } from '../support/simulator.js';
import { newSeed } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { startWorkerProcess } from '../support/worker-process.js';

const temporal = useTemporal();

it('a worker that is killed while it notifies is replaced, and the id stays the same', async () => {
  const receiver = await startReceiver((response, count) => {
    if (count > 1) response.end();
  });
  const file = join(await mkdtemp(join(tmpdir(), 'notify-')), 'notifications.yaml');
  await writeFile(
    file,
    `webhooks:\n  ops: { kind: webhook, url: "${receiver.origin}/ops", allowHttp: true, secretEnvs: [RUNBOOK_NOTIFY_KEY], on: [done] }\n`,
  );
  const env = {
    RUNBOOK_NOTIFICATIONS: file,
    RUNBOOK_NOTIFY_KEY: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  };
  const simulator = await startSimulator({ world: 'empty', seed: newSeed() });
  try {
    const control = controlOf(simulator);
    const name = `n-${newSeed()}`;
    const { instanceId } = await control.createInstance({
      application: 'a',
      component: 'c',
      name,
      replica: 2,
      version: '2',
    });
    const taskQueue = `${temporal.taskQueue}-${name}`;
    const startWorker = () => startWorkerProcess({ address: temporal.address, taskQueue, simulator, env });
    const runbooks = new RunbookClient({ client: temporal.client, taskQueue });
    const first = await startWorker();
    const { workflowId } = await runbooks.start('restart', { targets: [`a/c/${name}`] });
    await until(() => receiver.received.length === 1);
    await first.kill('SIGKILL');
    const second = await startWorker();
    const report = await runbooks.result(workflowId);
    await second.kill('SIGTERM');
    expect(report).toMatchObject({
      outcome: 'succeeded',
      notifications: [{ event: 'done', webhook: 'ops', result: 'delivered' }],
    });
    const [before, after, ...others] = receiver.received;
    expect(others).toEqual([]);
    expect(after?.headers['webhook-id']).toBe(before?.headers['webhook-id']);
    const dataOf = (body = '{}') => (JSON.parse(body) as { data?: Notification }).data;
    expect(dataOf(after?.body)).toEqual(dataOf(before?.body));
    expect((await control.accepted(instanceId)).map(({ action }) => action)).toEqual(['restart']);
  } finally {
    await simulator.close();
  }
});
