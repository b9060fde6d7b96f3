/** `RunbookClient.start` with the caller's own key: one run, whatever is repeated and whichever answer is lost. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  InvalidRunId,
  RunAlreadyStarted,
  RunbookClient,
  RunIdTaken,
  ServerUnreachable,
  type StartedRun,
} from '../../src/client/index.js';
import { BreakableLink } from '../chaos/link.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
let runbooks: RunbookClient;
beforeAll(async () => {
  stack = await startStack(temporal);
  runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
});
afterAll(() => stack.close());

const newKey = () => `incident-${randomUUID()}`;

describe('start', () => {
  it('with the same id never starts a second run, even after the first has ended, and returns whether it started one', async () => {
    const { instanceId, path } = await stack.newInstance();
    const id = newKey();
    const [first, second] = await Promise.all([1, 2].map(() => runbooks.start('restart', { targets: [path], id })));
    expect([first?.started, second?.started].sort()).toEqual(['attached', 'started']);
    expect(first?.runId).toBe(second?.runId);
    expect(await runbooks.result(id)).toMatchObject({ outcome: 'succeeded' });
    expect((await runbooks.start('restart', { targets: [path], id })).started).toBe('attached');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('fails if the id is taken and the caller asked for that', async () => {
    const { path } = await stack.newInstance();
    const id = newKey();
    const { runId } = await runbooks.start('health-check', { targets: [path], id, onExisting: 'fail' });
    const again = runbooks.start('health-check', { targets: [path], id, onExisting: 'fail' });
    await expect(again).rejects.toThrow(RunAlreadyStarted);
    await expect(again).rejects.toMatchObject({ name: 'RunAlreadyStarted', workflowId: id, runId });
  });

  it('refuses an id whose run was requested differently, and names the difference', async () => {
    const { path } = await stack.newInstance();
    const id = newKey();
    await runbooks.start('scale', { targets: [path], inputs: { replica: 2 }, id, requestedBy: 'alice' });
    const otherwise = runbooks.start('scale', { targets: ['a/b/c'], inputs: { replica: 3 }, waitAtMost: '1h', id });
    await expect(otherwise).rejects.toThrow(RunIdTaken);
    await expect(otherwise).rejects.toMatchObject({ workflowId: id, differences: ['targets', 'inputs', 'waitAtMost'] });
    await expect(runbooks.start('restart', { targets: [path], id })).rejects.toMatchObject({
      differences: ['runbook'],
    });
    // Requester and reason may differ from one try to the next.
    const again = await runbooks.start('scale', { targets: [path], inputs: { replica: 2 }, id, reason: 'again' });
    expect(again.started).toBe('attached');
  });

  it('attaches to a run that another client requested identically, in whatever language', async () => {
    const { path } = await stack.newInstance();
    const second = (await stack.newInstance()).path;
    const id = await stack.start('scale', { inputs: { replica: '2' }, targets: [second, path] }, newKey());
    const same = await runbooks.start('scale', { targets: [path, second], inputs: { replica: 2 }, id, freeze: [] });
    expect(same.started).toBe('attached');
    await runbooks.result(id);
  });

  it('refuses ids of leases and empty ones', async () => {
    await expect(runbooks.start('restart', { targets: ['a/b/c'], id: 'runbook-target/p/i' })).rejects.toThrow(
      InvalidRunId,
    );
    await expect(runbooks.start('restart', { targets: ['a/b/c'], id: ' ' })).rejects.toThrow(InvalidRunId);
  });

  it('makes an id that contains the runbook and the time', async () => {
    const { path } = await stack.newInstance();
    const { workflowId } = await runbooks.start('health-check', { targets: [path] });
    expect(workflowId).toMatch(/^health-check-\d{8}T\d{6}Z-[0-9a-f]{6}$/);
  });
});

describe('a start whose answer is lost', () => {
  let link: BreakableLink;
  let far: RunbookClient;
  beforeAll(async () => {
    link = await BreakableLink.open(Number(temporal.address.split(':')[1]));
    const { taskQueue } = temporal;
    far = await RunbookClient.connect({ address: `127.0.0.1:${link.port}`, taskQueue, callTimeoutMs: 3_000 });
  });
  afterAll(async () => {
    await far.close();
    await link.close();
  });

  /** Starts while answers are lost, and returns once the server has accepted the start. */
  async function startUnanswered(path: string, id: string): Promise<Promise<StartedRun>[]> {
    link.loseAnswers();
    const lost = far.start('restart', { targets: [path], id });
    lost.catch(() => {});
    while ((await runbooks.report(id).catch(() => 'not there')) === 'not there') await delay(10);
    return [lost];
  }

  it('fails with the id, and repeated with that id returns the one run', async () => {
    const { instanceId, path } = await stack.newInstance();
    const id = newKey();
    const [lost] = await startUnanswered(path, id);
    link.cut();
    await expect(lost).rejects.toThrow(ServerUnreachable);
    await expect(lost).rejects.toMatchObject({ workflowId: id });
    await expect(lost).rejects.toThrow(`the run ${id} may have been started;`);
    link.restore();
    expect(await untilAnswered(() => far.start('restart', { targets: [path], id }))).toMatchObject({
      started: 'attached',
    });
    await runbooks.result(id);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('succeeds within the call when the connection returns in time', async () => {
    const { instanceId, path } = await stack.newInstance();
    const id = newKey();
    const [lost] = await startUnanswered(path, id);
    link.cut();
    link.restore();
    expect((await lost)?.workflowId).toBe(id);
    await runbooks.result(id);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });
});

/** As a caller would: asks again until it gets an answer. */
async function untilAnswered<Value>(ask: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ServerUnreachable)) throw error;
    }
  }
}
