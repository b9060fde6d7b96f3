/** A run does what its plan predicts: planned and run on instances in every state that a run may begin in. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderPlan } from '../../src/cli/render-plan.js';
import { renderReport } from '../../src/cli/render-report.js';
import { createColors } from '../../src/cli/colors.js';
import { RunbookClient } from '../../src/client/index.js';
import { expectedCourse } from '../../src/domain/plan/expected-course.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
let runbooks: RunbookClient;
beforeAll(async () => {
  const runbookDirectories = [fileURLToPath(new URL('./runbooks', import.meta.url))];
  stack = await startStack(temporal, { runbookDirectories });
  runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
});
afterAll(() => stack.close());

const ASKED: readonly [string, Record<string, unknown>][] = [
  ['stop', {}],
  ['start', {}],
  ['restart', {}],
  ['scale', { replica: 2 }],
  ['rollback', { version: '1.4.0' }],
  ['recover', { version: '1.4.0' }],
];
const SEEDS = [
  ...['RUNNING', 'STOPPED', 'DOWN'].map((status) => ({ status })),
  { status: 'RUNNING', version: '1.4.0' },
  { status: 'STOPPED', version: '1.4.0', replica: 3 },
];

describe.concurrent.each(SEEDS)('on an instance %j', (seed) => {
  it.each(ASKED)('%s does what its plan predicts', async (runbook, inputs) => {
    const { path } = await stack.newInstance(seed);
    const request = { targets: [path], inputs };
    const [planned] = (await runbooks.plan(runbook, request)).targets;
    const { workflowId } = await runbooks.start(runbook, request);
    const [target] = (await runbooks.result(workflowId)).targets;
    if (planned === undefined || target === undefined) throw new Error('there is one target');
    const predicted = expectedCourse(planned.seen, planned.steps).steps.map(({ course }) => course);
    // A step that the instance refuses ends the run: only the steps up to it match the plan.
    const done = target.steps.map(({ result }) => (result === 'skipped' ? 'skipped' : 'sent'));
    expect(done).toEqual(predicted.slice(0, done.length));
    expect(done.length).toBeGreaterThan(0);
  });
});

it.concurrent('an undo that leads to another state is announced in the plan and in the report', async () => {
  const { instanceId, path } = await stack.newInstance();
  await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
  const plan = renderPlan(await runbooks.plan('declared-undo', { targets: [path] }), createColors(false));
  expect(plan).toContain(
    'undone by scale replica=3, which leads to another state than before the step: replicas 3 (2 before)',
  );
  const { workflowId } = await runbooks.start('declared-undo', { targets: [path] });
  const text = renderReport(await runbooks.result(workflowId), createColors(false));
  expect(text).toMatch(/^COMPENSATED .* did not restore the state/);
  expect(text).toContain('differs  replicas 3 (2 before)');
});

it.concurrent('undos of several steps are sent as the plan predicts, folded', async () => {
  const { instanceId, path } = await stack.newInstance({ status: 'RUNNING', replica: 4 });
  await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
  const plan = await runbooks.plan('folded-undos', { targets: [path] });
  const [planned] = plan.targets;
  if (planned === undefined) throw new Error('there is one target');
  const { undos } = expectedCourse(planned.seen, planned.steps);
  expect(undos?.undos).toEqual([{ action: 'start' }, { action: 'scale', replica: 4 }]);
  const text = renderPlan(plan, createColors(false));
  expect(text).toContain('its undo scale replica=1 is not sent: the undo of step 1 restores what was before both');
  expect(text).toContain('  if step 4 fails and has changed nothing: undo by start, then scale replica=4\n');
  const { workflowId } = await runbooks.start('folded-undos', { targets: [path] });
  const [target] = (await runbooks.result(workflowId)).targets;
  expect(target?.compensations.map(({ action }) => action)).toEqual(undos?.undos);
});
