/** Hand-typed nonsense fails the run at once with a readable message, never the workflow task; nothing is touched. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(async () => {
  // No action was sent, whatever was typed.
  expect(await stack.control.accepted()).toEqual([]);
  await stack.close();
});

describe('start arguments', () => {
  it.each([
    ['text', 'shop/checkout/prod-1', 'is not a JSON object'],
    ['a number', 7, 'is not a JSON object'],
    ['nothing', undefined, 'nothing was given'],
    ['null', null, 'is not a JSON object'],
    ['a list', [['shop/checkout/prod-1']], 'is not a JSON object'],
    ['no targets', {}, '"targets" is missing'],
    ['an empty list of targets', { targets: [] }, 'Name at least one target'],
    ['an unknown key', { targets: ['a/b/c'], target: 'x' }, 'unknown key "target". Use one of: targets'],
    ['targets of a wrong form', { targets: ['prod-1'] }, 'application/component/instance'],
    ['an unknown application', { targets: ['nowhere/x/y'] }, 'there is no application "nowhere"'],
    ['an unknown input', { targets: ['shop/checkout/prod-1'], inputs: { verison: '1' } }, 'Did you mean version?'],
    [
      'a window without its length',
      { targets: ['a/b/c'], window: {} },
      'window.duration: "window.duration" is missing. Write a number and a unit',
    ],
    ['a mistyped window', { targets: ['a/b/c'], window: { duration: '2h', cutof: '1m' } }, 'window.cutof: unknown key'],
    ['a target twice', { targets: ['a/b/c', 'a/b/c'] }, 'Name each target once'],
  ])('that are %s are refused', async (_case, given, text) => {
    const report = await stack.report(await stack.start('recover', given));
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan' }, targets: [] });
    expect(report.failure?.message).toContain(text);
  });

  it('are refused with every problem at once', async () => {
    const report = await stack.report(
      await stack.start('recover', { targets: ['x', 'a/b/c'], inputs: { no: 1 }, requestedBy: '', extra: true }),
    );
    const lines = report.failure?.message.split('\n') ?? [];
    expect(lines.length).toBeGreaterThanOrEqual(4);
  });

  it('that match two instances of one name are refused with the ids of both', async () => {
    const seed = { application: 'twins', component: 'c', name: 'same' };
    const ids = [await stack.control.createInstance(seed), await stack.control.createInstance(seed)].map(
      ({ instanceId }) => instanceId,
    );
    const report = await stack.report(await stack.start('stop', { targets: ['twins/c/same'] }));
    for (const id of ids) expect(report.failure?.message).toContain(id);
    const byId = await stack.report(await stack.start('health-check', { targets: [`twins/c/${ids[1]}`] }));
    expect(byId).toMatchObject({ outcome: 'succeeded', targets: [{ instanceId: ids[1] }] });
  });
});

describe('a mistyped runbook', () => {
  it.each(['recoverr', 'toString', 'constructor', '../recover', 'nothing-like-it'])(
    '(%s) fails at once and lists the known ones',
    async (type) => {
      const report = await stack.report(await stack.start(type, { targets: ['a/b/c'] }, `mistyped-${Math.random()}`));
      expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'UnknownRunbook' } });
      expect(report.failure?.message).toContain('health-check, maintenance, recover, restart');
      expect(report.failure?.message).toMatch(
        /the worker does not know it\..* it reads \/\S+\/runbooks\. .*set RUNBOOK_DIR for the worker and restart it$/,
      );
    },
  );
});

describe('health-check', () => {
  it('only reads, even while another run holds the instance', async () => {
    const { path } = await stack.newInstance({ status: 'DOWN', availableReplica: 0 });
    const report = await stack.run('health-check', path);
    expect(report).toMatchObject({ outcome: 'succeeded', targets: [{ steps: [], lastSeen: { status: 'DOWN' } }] });
  });
});

describe('a dry run', () => {
  it('ends with the plan', async () => {
    const { path } = await stack.newInstance();
    const workflowId = await stack.start('recover', { targets: [path], dryRun: true });
    const plan = (await temporal.client.workflow.getHandle(workflowId).result()) as {
      hash: string;
      targets: { steps: { note?: string }[] }[];
    };
    expect(plan.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(plan.targets[0]?.steps[1]?.note).toBe('previous: 1.4.1 → 1.4.0');
  });
});
