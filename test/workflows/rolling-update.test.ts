/**
 * A version whose workflow code records something that the version before does not know, beside that version: what a rolling update and
 * a way back do with and without Worker Deployments. docs/upgrades.md promises what these tests show.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildMutant } from '../chaos/build-mutant.js';
import { until } from '../support/until.js';
import { useVersions } from '../support/worker-versions.js';

const versions = useVersions();
const { actingRestart, waitingRun } = versions;
const why = { actor: 'ann', reason: 'a test' };

const PATCH = "patched('only-in-the-newer-version')";
const NEWER = {
  name: 'newer',
  edits: [
    { file: 'src/workflows/run.ts', from: '  isCancellation,\n', to: '  isCancellation,\n  patched,\n' },
    {
      file: 'src/workflows/run.ts',
      from: '  progress.planned(plan);\n',
      to: `  ${PATCH};\n  progress.planned(plan);\n`,
    },
    {
      file: 'src/workflows/target-run.ts',
      from: 'import { CancellationScope, defineQuery, ',
      to: 'import { CancellationScope, defineQuery, patched, ',
    },
    {
      file: 'src/workflows/target-run.ts',
      from: '  const captured = await captureAtRest(request, progress);\n',
      to: `  ${PATCH};\n  const captured = await captureAtRest(request, progress);\n`,
    },
  ],
};

let folder: string;
let newer: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'newer-'));
  newer = join(await buildMutant(NEWER, folder), 'worker.js');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Resolves when a worker has found that its code does not come to what the history shows. */
async function untilItIsStuck(workflowId: string): Promise<void> {
  const handle = versions.client.workflow.getHandle(workflowId);
  await until(async () => {
    const { events } = await handle.fetchHistory();
    return (
      events?.some(({ workflowTaskFailedEventAttributes: failed }) =>
        failed?.failure?.message?.includes('Nondeterminism'),
      ) === true
    );
  });
}

it('without versions, what an older worker began continues on a newer one; the other way it is stuck, sends nothing, and continues once a newer one is back', async () => {
  const place = versions.aPlace();
  const older = await place.worker(null);
  const [begun, acting] = [await waitingRun(place), await actingRestart(place)];
  const first = await place.worker(null, newer);
  await older.kill('SIGTERM');
  expect((await acting.end()).outcome).toBe('succeeded');
  await place.runbooks.approve(begun.workflowId, why);
  expect((await place.runbooks.result(begun.workflowId)).outcome).toBe('succeeded');

  const back = await actingRestart(place);
  await first.kill('SIGTERM');
  const olderAgain = await place.worker(null);
  await versions.control.finish(back.instanceId);
  await untilItIsStuck(back.lease);
  await place.worker(null, newer);
  await olderAgain.kill('SIGTERM');
  expect((await place.runbooks.result(back.workflowId)).outcome).toBe('succeeded');
  for (const { instanceId } of [begun, acting, back]) expect(await versions.accepted(instanceId)).toEqual(['restart']);
});

it('with versions, a newer one that is taken back ends its targets; its runs are stuck, unless they were pinned to it first', async () => {
  const place = versions.aPlace();
  await place.worker('1');
  await place.worker('2', newer);
  await place.promote('2');
  const unpinned = await actingRestart(place);
  await place.promote('1');
  await versions.control.finish(unpinned.instanceId);
  await untilItIsStuck(unpinned.workflowId);
  const { status } = await versions.client.workflow.getHandle(unpinned.lease).describe();
  expect(status.name).toBe('COMPLETED');
  await place.promote('2');
  expect((await place.runbooks.result(unpinned.workflowId)).outcome).toBe('succeeded');

  const [waiting, acting] = [await waitingRun(place), await actingRestart(place)];
  const query = `TemporalWorkerDeploymentVersion = '${place.deploymentName}:2' AND ExecutionStatus = 'Running'`;
  await until(async () => (await versions.client.workflow.count(query)).count === 3, 500);
  await versions.temporal(
    ...['workflow', 'update-options', '--query', query, '--versioning-override-behavior', 'pinned'],
    ...['--versioning-override-deployment-name', place.deploymentName, '--versioning-override-build-id', '2'],
    ...['--reason', 'version 2 is taken back', '--yes'],
  );
  await until(async () => (await isPinned(waiting.workflowId)) && (await isPinned(acting.workflowId)), 500);
  await place.promote('1');
  expect((await acting.end()).outcome).toBe('succeeded');
  await place.runbooks.approve(waiting.workflowId, why);
  expect((await place.runbooks.result(waiting.workflowId)).outcome).toBe('succeeded');
  expect(await versions.versionOf(waiting.lease)).toEqual({ buildId: '2', isPinned: true });
  for (const { instanceId } of [unpinned, waiting, acting])
    expect(await versions.accepted(instanceId)).toEqual(['restart']);
});

async function isPinned(workflowId: string): Promise<boolean> {
  const { raw } = await versions.client.workflow.getHandle(workflowId).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.versioningOverride?.pinned != null;
}
