/** The tester's side: time, seed, changes by hand, all problems reported at once, what was logged. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { announcement, startSimulator } from '../../src/simulator/server.js';
import { startTestSimulator } from './api.js';

describe('time', () => {
  it('stops when frozen, moves when advanced, and continues afterwards', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { control } = await startTestSimulator();
    const { nowMs } = await control.time({ freeze: true });
    vi.advanceTimersByTime(10);
    expect(await control.time({})).toEqual({ nowMs });
    expect(await control.time({ advanceMs: 5_000 })).toEqual({ nowMs: nowMs + 5_000 });
    await control.time({ freeze: false });
    vi.advanceTimersByTime(10);
    expect(await control.time({})).toEqual({ nowMs: nowMs + 5_010 });
  });

  it('runs cloud jobs faster by its scale', async () => {
    const { act, job, place, control } = await startTestSimulator({ timeScale: 10 });
    await control.time({ freeze: true });
    const accepted = await act(place('shop/checkout/prod-1'), 'restart');
    await control.time({ advanceMs: 299 });
    expect((await job(accepted)).status).toBe('RUNNING');
    await control.time({ advanceMs: 1 });
    expect((await job(accepted)).status).toBe('SUCCEEDED');
    await control.time({ scale: 1_000 });
    const quick = await act(place('shop/checkout/prod-1'), 'restart');
    await control.time({ advanceMs: 3 });
    expect((await job(quick)).status).toBe('SUCCEEDED');
  });
});

describe('a cloud job in flight', () => {
  it('ends when the tester ends it, with its intended result, even if it would never end', async () => {
    const { act, job, place, control } = await startTestSimulator();
    const target = place('shop/checkout/prod-1');
    await control.outcome({ instanceId: target.instanceId, action: 'stop', neverEnds: true });
    const stop = await act(target, 'stop');
    expect((await control.instance(target.instanceId)).busy).toBe(true);
    expect(await control.finish(target.instanceId)).toEqual({ finished: 1 });
    expect((await job(stop)).status).toBe('SUCCEEDED');
    expect(await control.instance(target.instanceId)).toMatchObject({ status: 'STOPPED', busy: false });
    await control.outcome({ instanceId: target.instanceId, durationMs: 3_600_000, executionStatus: 'FAILED' });
    const start = await act(target, 'start');
    await control.finish(target.instanceId);
    expect((await job(start)).status).toBe('FAILED');
    expect(await control.finish(target.instanceId)).toEqual({ finished: 0 });
  });
});

describe('a seed', () => {
  const story = async (seed: number) => {
    const { simulator, act, place, control, detail } = await startTestSimulator({ seed, switches: { jitter: 0.5 } });
    await control.time({ freeze: true });
    const target = place('shop/checkout/prod-1');
    const { body } = await act(target, 'restart');
    await control.time({ advanceMs: 3_000 });
    return { ...simulator, url: '', controlUrl: '', close: '', body, detail: await detail(target) };
  };

  it('gives the same ids, keys and durations each time, another seed gives others', async () => {
    const first = await story(7);
    expect(await story(7)).toEqual(first);
    expect((await story(8)).instances[0]?.id).not.toBe(first.instances[0]?.id);
  });
});

describe('an instance', () => {
  it('is created with its application and component where they are missing', async () => {
    const { control, get, cas } = await startTestSimulator({ world: 'empty' });
    const seed = { application: 'a', component: 'c', name: 'one', status: 'STOPPED', version: '2.0.0', replica: 3 };
    const one = await control.createInstance(seed);
    const two = await control.createInstance({ application: 'a', component: 'c', name: 'two' });
    expect(two).toMatchObject({ applicationId: one.applicationId, componentId: one.componentId });
    expect(await control.instance(one.instanceId)).toMatchObject({
      status: 'STOPPED',
      version: '2.0.0',
      replica: 3,
      availableReplica: 0,
    });
    expect((await get(`${cas}/applications`)).body).toMatchObject({ count: 1, applications: [{ component_count: 1 }] });
  });

  it('is changed by hand, its newest cloud job too', async () => {
    const { control, detail, place } = await startTestSimulator();
    const target = place('shop/checkout/prod-1');
    await control.change(target.instanceId, {
      status: 'PARTIALLY_FAILED',
      availableReplica: 1,
      failDetail: 'resource_deleted',
      lastJobId: 'JOBother',
    });
    expect(await detail(target)).toMatchObject({
      status: 'PARTIALLY_FAILED',
      available_replica: 1,
      fail_detail: 'resource_deleted',
      last_job_id: 'JOBother',
    });
    await control.change(target.instanceId, { failDetail: null, lastJobId: null });
    expect(Object.keys(await detail(target))).not.toEqual(expect.arrayContaining(['fail_detail', 'last_job_id']));
  });
});

describe('a wrong call of the tester', () => {
  it.each<[string, string, string, object | string, readonly RegExp[]]>([
    [
      'an instance',
      'POST',
      '/instances',
      { application: '', replica: -1, nmae: 'x' },
      [/application/, /component/, /name/, /replica/, /nmae/],
    ],
    ['a time', 'POST', '/time', { advanceMs: 'ten', scale: 0, freeze: 1 }, [/advanceMs.*number/, /scale/, /freeze/]],
    ['a fault', 'POST', '/faults', { nth: 0, fault: { kind: 'status', status: 9 } }, [/nth/, /fault\.status/]],
    ['a kind of fault', 'POST', '/faults', { fault: { kind: 'explode' } }, [/fault\.kind/]],
    ['an outcome', 'POST', '/outcomes', { nth: 0, durationMs: -1 }, [/instanceId/, /nth/, /durationMs/]],
    [
      'a console action',
      'POST',
      '/console',
      { action: 3, parameters: { replica: 'x' } },
      [/instanceId/, /action/, /parameters\.replica/],
    ],
    ['an unknown action', 'POST', '/console', { instanceId: 'x', action: 'explode' }, [/explode/]],
    ['switches', 'PUT', '/switches', { busy: 'maybe', jitter: 2, bsuy: 'x' }, [/busy/, /jitter/, /bsuy/]],
    ['no JSON', 'POST', '/time', '{', [/not JSON/]],
  ])('about %s reports every problem at once', async (_name, method, path, body, problems) => {
    const { simulator } = await startTestSimulator();
    const sent = { method, body: typeof body === 'string' ? body : JSON.stringify(body) };
    const answer = await fetch(`${simulator.controlUrl}${path}`, sent);
    expect(answer.status).toBe(400);
    const text = ((await answer.json()) as { problems: string[] }).problems.join('\n');
    for (const problem of problems) expect(text).toMatch(problem);
  });

  it('changes nothing', async () => {
    const { control } = await startTestSimulator();
    await expect(control.switches({ busyStatus: 400, busy: 'maybe' })).rejects.toThrow(/busy/);
    const { act, place } = await startTestSimulator();
    await act(place('shop/checkout/prod-1'), 'restart');
    expect((await act(place('shop/checkout/prod-1'), 'restart')).status).toBe(409);
  });

  it.each(['GET /instances/none', 'PATCH /instances/none', 'POST /outcomes', 'POST /finish'])(
    '%s is 404: no such instance',
    async (call) => {
      const { simulator } = await startTestSimulator();
      const [method = '', path = ''] = call.split(' ');
      const body = method === 'GET' ? {} : { body: method === 'POST' ? '{"instanceId":"none"}' : '{}' };
      const answer = await fetch(`${simulator.controlUrl}${path}`, { method, ...body });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toEqual({ problems: ['no instance has the id none'] });
    },
  );
});

describe('what was asked', () => {
  it('is counted by route and answer, and logged in a line each without any secret', async () => {
    const lines: string[] = [];
    const { simulator, get, post, act, place, control, cas } = await startTestSimulator({
      log: (line) => lines.push(line),
    });
    const user = { name: simulator.iamUser, password: simulator.iamPassword, domain: { name: simulator.iamDomain } };
    await post('/v3/auth/tokens', { auth: { identity: { methods: ['password'], password: { user } } } }, {});
    await get(`${cas}/applications?limit=1`);
    await get(`${cas}/applications`, { Authorization: 'SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=f00' });
    const { body } = await act(place('shop/checkout/prod-1'), 'stop');
    await control.fault({ fault: { kind: 'reset' } });
    await get(`${cas}/applications`).catch(() => {});
    const { counts, unexpected, requests } = await control.requests();
    expect(counts).toEqual({
      'token 201': 1,
      'applications 200': 1,
      'applications 401': 1,
      'action 200': 1,
      'applications reset': 1,
    });
    expect(unexpected).toBe(0);
    expect(requests).toHaveLength(5);
    expect(lines).toHaveLength(5);
    expect(lines.join('\n')).toContain(`accepted stop as ${String(body['job_id'])}`);
    const shown = lines.join('\n') + JSON.stringify(requests);
    for (const secret of [simulator.token, simulator.secretKey, simulator.iamPassword, 'MIIsimulated', 'f00'])
      expect(shown).not.toContain(secret);
  });
});

it('the announcement is one JSON object with everything a client needs', async () => {
  const simulator = await startSimulator();
  const facts = JSON.parse(JSON.stringify(announcement(simulator))) as Record<string, unknown>;
  await simulator.close();
  expect(Object.keys(facts).sort()).toEqual(
    [
      ...['url', 'controlUrl', 'projectId', 'userId', 'accessKey', 'secretKey', 'token'],
      ...['iamUser', 'iamPassword', 'iamDomain', 'applications', 'components', 'instances'],
    ].sort(),
  );
  await expect(fetch(simulator.url)).rejects.toThrow('fetch failed');
});
