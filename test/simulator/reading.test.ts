/** The simulator's reads: documented bodies, not-found codes, lists and their limit rule, pages of tasks. */
import { describe, expect, it } from 'vitest';
import { startTestSimulator } from './api.js';

describe('an instance', () => {
  it('has the documented fields, and the list repeats the names that it leaves out', async () => {
    const { get, place } = await startTestSimulator();
    const { path, instanceId } = place('billing/invoices/prod-1');
    const { status, headers, body } = await get(path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toMatchObject({
      id: instanceId,
      name: 'prod-1',
      platform_type: 'vmapp',
      version: '3.1.0',
      refer_resources: [{ type: 'ecs', parameters: { hosts: ['ecs-0a11', 'ecs-0a12'] } }],
      status_detail: { status: 'RUNNING', replica: 2, available_replica: 2 },
    });
    expect(body).not.toHaveProperty('application_id');
    expect(body['create_time']).toBeGreaterThan(1_600_000_000_000);
    const list = await get(path.slice(0, path.lastIndexOf('/')));
    expect(list.body).toMatchObject({
      count: 1,
      instances: [{ id: instanceId, application_name: 'billing', component_name: 'invoices' }],
    });
    expect((list.body['instances'] as object[])[0]).not.toHaveProperty('refer_resources');
  });

  it('that is not running has its status and what is left of its replicas', async () => {
    const { detail, place } = await startTestSimulator();
    expect(await detail(place('shop/search/prod-1'))).toMatchObject({ status: 'STOPPED', available_replica: 0 });
    expect(await detail(place('billing/ledger/prod-1'))).toMatchObject({ status: 'DOWN', available_replica: 0 });
  });
});

describe('what does not exist', () => {
  it.each([
    ['an application', '/applications/none/components', 'SVCSTG.00100403'],
    ['a component', '/applications/A/components/none/instances', 'SVCSTG.00100404'],
    ['an instance', '/applications/A/components/C/instances/none', 'SVCSTG.00100412'],
    ['the snapshots of an instance', '/applications/A/components/C/instances/none/snapshots', 'SVCSTG.00100412'],
    ['a cloud job', '/jobs/none', 'SVCSTG.00100429'],
  ])('%s is answered with 404 and its code', async (_name, path, code) => {
    const { get, cas, simulator, control } = await startTestSimulator();
    const { applicationId, componentId } = simulator.instances[0] ?? expect.fail();
    const real = `${cas}${path.replace('/A/', `/${applicationId}/`).replace('/C/', `/${componentId}/`)}`;
    expect(await get(real)).toMatchObject({ status: 404, body: { error_code: code } });
    await control.switches({ notFoundStyle: 401, errorTextKey: 'error_message' });
    const hidden = await get(real);
    expect(hidden).toMatchObject({ status: 401, body: { error_code: 'SVCSTG.00100401' } });
    expect(hidden.body['error_message']).toMatch(/not found$/);
  });

  it('a component of another application is not found', async () => {
    const { get, cas, simulator } = await startTestSimulator();
    const [first, last] = [simulator.applications[0], simulator.components.at(-1)];
    const path = `${cas}/applications/${first?.id}/components/${last?.id}/instances`;
    expect(await get(path)).toMatchObject({ status: 404, body: { error_code: 'SVCSTG.00100404' } });
  });

  it.each([
    ['GET', '/v2/p/cas/nonsense'],
    ['GET', '/v1/p/cas/applications'],
    ['POST', '/v2/p/cas/applications'],
    ['GET', '/v2/p/cas/applications/'],
  ])('%s %s is not a call of the vendor: APIGW.0101, and counted as unexpected', async (method, path) => {
    const { get, post, control } = await startTestSimulator();
    const { status, body } = method === 'GET' ? await get(path) : await post(path, {});
    expect(status).toBe(404);
    expect(body).toMatchObject({ error_code: 'APIGW.0101', request_id: expect.any(String) as string });
    expect(await control.requests()).toMatchObject({ unexpected: 1, counts: { 'unknown 404': 1 } });
  });
});

describe('a list', () => {
  it.each([
    ['', 25],
    ['?limit=1', 1],
    ['?limit=100', 25],
    ['?limit=1000', 25],
    ['?limit=0', 0],
    ['?limit=101', 10],
    ['?limit=200', 10],
    ['?limit=-1', 10],
    ['?limit=ten', 10],
    ['?limit=10&offset=20', 5],
    ['?limit=10&offset=99', 0],
  ])('of 25 applications asked with "%s" gives %i rows and the whole count', async (query, expected) => {
    const { get, cas, control } = await startTestSimulator({ world: 'empty' });
    for (let index = 0; index < 25; index++)
      await control.createInstance({ application: `app-${index}`, component: 'c', name: 'n' });
    const { body } = await get(`${cas}/applications${query}`);
    expect(body['count']).toBe(25);
    expect(body['applications']).toHaveLength(expected);
  });

  it('of snapshots comes newest first, or oldest first when asked', async () => {
    const { get, place, control } = await startTestSimulator();
    const { path } = place('shop/checkout/prod-1');
    const versions = async (query: string) => {
      const { snapshots } = (await get(`${path}/snapshots${query}`)).body;
      return (snapshots as { version: string }[]).map(({ version }) => version);
    };
    expect(await versions('')).toEqual(['1.4.0', '1.3.2', '1.3.1']);
    expect(await versions('?order=asc')).toEqual(['1.3.1', '1.3.2', '1.4.0']);
    await control.switches({ snapshotsListRunningVersion: true });
    expect(await versions('')).toEqual(['1.4.1', '1.4.0', '1.3.2', '1.3.1']);
    const first = ((await get(`${path}/snapshots?limit=1`)).body['snapshots'] as object[])[0];
    expect(first).toMatchObject({
      description: '{"action":"New Version: 1.4.1"}',
      create_time: expect.any(Number) as number,
    });
  });
});

describe('a cloud job', () => {
  it('shows twenty tasks by default, in either order', async () => {
    const { get, act, place, cas, control } = await startTestSimulator({ switches: { taskCount: 45 } });
    const { body } = await act(place('shop/checkout/prod-1'), 'restart');
    await control.time({ advanceMs: 10_000 });
    const tasks = async (query: string) => {
      const read = (await get(`${cas}/jobs/${String(body['job_id'])}${query}`)).body;
      expect(read['task_count']).toBe(45);
      return (read['tasks'] as { TASK_NAME: string }[]).map(({ TASK_NAME: name }) => Number(name.split('_').at(-1)));
    };
    expect(await tasks('')).toHaveLength(20);
    expect(await tasks('?limit=100')).toHaveLength(45);
    expect(await tasks('?limit=2&offset=44')).toEqual([45]);
    expect(await tasks('?limit=2&desc=true')).toEqual([45, 44]);
    expect(await tasks('?limit=2&desc=false')).toEqual([1, 2]);
  });

  it.each([
    ['upper', 'EXECUTION_STATUS', 'TASK_STATUS'],
    ['lower', 'execution_status', 'task_status'],
  ])('has keys in %s case if the switch is set', async (jobKeyCase, jobKey, taskKey) => {
    const { get, act, place, cas, control } = await startTestSimulator();
    await control.switches({ jobKeyCase, jobType: 'PROVISION' });
    const { body } = await act(place('shop/checkout/prod-1'), 'restart');
    await control.time({ advanceMs: 10_000 });
    const read = (await get(`${cas}/jobs/${String(body['job_id'])}`)).body;
    expect(read).toMatchObject({ job: { [jobKey]: 'SUCCEEDED' }, tasks: [{ [taskKey]: 'SUCCEEDED' }, {}, {}] });
    expect(JSON.stringify(read['job'])).toContain('PROVISION');
  });
});
