/** Runs on a real server are counted once, also where each workflow task replays everything that came before. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WorkerMetrics } from '../../src/metrics/worker-metrics.js';
import { runSinks } from '../../src/worker/run-sinks.js';
import { countRuns } from '../../src/worker/count-runs.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const metrics = new WorkerMetrics();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
    dependencies: { observer: metrics.activities },
    // Nothing is cached, so that every task replays its workflow from the beginning.
    worker: { sinks: runSinks(metrics.runs), maxCachedWorkflows: 0 },
  });
});
afterAll(() => stack.close());

async function seriesOf(name: string): Promise<string[]> {
  const { text } = await metrics.registry.page();
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && !line.endsWith(' 0'))
    .toSorted();
}

it('a run that is undone, one that is refused, and one whose answer was lost', async () => {
  const failing = await stack.newInstance();
  await stack.control.outcome({ instanceId: failing.instanceId, action: 'rollback', executionStatus: 'FAILED' });
  const { outcome } = await stack.run('recover', failing.path);
  expect(outcome).toBe('compensated');
  expect((await stack.run('no-such-runbook', failing.path)).outcome).toBe('refused');
  const unlucky = await stack.newInstance();
  await stack.control.fault({
    on: { route: 'action', instanceId: unlucky.instanceId },
    fault: { kind: 'actThenReset' },
  });
  expect((await stack.run('restart', unlucky.path)).outcome).toBe('succeeded');

  expect(await seriesOf('runbook_runs_total')).toEqual([
    'runbook_runs_total{runbook="",outcome="refused"} 1',
    'runbook_runs_total{runbook="recover",outcome="compensated"} 1',
    'runbook_runs_total{runbook="restart",outcome="succeeded"} 1',
  ]);
  expect(await seriesOf('runbook_steps_total')).toEqual([
    'runbook_steps_total{action="restart",result="succeeded"} 1',
    'runbook_steps_total{action="rollback",result="failed"} 1',
    'runbook_steps_total{action="stop",result="succeeded"} 1',
  ]);
  expect(await seriesOf('runbook_undos_total')).toEqual(['runbook_undos_total{action="start",result="succeeded"} 1']);
  expect(await seriesOf('runbook_adoptions_total')).toEqual(['runbook_adoptions_total{action="restart"} 1']);
  expect(await seriesOf('runbook_cloud_job_duration_seconds_count')).toEqual([
    'runbook_cloud_job_duration_seconds_count{action="rollback"} 1',
    'runbook_cloud_job_duration_seconds_count{action="start"} 1',
    'runbook_cloud_job_duration_seconds_count{action="stop"} 1',
  ]);
  expect((await seriesOf('runbook_cloud_job_polls_total')).length).toBe(4);
  expect(await seriesOf('runbook_attempt_failures_total{failure="CloudJobFailed"}')).toHaveLength(1);
});

it('runs that are open are counted by the server', async () => {
  const { open, waiting } = await countRuns(temporal.client, temporal.taskQueue);
  expect(open).toBe(0);
  expect(waiting).toEqual({ paused: 0, blocked: 0, waitingForApproval: 0 });
  expect(await countRuns(undefined, temporal.taskQueue)).toEqual({
    open: null,
    waiting: { paused: null, blocked: null, waitingForApproval: null },
  });
});
