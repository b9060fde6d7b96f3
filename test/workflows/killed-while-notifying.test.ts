/** A worker is killed while a webhook is being notified: the next worker sends the same message, with the same id. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Notification } from '../../src/domain/notifications/notification.js';
import { aProcessPlace, emptySimulator } from '../support/process-place.js';
import { startReceiver } from '../support/receiver.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

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
  const simulator = await emptySimulator();
  try {
    const { path, runbooks, startWorker, accepted } = await aProcessPlace(temporal, simulator, env);
    const first = await startWorker();
    const { workflowId } = await runbooks.start('restart', { targets: [path] });
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
    expect(await accepted()).toEqual(['restart']);
  } finally {
    await simulator.close();
  }
});
