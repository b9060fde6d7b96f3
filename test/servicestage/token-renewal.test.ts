/** When a fetched token is renewed: by its age on a clock of the test's own, and by answers that come late. */
import { describe, expect, it } from 'vitest';
import { createAuthenticator, type Credentials } from '../../src/servicestage/auth.js';
import { createHttpClient } from '../../src/servicestage/http.js';
import { Secret } from '../../src/servicestage/secret.js';
import { clientOf, failureOf, READ, TARGET } from './client.js';
import { answer, startRawServer, type Arrival } from './raw-server.js';

const TOKEN_PATH = '/v3/auth/tokens?nocatalog=true';
const START_MS = Date.UTC(2026, 10, 23, 8);
const HOUR_MS = 3_600_000;

function passwordAt(iamEndpoint: string): Credentials {
  return { kind: 'password', iamEndpoint, user: 'operator', password: new Secret('pw'), domain: 'account' };
}

const tokenIn = ({ head }: Arrival) => /^x-auth-token: (.*)$/im.exec(head)?.[1]?.trim();

/** An authenticator whose tokens live an hour, on a clock that the test sets; IAM can be made silent. */
async function authenticatorOnClock() {
  const clock = { nowMs: START_MS };
  const iam = { answers: true, refuses: false };
  const server = await startRawServer({
    onRequest: (socket) => {
      if (iam.refuses) answer(socket, 401, { error: { code: 401, message: 'wrong', title: 'Unauthorized' } });
      else if (iam.answers) {
        const token = { expires_at: new Date(clock.nowMs + HOUR_MS).toISOString() };
        answer(socket, 201, { token }, { 'X-Subject-Token': `token-${server.arrivals.length}` });
      }
    },
  });
  const authenticator = createAuthenticator({
    http: createHttpClient(),
    projectId: TARGET.projectId,
    credentials: passwordAt(server.endpoint),
    nowMs: () => clock.nowMs,
  });
  const token = () =>
    authenticator.headersFor({ method: 'GET', path: '/', query: [], host: 'h', headers: {}, body: '' })['X-Auth-Token'];
  return { clock, iam, server, authenticator, token };
}

describe('a token that lives an hour', () => {
  it('is used for nine tenths of it', async () => {
    const { clock, server, authenticator, token } = await authenticatorOnClock();
    await authenticator.ready(1_000);
    clock.nowMs += 0.9 * HOUR_MS - 1;
    await authenticator.ready(1_000);
    expect(token()).toBe('token-1');
    expect(server.arrivals.map(({ path }) => path)).toEqual([TOKEN_PATH]);
  });

  it('is renewed during its last tenth without delaying requests, even if IAM is silent', async () => {
    const { clock, iam, server, authenticator, token } = await authenticatorOnClock();
    await authenticator.ready(1_000);
    clock.nowMs += 0.9 * HOUR_MS;
    iam.answers = false;
    await authenticator.ready(50);
    expect(token()).toBe('token-1');
    await expect.poll(() => server.arrivals.length).toBe(2);
    iam.answers = true;
    // The unanswered request runs into its limit first.
    const renewed = async () => {
      await authenticator.ready(1_000);
      return token();
    };
    await expect.poll(renewed).toBe('token-3');
  });

  it('is not used after it: everybody waits for a new one', async () => {
    const { clock, iam, authenticator, token } = await authenticatorOnClock();
    await authenticator.ready(1_000);
    clock.nowMs += HOUR_MS;
    await authenticator.ready(1_000);
    expect(token()).toBe('token-2');
    clock.nowMs += HOUR_MS;
    iam.answers = false;
    expect(await failureOf(authenticator.ready(50))).toMatchObject({ code: 'Unreachable', sent: 'no' });
  });
});

it('a refused password is tried again after a minute, not before', async () => {
  const { clock, iam, server, authenticator } = await authenticatorOnClock();
  iam.refuses = true;
  expect((await failureOf(authenticator.ready(1_000))).code).toBe('NotAllowed');
  clock.nowMs += 59_999;
  expect((await failureOf(authenticator.ready(1_000))).code).toBe('NotAllowed');
  expect(server.arrivals).toHaveLength(1);
  iam.refuses = false;
  clock.nowMs += 1;
  await authenticator.ready(1_000);
  expect(server.arrivals).toHaveLength(2);
});

it('a late "token expired" about an old token does not throw the new one away', async () => {
  const refusal = { error_code: 'APIGW.0307', error_msg: 'The token must be updated' };
  let refuseHeld: (() => void) | undefined;
  const server = await startRawServer({
    onRequest: (socket, arrival) => {
      const issued = server.arrivals.filter(({ path }) => path === TOKEN_PATH).length;
      if (arrival.path === TOKEN_PATH) {
        const token = { expires_at: new Date(Date.now() + HOUR_MS).toISOString() };
        // A moment later than the requests with the old token, on any clock.
        setTimeout(() => answer(socket, 201, { token }, { 'X-Subject-Token': `token-${issued}` }), 20);
      } else if (tokenIn(arrival) !== 'token-1') answer(socket, 200, { status_detail: { status: 'RUNNING' } });
      else if (refuseHeld === undefined) refuseHeld = () => answer(socket, 401, refusal);
      else answer(socket, 401, refusal);
    },
  });
  const client = clientOf({ ...server, credentials: passwordAt(server.endpoint) });
  const first = client.readInstance(TARGET, READ);
  await expect.poll(() => refuseHeld).toBeDefined();
  await client.readInstance(TARGET, READ);
  refuseHeld?.();
  expect((await first).status).toBe('RUNNING');
  expect(server.arrivals.filter(({ path }) => path === TOKEN_PATH)).toHaveLength(2);
});
