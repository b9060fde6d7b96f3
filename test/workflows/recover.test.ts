import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

const results = (steps: readonly { id: string; result: string }[]) => steps.map(({ id, result }) => `${id} ${result}`);

describe('recover', () => {
  it('stops, rolls back and starts, each once', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await stack.run('recover', path);
    expect(report.summary).toContain('succeeded');
    expect(results(report.targets[0]?.steps ?? [])).toEqual(['stop succeeded', 'rollback succeeded', 'start succeeded']);
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING', version: '1.4.0', availableReplica: 2 });
  });
});
