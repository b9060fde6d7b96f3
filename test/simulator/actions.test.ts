/**
 * The simulator's actions: what is refused and why, what each does to the instance and when, and how a tester makes
 * them fail.
 */
import { describe, expect, it } from 'vitest';
import { startTestSimulator } from './api.js';

const CHECKOUT = 'shop/checkout/prod-1';

describe('an action is refused', () => {
  it.each<[string, string, object | string, number, string]>([
    ['without an action', CHECKOUT, {}, 400, 'SVCSTG.00100400'],
    ['that is not JSON', CHECKOUT, '{action', 400, 'SVCSTG.00100400'],
    ['that is not a text', CHECKOUT, { action: 3 }, 400, 'SVCSTG.00100400'],
    ['that is unknown', CHECKOUT, { action: 'explode' }, 400, 'SVCSTG.00100418'],
    ['in upper case', CHECKOUT, { action: 'STOP' }, 400, 'SVCSTG.00100418'],
    ['scale without replica', CHECKOUT, { action: 'scale' }, 400, 'SVCSTG.00100400'],
    ['scale to none', CHECKOUT, { action: 'scale', parameters: { replica: 0 } }, 400, 'SVCSTG.00100400'],
    ['scale to a text', CHECKOUT, { action: 'scale', parameters: { replica: '4' } }, 400, 'SVCSTG.00100400'],
    [
      'scale on virtual machines without hosts',
      'billing/invoices/prod-1',
      { action: 'scale', parameters: { replica: 3 } },
      400,
      'SVCSTG.00100400',
    ],
    ['rollback without version', CHECKOUT, { action: 'rollback' }, 400, 'SVCSTG.00100400'],
    [
      'rollback to an unknown version',
      CHECKOUT,
      { action: 'rollback', parameters: { version: '9.9.9' } },
      404,
      'SVCSTG.00100436',
    ],
    ['stop in STOPPED', 'shop/search/prod-1', { action: 'stop' }, 400, 'SVCSTG.00100400'],
    ['start in RUNNING', CHECKOUT, { action: 'start' }, 400, 'SVCSTG.00100400'],
    ['restart in STOPPED', 'shop/search/prod-1', { action: 'restart' }, 400, 'SVCSTG.00100400'],
  ])('%s', async (_name, path, body, status, code) => {
    const { post, place, control } = await startTestSimulator();
    const { path: url, instanceId } = place(path);
    const before = await control.instance(instanceId);
    expect(await post(`${url}/action`, body)).toMatchObject({ status, body: { error_code: code } });
    expect(await control.instance(instanceId)).toEqual(before);
    expect(await control.accepted()).toEqual([]);
  });

  it.each([409, 400])('while a cloud job is in flight, with %i by switch', async (busyStatus) => {
    const { act, place, control } = await startTestSimulator();
    await control.switches({ busyStatus });
    await control.time({ freeze: true });
    const target = place(CHECKOUT);
    expect(await act(target, 'restart')).toMatchObject({ status: 200 });
    expect(await act(target, 'stop')).toMatchObject({ status: busyStatus, body: { error_code: 'SVCSTG.00100400' } });
    expect(await act(place('shop/checkout/prod-2'), 'stop')).toMatchObject({ status: 200 });
    await control.time({ advanceMs: 3_000 });
    expect(await act(target, 'stop')).toMatchObject({ status: 200 });
  });
});

describe('an accepted action', () => {
  it.each([
    ['start', 'shop/search/prod-1', undefined, 'STARTING', { status: 'RUNNING', availableReplica: 3 }],
    ['stop', CHECKOUT, undefined, 'STOPPING', { status: 'STOPPED', replica: 2, availableReplica: 0 }],
    ['restart', 'billing/ledger/prod-1', undefined, 'RESTARTING', { status: 'RUNNING', availableReplica: 1 }],
    ['scale', CHECKOUT, { replica: 5 }, 'UPGRADING', { status: 'RUNNING', replica: 5, availableReplica: 5 }],
    [
      'scale',
      'billing/invoices/prod-1',
      { replica: 1, hosts: ['ecs-new'] },
      'UPGRADING',
      { replica: 1, hosts: ['ecs-new'] },
    ],
    ['rollback', CHECKOUT, { version: '1.3.2' }, 'UPGRADING', { status: 'RUNNING', version: '1.3.2' }],
    ['rollback', 'shop/search/prod-1', { version: '1.9.0' }, 'UPGRADING', { status: 'STOPPED', version: '1.9.0' }],
  ])('%s on %s with %o shows %s, then its effect', async (action, path, parameters, meanwhile, after) => {
    const { act, detail, job, place, control } = await startTestSimulator();
    await control.time({ freeze: true });
    const target = place(path);
    const accepted = await act(target, action, parameters);
    expect(accepted).toMatchObject({
      status: 200,
      body: { job_id: expect.stringMatching(/^JOB[0-9a-f-]{36}$/) as string },
    });
    expect(await job(accepted)).toEqual({ status: 'SUBMITTED', tasks: [] });
    expect(await detail(target)).toMatchObject({
      status: meanwhile,
      last_job_id: accepted.body['job_id'],
      last_job_status: 'SUBMITTED',
    });
    await control.time({ advanceMs: 800 });
    expect((await job(accepted)).status).toBe('RUNNING');
    await control.time({ advanceMs: 3_000 });
    expect((await job(accepted)).status).toBe('SUCCEEDED');
    expect(await detail(target)).toMatchObject({ last_job_status: 'SUCCEEDED' });
    expect(await control.instance(target.instanceId)).toMatchObject({ ...after, busy: false });
  });

  it('rollback clears the snapshots after its version, unless switched off', async () => {
    const { act, place, control } = await startTestSimulator();
    const roll = async (path: string, version: string) => {
      await act(place(path), 'rollback', { version });
      await control.time({ advanceMs: 10_000 });
      return (await control.instance(place(path).instanceId)).snapshots;
    };
    expect(await roll(CHECKOUT, '1.3.2')).toEqual(['1.3.1', '1.3.2']);
    await control.switches({ rollbackClearsLaterSnapshots: false });
    expect(await roll('shop/catalog/prod-1', '5.0.0')).toEqual(['5.0.0', '5.1.0']);
  });

  it('in a wrong state changes nothing where the switch takes it as a no-op', async () => {
    const { act, job, place, control } = await startTestSimulator();
    await control.switches({ wrongState: 'noop' });
    const target = place('shop/search/prod-1');
    const before = await control.instance(target.instanceId);
    const accepted = await act(target, 'scale', { replica: 9 });
    await control.time({ advanceMs: 10_000 });
    expect((await job(accepted)).status).toBe('SUCCEEDED');
    expect(await control.instance(target.instanceId)).toEqual(before);
  });

  it('beside one in flight, where the switch takes it, leaves the instance at rest in the end', async () => {
    const { act, place, control } = await startTestSimulator();
    await control.switches({ busy: 'accept' });
    const target = place(CHECKOUT);
    await act(target, 'stop');
    await act(target, 'rollback', { version: '1.3.2' });
    await control.time({ advanceMs: 10_000 });
    expect(await control.instance(target.instanceId)).toMatchObject({
      status: 'STOPPED',
      version: '1.3.2',
      busy: false,
    });
  });

  it('reaches its state later than its cloud job ends, by switch', async () => {
    const { act, detail, job, place, control } = await startTestSimulator({ switches: { convergeDelayMs: 5_000 } });
    await control.time({ freeze: true });
    const target = place(CHECKOUT);
    const accepted = await act(target, 'stop');
    await control.time({ advanceMs: 1_000 });
    expect((await job(accepted)).status).toBe('SUCCEEDED');
    expect(await detail(target)).toMatchObject({ status: 'STOPPING' });
    await control.time({ advanceMs: 5_000 });
    expect(await detail(target)).toMatchObject({ status: 'STOPPED' });
  });
});

describe('an armed outcome', () => {
  it.each(['FAILED', 'PARTIALLY_FAILED', 'CANCELLED', 'ROLLBACKED', 'UNKNOWN'])(
    'ends the cloud job with %s and its reason in the last task',
    async (executionStatus) => {
      const { act, detail, job, place, control } = await startTestSimulator();
      const target = place(CHECKOUT);
      await control.outcome({ instanceId: target.instanceId, action: 'stop', executionStatus, messages: 'no quota' });
      const accepted = await act(target, 'stop');
      await control.time({ advanceMs: 10_000 });
      const { status, tasks } = await job(accepted);
      expect(status).toBe(executionStatus);
      expect(tasks.at(-1)).toMatchObject({ TASK_STATUS: executionStatus, MESSAGES: '{"reason":"no quota"}' });
      expect(await detail(target)).toMatchObject({ status: 'RUNNING', available_replica: 2 });
    },
  );

  it('leaves the instance FAILED if the switch or the outcome sets it', async () => {
    const { act, detail, place, control } = await startTestSimulator({ switches: { statusAfterFailure: 'FAILED' } });
    const [first, second] = [place(CHECKOUT), place('shop/checkout/prod-2')];
    await control.outcome({ instanceId: first.instanceId, executionStatus: 'FAILED' });
    await control.outcome({ instanceId: second.instanceId, executionStatus: 'FAILED', instanceStatus: 'DOWN' });
    await act(first, 'stop');
    await act(second, 'stop');
    await control.time({ advanceMs: 10_000 });
    expect(await detail(first)).toMatchObject({ status: 'FAILED' });
    expect(await detail(second)).toMatchObject({ status: 'DOWN' });
  });

  it('hits the n-th matching action only', async () => {
    const { act, job, place, control } = await startTestSimulator();
    const target = place(CHECKOUT);
    await control.outcome({ instanceId: target.instanceId, action: 'restart', nth: 2, executionStatus: 'FAILED' });
    const ends: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      const accepted = await act(target, 'restart');
      await control.time({ advanceMs: 10_000 });
      ends.push((await job(accepted)).status);
    }
    expect(ends).toEqual(['SUCCEEDED', 'FAILED', 'SUCCEEDED']);
  });

  it('makes a cloud job succeed without a healthy replica, take its time, or never end', async () => {
    const { act, detail, job, place, control } = await startTestSimulator();
    const [first, second] = [place(CHECKOUT), place('shop/checkout/prod-2')];
    await control.outcome({ instanceId: first.instanceId, converges: false, durationMs: 60_000 });
    await control.outcome({ instanceId: second.instanceId, neverEnds: true });
    const [long, endless] = [await act(first, 'restart'), await act(second, 'restart')];
    await control.time({ advanceMs: 50_000 });
    expect((await job(long)).status).toBe('RUNNING');
    await control.time({ advanceMs: 3_600_000 });
    expect((await job(long)).status).toBe('SUCCEEDED');
    expect(await detail(first)).toMatchObject({ status: 'RUNNING', available_replica: 0 });
    expect((await job(endless)).status).toBe('RUNNING');
  });
});

describe('somebody in the console', () => {
  it('acts under another user, and the cloud job becomes visible when it should', async () => {
    const { detail, place, control, simulator, get, cas } = await startTestSimulator();
    await control.time({ freeze: true });
    const target = place(CHECKOUT);
    const { cloudJobId } = await control.console({
      instanceId: target.instanceId,
      action: 'scale',
      parameters: { replica: 7 },
      jobType: 'SYSTEM_INNER',
      visibleLateMs: 5_000,
    });
    expect((await detail(target))['last_job_id']).toBeUndefined();
    await control.time({ advanceMs: 5_000 });
    expect(await detail(target)).toMatchObject({ last_job_id: cloudJobId, replica: 7 });
    const { job } = (await get(`${cas}/jobs/${cloudJobId}`)).body;
    expect(job).toMatchObject({ JOB_TYPE: 'SYSTEM_INNER' });
    expect((job as { CREATED_BY: string }).CREATED_BY).not.toBe(simulator.userId);
    expect(await control.accepted(target.instanceId)).toMatchObject([{ cloudJobId, byConsole: true, action: 'scale' }]);
  });
});
