/** Each kind of armed fault: what the client sees, and whether the cloud acted. */
import { describe, expect, it } from 'vitest';
import type { FaultRequest } from '../support/simulator.js';
import { startTestSimulator, type Reply } from './api.js';

interface Row {
  readonly fault: FaultRequest['fault'];
  /** Status of the answer, or that there was none. */
  readonly sees: number | 'no answer';
  readonly acts: boolean;
  readonly also?: (reply: Reply) => void;
}

const ROWS: readonly Row[] = [
  { fault: { kind: 'status', status: 500 }, sees: 500, acts: false },
  {
    fault: {
      kind: 'status',
      status: 503,
      code: 'APIGW.0613',
      message: 'IAM is unreachable',
      headers: { 'Retry-After': '3' },
    },
    sees: 503,
    acts: false,
    also: ({ body, headers }) => {
      expect(body).toMatchObject({ error_code: 'APIGW.0613', error_msg: 'IAM is unreachable' });
      expect(headers.get('retry-after')).toBe('3');
    },
  },
  {
    fault: { kind: 'status', status: 502, body: '<html>Bad Gateway</html>' },
    sees: 502,
    acts: false,
    also: ({ text, headers }) => {
      expect(text).toBe('<html>Bad Gateway</html>');
      expect(headers.get('content-type')).toBe('text/html');
    },
  },
  { fault: { kind: 'status', status: 204 }, sees: 204, acts: false },
  {
    fault: { kind: 'throttle', limit: 7, windowSeconds: 120, retryAfterSeconds: 9 },
    sees: 429,
    acts: false,
    also: ({ body, headers }) => {
      expect(body['error_msg']).toContain('limit:7,time:2 minute');
      expect(headers.get('retry-after')).toBe('9');
    },
  },
  {
    fault: { kind: 'tokenExpired' },
    sees: 401,
    acts: false,
    also: ({ body }) => expect(body['error_code']).toBe('APIGW.0307'),
  },
  { fault: { kind: 'reset' }, sees: 'no answer', acts: false },
  { fault: { kind: 'hang', ms: 30 }, sees: 'no answer', acts: false },
  { fault: { kind: 'delay', ms: 30 }, sees: 200, acts: true },
  { fault: { kind: 'wrongBody' }, sees: 200, acts: false, also: ({ text }) => expect(text).toBe('<html>OK</html>') },
  {
    fault: { kind: 'redirect', location: '/login' },
    sees: 307,
    acts: false,
    also: ({ headers }) => expect(headers.get('location')).toBe('/login'),
  },
  { fault: { kind: 'actThenReset' }, sees: 'no answer', acts: true },
  { fault: { kind: 'actThenHang', ms: 30 }, sees: 'no answer', acts: true },
  { fault: { kind: 'actThenStatus', status: 504 }, sees: 504, acts: true },
  { fault: { kind: 'actThenWrongBody' }, sees: 200, acts: true, also: ({ text }) => expect(text).toBe('{}') },
  { fault: { kind: 'truncate' }, sees: 'no answer', acts: true },
  {
    fault: { kind: 'visibleLate', ms: 1_000 },
    sees: 200,
    acts: true,
    also: ({ body }) => expect(body['job_id']).toMatch(/^JOB/),
  },
];

describe('a fault on an action', () => {
  it.each(ROWS.map((row) => ({ ...row, name: JSON.stringify(row.fault) })))(
    '$name: the client sees $sees; the cloud acts: $acts',
    async ({ fault, sees, acts, also }) => {
      const { act, place, control } = await startTestSimulator();
      const target = place('shop/checkout/prod-1');
      await control.fault({ on: { route: 'action' }, fault });
      const reply = await act(target, 'stop').catch(() => null);
      expect(reply?.status ?? 'no answer').toBe(sees);
      if (reply !== null) also?.(reply);
      expect(await control.accepted()).toHaveLength(acts ? 1 : 0);
      expect(await control.faults()).toMatchObject([{ hits: 1 }]);
      // Used up: the next one goes as usual.
      expect((await act(place('shop/checkout/prod-2'), 'stop')).status).toBe(200);
    },
  );

  it('that acts late resets at once and accepts afterwards', async () => {
    const { act, place, control } = await startTestSimulator();
    await control.fault({ fault: { kind: 'actLate', ms: 50 } });
    await expect(act(place('shop/checkout/prod-1'), 'stop')).rejects.toThrow('fetch failed');
    expect(await control.accepted()).toEqual([]);
    await expect.poll(() => control.accepted()).toHaveLength(1);
  });

  it('does not act where the request would have been refused', async () => {
    const { post, place, control } = await startTestSimulator();
    await control.fault({ fault: { kind: 'actThenStatus', status: 504 } });
    const { path } = place('shop/checkout/prod-1');
    expect((await post(`${path}/action`, { action: 'stop' }, { 'X-Auth-Token': 'wrong' })).status).toBe(504);
    expect(await control.accepted()).toEqual([]);
  });
});

describe('an action that shows late', () => {
  it('leaves last_job_id as it was until its time has come, the status by its own delay', async () => {
    const { act, detail, place, control } = await startTestSimulator();
    await control.time({ freeze: true });
    const target = place('shop/checkout/prod-1');
    const first = await act(target, 'restart');
    await control.time({ advanceMs: 3_000 });
    await control.fault({ fault: { kind: 'visibleLate', ms: 800, statusMs: 400 } });
    const second = await act(target, 'restart');
    const before = { status: 'RUNNING', last_job_id: first.body['job_id'], last_job_status: 'SUCCEEDED' };
    expect(await detail(target)).toMatchObject(before);
    await control.time({ advanceMs: 399 });
    expect(await detail(target)).toMatchObject(before);
    await control.time({ advanceMs: 1 });
    expect(await detail(target)).toMatchObject({ ...before, status: 'RESTARTING' });
    await control.time({ advanceMs: 400 });
    expect(await detail(target)).toMatchObject({ last_job_id: second.body['job_id'], last_job_status: 'RUNNING' });
  });

  it('may be the rule, by switch', async () => {
    const { act, detail, place, control } = await startTestSimulator({ switches: { visibleLateMs: 500 } });
    await control.time({ freeze: true });
    const target = place('shop/checkout/prod-1');
    const { body } = await act(target, 'restart');
    expect(await detail(target)).not.toHaveProperty('last_job_id');
    await control.time({ advanceMs: 500 });
    expect(await detail(target)).toMatchObject({ last_job_id: body['job_id'] });
  });
});

describe('a fault hits', () => {
  it('the n-th matching request, as often as armed', async () => {
    const { get, place, control } = await startTestSimulator();
    await control.fault({ on: { route: 'instance' }, nth: 2, times: 2, fault: { kind: 'status', status: 500 } });
    const statuses: number[] = [];
    for (let round = 0; round < 5; round++) statuses.push((await get(place('shop/checkout/prod-1').path)).status);
    expect(statuses).toEqual([200, 500, 500, 200, 200]);
  });

  it('everything that matches for a time, from the first request it hits', async () => {
    const { get, place, control } = await startTestSimulator();
    await control.time({ freeze: true });
    const { path } = place('shop/checkout/prod-1');
    await control.fault({ on: { route: 'instance' }, nth: 2, forMs: 1_000, fault: { kind: 'status', status: 500 } });
    const status = async () => (await get(path)).status;
    expect([await status(), await status(), await status()]).toEqual([200, 500, 500]);
    await control.time({ advanceMs: 999 });
    expect(await status()).toBe(500);
    await control.time({ advanceMs: 1 });
    expect([await status(), await status()]).toEqual([200, 200]);
  });

  it('only its route, action and instance', async () => {
    const { get, act, place, control } = await startTestSimulator();
    const [first, second] = [place('shop/checkout/prod-1'), place('shop/checkout/prod-2')];
    const on = { route: 'action', action: 'stop', instanceId: second.instanceId };
    await control.fault({ on, fault: { kind: 'status', status: 500 } });
    expect((await get(second.path)).status).toBe(200);
    expect((await act(first, 'stop')).status).toBe(200);
    expect((await act(second, 'stop')).status).toBe(500);
    expect((await act(second, 'restart')).status).toBe(200);
  });

  it('nothing once it is cleared', async () => {
    const { get, place, control } = await startTestSimulator();
    await control.fault({ times: 100, fault: { kind: 'status', status: 500 } });
    await control.clearFaults();
    expect((await get(place('shop/checkout/prod-1').path)).status).toBe(200);
    expect(await control.faults()).toEqual([]);
  });
});
