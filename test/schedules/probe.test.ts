import { expect, it } from 'vitest';
import { CALM, useSchedules } from '../support/schedules.js';
import { useTemporal } from '../support/temporal.js';
const temporal = useTemporal();
const desk = useSchedules(temporal);
it('probe', async () => {
  const owner = desk.newOwner();
  await desk.apply(await desk.file(owner, { a: CALM }));
  const id = `${owner}/a`;
  const service = temporal.client.workflowService;
  const first = await service.describeSchedule({ namespace: 'default', scheduleId: id });
  await temporal.client.schedule.getHandle(id).update((now) => ({ ...now, spec: { ...now.spec, jitter: 1_000 } }));
  const read = await temporal.client.schedule.getHandle(id).describe();
  console.log('PROBE read own write: jitter', read.spec.jitter);
  try {
    await service.updateSchedule({
      namespace: 'default',
      scheduleId: id,
      schedule: first.schedule,
      conflictToken: first.conflictToken,
      requestId: 'x1',
    });
    const after = await temporal.client.schedule.getHandle(id).describe();
    console.log('PROBE stale token accepted; jitter', after.spec.jitter);
  } catch (error) {
    console.log('PROBE stale token', String(error));
  }
  for (let round = 0; round < 5; round++) {
    const scheduleId = `${owner}/l${round}`;
    const begun = Date.now();
    await temporal.client.schedule.create({
      scheduleId,
      spec: {},
      action: { type: 'startWorkflow', workflowType: 'x', taskQueue: 'x', args: [] },
    });
    const createdMs = Date.now();
    for (let seen = false; !seen;)
      for await (const each of temporal.client.schedule.list()) seen ||= each.scheduleId === scheduleId;
    const listedMs = Date.now();
    await temporal.client.schedule.getHandle(scheduleId).delete();
    const deletedMs = Date.now();
    for (let seen = true; seen;) {
      seen = false;
      for await (const each of temporal.client.schedule.list()) seen ||= each.scheduleId === scheduleId;
    }
    console.log(
      'PROBE listed after',
      listedMs - createdMs,
      'gone after',
      Date.now() - deletedMs,
      'create took',
      createdMs - begun,
    );
  }
  expect(1).toBe(1);
});
