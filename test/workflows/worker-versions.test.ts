/**
 * Two versions of the worker at once, each in its own process: promotion, taking back, ramping, draining, and a version whose workers have ended.
 * docs/upgrades.md promises what these tests show.
 */
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { explainSilence } from '../../src/domain/run/run-facts.js';
import { findRunbook } from '../../src/runbooks/catalogue.js';
import { applyDifferences } from '../../src/schedules/apply.js';
import { compareSchedules } from '../../src/schedules/compare.js';
import { findSchedule, runNow } from '../../src/schedules/operate.js';
import { parseSchedules } from '../../src/schedules/read-schedules.js';
import { aRule } from '../support/alarms.js';
import { until, untilFound } from '../support/until.js';
import { useVersions, type AnInstance, type VersionedPlace } from '../support/worker-versions.js';

const versions = useVersions();
const { actingRestart, waitingRun, accepts } = versions;
const why = { actor: 'ann', reason: 'a test' };

/** A restart whose answer is lost, so that a person has to decide. */
async function blockedRun({ runbooks, instance }: VersionedPlace) {
  const blocked = await instance();
  const { instanceId, path } = blocked;
  await versions.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'reset' } });
  const { workflowId } = await runbooks.start('restart', { targets: [path] });
  await untilFound(async () => (await runbooks.progress(workflowId)).targets[0]?.blocked ?? null);
  return { ...blocked, workflowId };
}

/** A `recover` that starts its instance again, because the rollback failed. */
async function undoingRun({ runbooks, instance }: VersionedPlace) {
  const undoing = await instance();
  const { instanceId, path } = undoing;
  await versions.control.outcome({ instanceId, action: 'rollback', executionStatus: 'FAILED' });
  await versions.control.outcome({ instanceId, action: 'start', neverEnds: true });
  const { workflowId } = await runbooks.start('recover', { targets: [path] });
  await accepts(instanceId, 'stop', 'rollback', 'start');
  return { ...undoing, workflowId };
}

/** A schedule of a restart that is due in no test. @returns what starts its run at once, and waits for the end */
async function restartSchedule({ runbooks, instance, deploymentName: owner }: VersionedPlace) {
  const scheduled = await instance();
  const yearly = { calendar: { hour: 3, month: 'JANUARY', dayOfMonth: 1 }, timezone: 'UTC', window: '1h' };
  const text = stringify({
    owner,
    schedules: { restart: { runbook: 'restart', targets: [scheduled.path], ...yearly } },
  });
  const read = await parseSchedules(text, 'schedules.yaml', { findRunbook: (name) => findRunbook([], name) });
  if (!('schedules' in read)) throw new Error(JSON.stringify(read));
  const { client } = versions;
  const differences = await compareSchedules(client, read, runbooks.taskQueue);
  expect(await applyDifferences(client, differences, runbooks.taskQueue)).toMatchObject([{ result: 'created' }]);
  const run = async () => {
    const started = await runNow(client, await findSchedule(client, `${owner}/restart`));
    if (started.kind !== 'started') throw new Error(started.kind);
    expect((await runbooks.result(started.workflowId)).outcome).toBe('succeeded');
    return started.workflowId;
  };
  return { ...scheduled, run };
}

it('a run in each phase continues once when a new version is promoted: its target ends where it began, the run moves on', async () => {
  const place = versions.aPlace();
  const { runbooks } = place;
  const old = await place.worker('1');
  await until(() => old.lastWords().includes('is current, so its workers get no work'));
  await place.promote('1');
  const [waiting, acting, blocked, undoing] = await Promise.all([
    waitingRun(place),
    actingRestart(place),
    blockedRun(place),
    undoingRun(place),
  ]);
  const rule = aRule(versions.client, runbooks.taskQueue);
  const byAlarm = await place.instance();
  const alarmAt = ({ path }: AnInstance, incident: string) => rule.decide([rule.alarm({ target: path, incident })]);
  await alarmAt(await place.instance(), 'the first');
  const schedule = await restartSchedule(place);
  expect(await versions.versionOf(await schedule.run())).toEqual({ buildId: '1', isPinned: false });
  const next = await place.worker('2');
  await until(() => next.lastWords().includes('this version is not current'));
  await place.promote('2');

  await runbooks.approve(waiting.workflowId, why);
  const [started] = await alarmAt(byAlarm, 'the second');
  expect((await runbooks.result(started?.runId ?? '')).outcome).toBe('succeeded');
  const bySchedule = await schedule.run();
  await runbooks.retryStep(blocked.workflowId, why);
  await versions.control.finish(undoing.instanceId);
  expect((await acting.end()).outcome).toBe('succeeded');
  expect((await runbooks.result(waiting.workflowId)).outcome).toBe('succeeded');
  expect((await runbooks.result(blocked.workflowId)).outcome).toBe('succeeded');
  expect((await runbooks.result(undoing.workflowId)).outcome).toBe('compensated');

  for (const { lease } of [acting, blocked, undoing])
    expect(await versions.versionOf(lease)).toEqual({ buildId: '1', isPinned: true });
  for (const { lease } of [waiting, byAlarm, schedule])
    expect(await versions.versionOf(lease)).toEqual({ buildId: '2', isPinned: true });
  for (const { workflowId } of [waiting, acting, blocked, undoing, rule])
    expect(await versions.versionOf(workflowId)).toEqual({ buildId: '2', isPinned: false });
  expect(await versions.versionOf(bySchedule)).toEqual({ buildId: '2', isPinned: false });
  for (const { instanceId } of [waiting, acting, blocked, byAlarm])
    expect(await versions.accepted(instanceId)).toEqual(['restart']);
  expect(await versions.accepted(schedule.instanceId)).toEqual(['restart', 'restart']);
  expect(await versions.accepted(undoing.instanceId)).toEqual(['stop', 'rollback', 'start']);
});

it('a version that is taken back keeps the targets it began, gets no new ones, and is drained when they have ended', async () => {
  const place = versions.aPlace();
  await place.worker('1');
  await place.worker('2');
  await place.promote('1');
  await place.deployment('set-ramping-version', '--build-id', '2', '--percentage', '100', '--yes');
  const ramped = await actingRestart(place);
  await place.deployment('set-ramping-version', '--build-id', '2', '--delete', '--yes');
  await place.promote('2');
  const promoted = await actingRestart(place);
  await place.promote('1');
  const after = await actingRestart(place);
  const drainage = async () => JSON.stringify(await place.deployment('describe-version', '--build-id', '2'));
  await until(async () => (await drainage()).includes('draining'), 500);

  expect(await versions.versionOf(ramped.lease)).toEqual({ buildId: '2', isPinned: true });
  expect(await versions.versionOf(promoted.lease)).toEqual({ buildId: '2', isPinned: true });
  expect(await versions.versionOf(after.lease)).toEqual({ buildId: '1', isPinned: true });
  for (const run of [ramped, promoted, after]) {
    expect((await run.end()).outcome).toBe('succeeded');
    expect(await versions.accepted(run.instanceId)).toEqual(['restart']);
    expect(await versions.versionOf(run.workflowId)).toEqual({ buildId: '1', isPinned: false });
  }
  await until(async () => (await drainage()).includes('drained'), 500);
});

it('a target whose version has no workers waits, and continues once after it was moved by hand', async () => {
  const place = versions.aPlace();
  const old = await place.worker('1');
  await place.promote('1');
  const acting = await actingRestart(place);
  await place.worker('2');
  await place.promote('2');
  await old.kill('SIGKILL');
  await versions.control.finish(acting.instanceId);
  // A run begun later is not held up, and by its end a worker would long have taken the attempt that was lost.
  const later = await actingRestart(place);
  expect((await later.end()).outcome).toBe('succeeded');
  await until(async () => {
    const { workflows } = await place.runbooks.diagnose(acting.workflowId);
    return workflows.some(({ activities }) => activities.some(({ attempt }) => attempt > 1));
  });
  const silence = async () => explainSilence(await place.runbooks.diagnose(acting.workflowId), Date.now());
  await until(
    async () => (await silence())?.lines.join('\n').includes('TEMPORAL_WORKER_BUILD_ID=1, or move it') === true,
  );
  expect(await versions.versionOf(acting.lease)).toEqual({ buildId: '1', isPinned: true });

  await versions.temporal(
    ...['workflow', 'update-options', '--workflow-id', acting.lease],
    ...['--versioning-override-behavior', 'pinned'],
    ...['--versioning-override-deployment-name', place.deploymentName, '--versioning-override-build-id', '2'],
  );
  expect((await place.runbooks.result(acting.workflowId)).outcome).toBe('succeeded');
  expect(await versions.accepted(acting.instanceId)).toEqual(['restart']);
});

it('what workers without a version began continues on the first version, and what it began ends there after a return to none', async () => {
  const place = versions.aPlace();
  const unversioned = await place.worker(null);
  const [waiting, acting] = await Promise.all([waitingRun(place), actingRestart(place)]);
  await place.worker('1');
  await place.promote('1');
  await unversioned.kill('SIGTERM');
  expect((await acting.end()).outcome).toBe('succeeded');
  expect(await versions.versionOf(acting.lease)).toEqual({ buildId: '1', isPinned: false });
  const versioned = await actingRestart(place);

  await place.worker(null);
  await place.deployment('set-current-version', '--unversioned', '--yes');
  await place.runbooks.approve(waiting.workflowId, why);
  expect((await place.runbooks.result(waiting.workflowId)).outcome).toBe('succeeded');
  expect((await versioned.end()).outcome).toBe('succeeded');
  expect(await versions.versionOf(versioned.lease)).toEqual({ buildId: '1', isPinned: true });
  for (const { instanceId } of [waiting, acting, versioned])
    expect(await versions.accepted(instanceId)).toEqual(['restart']);
});
