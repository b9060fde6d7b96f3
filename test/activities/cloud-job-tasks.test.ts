/** The tasks of a cloud job reach the heartbeat of the step that follows it, and nothing that decides. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Heartbeat } from '../../src/domain/once/state.js';
import { aFollowingState } from '../support/build.js';
import { resultOf, startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

it('are in the heartbeats that go out anyway, and not in the result', async () => {
  const { target, before } = await bench.instance();
  await bench.control.outcome({ instanceId: target.instanceId, action: 'stop', durationMs: 1_500 });
  const ended = await bench.perform({ action: { action: 'stop' }, target, before });
  const seen = (ended.heartbeats as Heartbeat[]).flatMap(({ tasks }) => (tasks === undefined ? [] : [tasks]));
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.at(-1)).toMatchObject({ total: 3, shown: [{ name: 'SEPARATOR_STOP_1' }, {}, {}] });
  expect(resultOf(ended)).not.toHaveProperty('tasks');
});

it('are not taken over from the attempt before', async () => {
  const { target, before } = await bench.instance();
  const submittedAtMs = Date.now();
  const { cloudJobId } = await bench.control.console({ instanceId: target.instanceId, action: 'stop' });
  const tasks = { atMs: 1, total: 99, done: 1, before: 0, shown: [] };
  const previous: Heartbeat = { ...aFollowingState(cloudJobId, submittedAtMs), tasks };
  const ended = await bench.perform({ action: { action: 'stop' }, target, before, attempt: 2, previous });
  expect(resultOf(ended)).not.toHaveProperty('tasks');
});
