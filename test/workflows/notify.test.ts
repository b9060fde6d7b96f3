/** The activity `notify` on a real server: tried again until delivered, never twice to one that was notified, and never a failure of the workflow. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { notify } from '../../src/activities/notify.js';
import type { Activities } from '../../src/domain/contract.js';
import { NOTIFY_LIMITS, type Delivery } from '../../src/domain/notifications/delivery.js';
import { ConfigurationError } from '../../src/config/environment.js';
import { loadConfig } from '../../src/config/config.js';
import { createNotifier } from '../../src/notifications/notifier.js';
import { runWorker } from '../../src/worker.js';
import { FACTS, webhook } from '../notifications/webhooks.js';
import { always, startReceiver, type Answer, type Receiver } from '../support/receiver.js';
import { stopWorker } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { untilFound } from '../support/until.js';

const temporal = useTemporal();
let workflowBundle: Awaited<ReturnType<typeof bundleWorkflowCode>>;
beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('fixtures/notifies.ts', import.meta.url));
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
});

/** Begins to notify receivers that answer so, by name. */
async function startNotifying(answers: Readonly<Record<string, Answer>>, names?: readonly string[]) {
  const receivers: Record<string, Receiver> = {};
  for (const [name, answer] of Object.entries(answers)) receivers[name] = await startReceiver(answer);
  const webhooks = Object.entries(receivers).map(([name, { origin }]) =>
    webhook('slack', `${origin}/sesame`, { name }),
  );
  const notifier = createNotifier(webhooks, { timeoutMs: 500 });
  const activities: Pick<Activities, 'notify'> = { notify: (given, wanted) => notify(notifier, given, wanted) };
  // Its own: the histories of this workflow do not replay with the product's code.
  const taskQueue = `notifies-${randomUUID()}`;
  const worker = await Worker.create({
    connection: temporal.connection,
    taskQueue,
    workflowBundle,
    activities: { ...activities },
  });
  const running = worker.run();
  onTestFinished(() => stopWorker(worker, running));
  const workflowId = `notifies-${randomUUID()}`;
  const args = names === undefined ? [FACTS] : [FACTS, names];
  return { handle: await temporal.client.workflow.start('notifies', { workflowId, taskQueue, args }), receivers };
}

/** Notifies receivers that answer so, by name, until the workflow has ended. */
async function notified(...given: Parameters<typeof startNotifying>) {
  const { handle, receivers } = await startNotifying(...given);
  const deliveries = (await handle.result()) as readonly Delivery[];
  expect(JSON.stringify(await handle.fetchHistory())).not.toContain('sesame');
  const counts = Object.fromEntries(Object.entries(receivers).map(([name, { received }]) => [name, received.length]));
  return { results: Object.fromEntries(deliveries.map(({ webhook, result }) => [webhook, result])), counts };
}

/** So many bad answers, then good ones. */
function after(failures: number, bad: Answer): Answer {
  return (response, count) => (count > failures ? always(200, 'ok') : bad)(response, count);
}

describe('notify', () => {
  it('tries again those that were not notified, and only those', async () => {
    const { results, counts } = await notified({
      quick: always(200, 'ok'),
      busy: after(2, always(503)),
      hanging: after(1, () => {}),
      closed: always(410),
    });
    expect(results).toEqual({ quick: 'delivered', busy: 'delivered', hanging: 'delivered', closed: 'refused' });
    expect(counts).toEqual({ quick: 1, busy: 3, hanging: 2, closed: 1 });
  });

  it('returns what it cannot deliver after its last attempt', async () => {
    const { results, counts } = await notified({ down: always(500), fine: always(200, 'ok') });
    expect(results).toEqual({ down: 'unanswered', fine: 'delivered' });
    expect(counts).toEqual({ down: NOTIFY_LIMITS.attempts, fine: 1 });
  });

  it('waits as long as the receiver asks', async () => {
    const { handle, receivers } = await startNotifying({ busy: always(429, '', { 'retry-after': '120' }) });
    const next = await untilFound(async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.find(({ attempt }) => attempt === 2) ?? null;
    });
    expect(Number(next.currentRetryInterval?.seconds)).toBe(120);
    expect(receivers['busy']?.received).toHaveLength(1);
    await handle.terminate();
  });

  it('notifies the named ones, and reports a name that no webhook has', async () => {
    const { results, counts } = await notified({ a: always(200, 'ok'), b: always(200, 'ok') }, ['b', 'missing']);
    expect(results).toEqual({ b: 'delivered', missing: 'unknown' });
    expect(counts).toEqual({ a: 0, b: 1 });
  });
});

it('a worker does not start with a notifications file that has problems', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'notify-')), 'n.yaml');
  await writeFile(file, 'webhooks:\n  ops: { kind: slack, urlEnv: RUNBOOK_NOTIFY_OPS_URL }\n');
  const config = loadConfig({
    SERVICESTAGE_REGION: 'cn-north-4',
    HUAWEICLOUD_SDK_PROJECT_ID: 'p1',
    SERVICESTAGE_TOKEN: 't',
    RUNBOOK_NOTIFICATIONS: file,
    // Nothing listens there: the file is checked before anything is connected.
    TEMPORAL_ADDRESS: '127.0.0.1:9',
  });
  const starting = runWorker(config);
  await expect(starting).rejects.toThrow(ConfigurationError);
  await expect(starting).rejects.toThrow(
    `${file}:2:31 webhooks.ops.urlEnv: the variable RUNBOOK_NOTIFY_OPS_URL is not set`,
  );
});
