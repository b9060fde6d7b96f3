/** What a rule counts as started, how it names its runs, and what cancelling it does. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRule } from '../support/alarms.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
  });
});
afterAll(() => stack.close());

const rule = () => aRule(temporal.client, temporal.taskQueue);

describe('a start', () => {
  it('of a forgotten firing that already has its run does not count for atMost', async () => {
    const one = rule();
    const brakes = { atMost: { runs: 2, withinMs: 3_600_000 } };
    const alarm = one.alarm();
    await one.decide([alarm], brakes);
    await temporal.client.workflow.getHandle(one.workflowId).terminate('by a test');
    expect(await one.decide([alarm], brakes)).toMatchObject([{ kind: 'repeated' }]);
    const others = [2, 3, 4].map((at) => one.alarm({ incident: `i-${at}` }));
    expect(await one.decide(others, brakes)).toMatchObject([
      { kind: 'started' },
      { kind: 'started' },
      { kind: 'tooMany' },
    ]);
  });
});

describe('the summary of a run, and of the lease on its target', () => {
  const lengthOf = async (workflowId: string) => {
    const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    const child = events?.find((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
    return child?.userMetadata?.summary?.data?.length;
  };

  it('is no longer than the server accepts, even if names are long and use many bytes', async () => {
    const { path } = await stack.newInstance({ application: '警'.repeat(125), name: 'prod-1' });
    const one = rule();
    const [started] = await one.decide([one.alarm({ target: path })]);
    expect(await stack.report(started?.runId ?? '')).toMatchObject({ outcome: 'succeeded' });
    for (const id of [one.workflowId, started?.runId ?? '']) {
      expect(await lengthOf(id)).toBeGreaterThan(190);
      expect(await lengthOf(id)).toBeLessThanOrEqual(200);
    }
  });
});

describe('a cancel of a rule', () => {
  it('changes nothing: waiting runs are kept, due runs start, and new alarms are decided', async () => {
    const { instanceId, path } = await stack.newInstance();
    const one = rule();
    const [waiting] = await one.decide([one.alarm({ target: path })], { debounceMs: 2_000 });
    const handle = temporal.client.workflow.getHandle(one.workflowId);
    await handle.cancel();
    const other = one.alarm({ incident: 'other' });
    expect(await one.decide([other], { debounceMs: 3_600_000 })).toMatchObject([{ kind: 'waiting' }]);
    const started = async () => (await one.log()).some(({ decision: { kind } }) => kind === 'started');
    await until(started);
    expect((await stack.report(waiting?.runId ?? '')).outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate('the test is over');
  });
});
