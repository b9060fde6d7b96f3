/** The simulator's gate: tokens and signatures are really checked, a key is locked, requests are throttled. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Secret } from '../../src/servicestage/secret.js';
import { signRequest } from '../../src/servicestage/sign-request.js';
import { startTestSimulator, type TestSimulator } from './api.js';

function login({
  iamUser,
  iamPassword,
  iamDomain,
}: {
  iamUser: string;
  iamPassword: string;
  iamDomain: string;
}): object {
  const user = { name: iamUser, password: iamPassword, domain: { name: iamDomain } };
  return { auth: { identity: { methods: ['password'], password: { user } }, scope: { project: { id: 'any' } } } };
}

interface Signing {
  readonly secretKey?: string;
  readonly accessKey?: string;
  readonly securityToken?: string;
  readonly body?: string;
  readonly skewMs?: number;
}

function signed(
  { simulator }: TestSimulator,
  method: string,
  path: string,
  signing: Signing = {},
): Record<string, string> {
  const { accessKey = simulator.accessKey, secretKey = simulator.secretKey, securityToken, body = '' } = signing;
  const token = securityToken === undefined ? {} : { securityToken: new Secret(securityToken) };
  const request = { method, path, query: [], host: new URL(simulator.url).host, headers: {}, body };
  const now = new Date(Date.now() + (signing.skewMs ?? 0));
  return signRequest(request, { accessKey, secretKey: new Secret(secretKey), ...token }, now);
}

describe('a token', () => {
  it('comes with 201 in a header, and its body contains the expiry', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { post, get, cas, simulator } = await startTestSimulator({ switches: { tokenLifetimeSeconds: 3_600 } });
    const { status, headers, body, text } = await post('/v3/auth/tokens?nocatalog=true', login(simulator), {});
    const token = headers.get('x-subject-token') ?? '';
    expect(status).toBe(201);
    expect(text).not.toContain(token);
    const { expires_at: expiresAt } = body['token'] as { expires_at: string };
    expect(expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(Date.parse(expiresAt) - Date.now()).toBe(3_600_000);
    expect(await get(`${cas}/applications`, { 'X-Auth-Token': token })).toMatchObject({ status: 200 });
  });

  it.each([
    ['a wrong password', { iamPassword: 'wrong' }, 401],
    ['an unknown user', { iamUser: 'unknown' }, 401],
    ['another account', { iamDomain: 'other' }, 401],
  ])('is not given for %s', async (_name, change, status) => {
    const { post, simulator } = await startTestSimulator();
    const reply = await post('/v3/auth/tokens', login({ ...simulator, ...change }), {});
    expect(reply).toMatchObject({ status, body: { error: { code: status, title: 'Unauthorized' } } });
    expect(reply.headers.get('x-subject-token')).toBeNull();
  });

  it.each(['', '{', '{"auth":{}}'])('is not given for the body "%s"', async (body) => {
    const { post } = await startTestSimulator();
    expect(await post('/v3/auth/tokens', body, {})).toMatchObject({ status: 400, body: { error: { code: 400 } } });
  });

  it.each([
    ['is missing', () => ({}), 'x-auth-token not found'],
    ['was never issued', () => ({ 'X-Auth-Token': 'made-up' }), 'decrypt token fail'],
  ])('that %s is refused', async (_name, headers, message) => {
    const { get, cas } = await startTestSimulator();
    const { status, body } = await get(`${cas}/applications`, headers());
    expect(status).toBe(401);
    expect(body).toMatchObject({ error_code: 'APIGW.0301', error_msg: expect.stringContaining(message) as string });
  });

  it('must be updated when its time has passed, or when the tester demands it', async () => {
    const { get, cas, control } = await startTestSimulator({ switches: { tokenLifetimeSeconds: 60 } });
    expect(await get(`${cas}/applications`)).toMatchObject({ status: 200 });
    await control.time({ advanceMs: 60_000 });
    const expired = { status: 401, body: { error_code: 'APIGW.0307', error_msg: 'The token must be updated' } };
    expect(await get(`${cas}/applications`)).toMatchObject(expired);
    await control.time({ advanceMs: -60_000 });
    await control.expireTokens();
    expect(await get(`${cas}/applications`)).toMatchObject(expired);
  });

  it('for one project does not open another', async () => {
    const { get } = await startTestSimulator();
    expect(await get('/v2/another/cas/applications')).toMatchObject({
      status: 403,
      body: { error_code: 'APIGW.0310' },
    });
  });
});

describe('a signature', () => {
  it.each<[string, Signing, number]>([
    ['that is right', {}, 200],
    ['with a clock 14 minutes off', { skewMs: 14 * 60_000 }, 200],
    ['with a clock 16 minutes off', { skewMs: -16 * 60_000 }, 401],
    ['with another secret key', { secretKey: 'wrong' }, 401],
    ['with another access key', { accessKey: 'OTHER' }, 401],
    ['over another body', { body: '{}' }, 401],
  ])('%s is answered with %i', async (_name, signing, status) => {
    const running = await startTestSimulator();
    const path = `${running.cas}/applications`;
    expect((await running.get(path, signed(running, 'GET', path, signing))).status).toBe(status);
  });

  it('covers method, path, query and every header it names', async () => {
    const running = await startTestSimulator();
    const { get, post, cas } = running;
    const path = `${cas}/applications`;
    const headers = signed(running, 'GET', path);
    expect((await get(`${path}?limit=1`, headers)).status).toBe(401);
    expect((await get(`${path}/x/components`, headers)).status).toBe(401);
    expect((await get(path, { ...headers, 'X-Sdk-Date': '20200101T000000Z' })).status).toBe(401);
    const action = `${running.place('shop/checkout/prod-1').path}/action`;
    expect((await post(action, { action: 'stop' }, signed(running, 'POST', action))).status).toBe(401);
    const body = '{"action": "stop"}';
    expect((await post(action, body, signed(running, 'POST', action, { body }))).status).toBe(200);
  });

  it('of temporary keys needs the security token, signed', async () => {
    const running = await startTestSimulator({ securityToken: 'sts' });
    const path = `${running.cas}/applications`;
    expect((await running.get(path, signed(running, 'GET', path, { securityToken: 'sts' }))).status).toBe(200);
    expect((await running.get(path, signed(running, 'GET', path, { securityToken: 'old' }))).status).toBe(401);
    const unsigned = { ...signed(running, 'GET', path), 'X-Security-Token': 'sts' };
    expect((await running.get(path, unsigned)).status).toBe(401);
  });

  it('that fails more than five times in a row locks the key for five minutes', async () => {
    const running = await startTestSimulator();
    const { get, cas, control } = running;
    const path = `${cas}/applications`;
    const failures = async (count: number) => {
      for (let round = 0; round < count; round++) await get(path, signed(running, 'GET', path, { secretKey: 'wrong' }));
    };
    await failures(5);
    expect((await get(path, signed(running, 'GET', path))).status).toBe(200);
    await failures(6);
    const locked = await get(path, signed(running, 'GET', path));
    expect(locked).toMatchObject({ status: 401, body: { error_code: 'APIGW.0301' } });
    await control.time({ advanceMs: 5 * 60_000 });
    expect((await get(path, signed(running, 'GET', path, { skewMs: 5 * 60_000 }))).status).toBe(200);
  });

  it('lets its user be looked up, and no other', async () => {
    const running = await startTestSimulator();
    const path = `/v3.0/OS-CREDENTIAL/credentials/${running.simulator.accessKey}`;
    const { status, body } = await running.get(path, signed(running, 'GET', path));
    expect([status, body]).toEqual([
      200,
      { credential: expect.objectContaining({ user_id: running.simulator.userId }) as object },
    ]);
    const other = '/v3.0/OS-CREDENTIAL/credentials/OTHER';
    expect((await running.get(other, signed(running, 'GET', other))).status).toBe(404);
  });
});

describe('a second access key', () => {
  /** The status of a request that is signed with that key. */
  const statusWith = async (running: TestSimulator, key: Signing) => {
    const path = `${running.cas}/applications`;
    return (await running.get(path, signed(running, 'GET', path, key))).status;
  };

  it('is valid beside the first one, which is refused once it is deleted', async () => {
    const running = await startTestSimulator();
    const { control, simulator, get, cas } = running;
    const first = { accessKey: simulator.accessKey, secretKey: simulator.secretKey };
    const second = await control.createKey();
    expect(await control.accessKeys()).toEqual([first.accessKey, second.accessKey]);
    expect([await statusWith(running, first), await statusWith(running, second)]).toEqual([200, 200]);
    expect(await statusWith(running, { ...second, secretKey: first.secretKey })).toBe(401);
    await control.deleteKey(first.accessKey);
    expect(await statusWith(running, second)).toBe(200);
    const path = `${cas}/applications`;
    expect(await get(path, signed(running, 'GET', path, first))).toMatchObject({
      status: 401,
      body: { error_code: 'APIGW.0301', error_msg: expect.stringContaining(`ak:${first.accessKey},err:ak not exist`) },
    });
  });

  it('belongs to the same user, and there are never three', async () => {
    const running = await startTestSimulator();
    const { control, simulator, get } = running;
    const { accessKey, secretKey } = await control.createKey();
    const path = `/v3.0/OS-CREDENTIAL/credentials/${accessKey}`;
    const { body } = await get(path, signed(running, 'GET', path, { accessKey, secretKey }));
    expect(body).toMatchObject({ credential: { access: accessKey, user_id: simulator.userId } });
    await expect(control.createKey()).rejects.toThrow('at most two');
    await expect(control.deleteKey('OTHER')).rejects.toThrow('there is no access key OTHER');
    await control.deleteKey(simulator.accessKey);
    expect((await control.createKey()).accessKey).not.toBe(accessKey);
  });

  it('is not locked by failures of the first one', async () => {
    const running = await startTestSimulator();
    const { control, simulator } = running;
    const second = await control.createKey();
    await control.deleteKey(simulator.accessKey);
    for (let round = 0; round < 8; round++) await statusWith(running, {});
    expect(await statusWith(running, second)).toBe(200);
  });
});

describe('the rate limit', () => {
  it.each([
    [1, 'time:1 second'],
    [300, 'time:5 minute'],
  ])(
    'of two requests in %i s is reported as "%s", refused requests count, and it ends',
    async (windowSeconds, window) => {
      const { get, cas, control } = await startTestSimulator();
      await control.time({ freeze: true });
      await control.switches({ rateLimit: { requests: 2, windowSeconds } });
      const statuses: number[] = [];
      for (let round = 0; round < 4; round++) statuses.push((await get(`${cas}/applications`)).status);
      expect(statuses).toEqual([200, 200, 429, 429]);
      const { body, headers } = await get(`${cas}/applications`);
      expect(body).toMatchObject({ error_code: 'APIGW.0308', request_id: expect.any(String) as string });
      expect(body['error_msg']).toContain(`over ratelimit,limit:2,${window}`);
      expect(headers.get('retry-after')).toBeNull();
      await control.time({ advanceMs: windowSeconds * 1_000 });
      expect((await get(`${cas}/applications`)).status).toBe(200);
    },
  );
});
