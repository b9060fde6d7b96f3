/** A worker is killed while a run only waits: another one takes over, and the run continues once. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningSimulator } from '../../src/simulator/server.js';
import { aRule } from '../support/alarms.js';
import { aProcessPlace, emptySimulator } from '../support/process-place.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

const temporal = useTemporal();
let simulator: RunningSimulator;
beforeAll(async () => {
  simulator = await emptySimulator();
});
afterAll(() => simulator.close());

it.concurrent('a run continues when its window opens', () =>
  withLead(async (leadMs) => {
    const { path, runbooks, startWorker, accepted } = await aProcessPlace(temporal, simulator);
    const first = await startWorker();
    const opensAt = new Date(Date.now() + 2 * leadMs).toISOString();
    const window = { duration: '1h', opensAt };
    const { workflowId } = await runbooks.start('stop', { targets: [path], window, waitAtMost: '1h' });
    let phase = '';
    await until(async () => {
      phase = (await runbooks.progress(workflowId)).run.phase;
      return phase === 'waiting' || phase === 'finished';
    });
    await first.kill('SIGKILL');
    const second = await startWorker();
    const report = await runbooks.result(workflowId);
    await second.kill('SIGTERM');
    if (phase !== 'waiting') return false; // Its window had opened before it came to its gate.
    expect(report).toMatchObject({ outcome: 'succeeded', gates: [{ failure: 'OutsideWindow' }, { failure: null }] });
    expect(await accepted()).toEqual(['stop']);
    return true;
  }),
);

it.concurrent('a debounce continues, and starts one run at its end', () =>
  withLead(async (leadMs) => {
    const { taskQueue, path, runbooks, startWorker, accepted } = await aProcessPlace(temporal, simulator);
    const one = aRule(temporal.client, taskQueue);
    const alarm = one.alarm({ target: path });
    const brakes = { debounceMs: 2 * leadMs };
    const first = await startWorker();
    const [waiting] = await one.decide([alarm, alarm], brakes);
    const runId = waiting?.runId ?? '';
    await first.kill('SIGKILL');
    const isThere = await temporal.client.workflow
      .getHandle(runId)
      .describe()
      .then(
        () => true,
        () => false,
      );
    const next = await startWorker();
    await until(async () => (await one.log()).some(({ decision }) => decision.kind === 'started'));
    expect((await runbooks.result(runId)).outcome).toBe('succeeded');
    expect(await one.decide([alarm], brakes)).toMatchObject([{ kind: 'repeated' }]);
    expect((await one.log())[1]?.decidedAtMs).toBeGreaterThanOrEqual(waiting?.untilMs ?? Infinity);
    expect(await accepted()).toEqual(['restart']);
    await next.kill('SIGTERM');
    // If it had started before the kill, the test showed nothing.
    return waiting?.kind === 'waiting' && !isThere;
  }),
);
