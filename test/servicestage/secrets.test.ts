/** No error shows a credential, whatever goes wrong and whatever the other side echoes. */
import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/servicestage/auth.js';
import { Secret } from '../../src/servicestage/secret.js';
import { clientOf, post, READ, TARGET } from './client.js';
import { answer, closedPort, startRawServer, type Arrival, type Behaviour } from './raw-server.js';

const SECRETS = ['secret-token', 'secret-"key', 'secret-security-token', 'secret-"password', 'secret-fetched-token'];

const CREDENTIALS: Readonly<Record<string, (iamEndpoint: string) => Credentials>> = {
  token: () => ({ kind: 'token', token: new Secret('secret-token') }),
  'access key': () => ({
    kind: 'accessKey',
    accessKey: 'AK1',
    secretKey: new Secret('secret-"key'),
    securityToken: new Secret('secret-security-token'),
  }),
  password: (iamEndpoint) => ({
    kind: 'password',
    iamEndpoint,
    user: 'operator',
    password: new Secret('secret-"password'),
    domain: 'account',
  }),
};

/** As a gateway does that prints the canonical request of a refused signature. */
const echo = (arrival: Arrival) => `verify fail: ${arrival.body}|${arrival.head.replaceAll('\r\n', '|')}`;

const FAULTS: Readonly<Record<string, Behaviour>> = {
  reset: { onRequest: (socket) => socket.resetAndDestroy() },
  silence: {},
  'half an answer': { onRequest: (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{') },
  'no HTTP': { onRequest: (socket, arrival) => void socket.end(echo(arrival)) },
  'an echo in 200': {
    onRequest: (socket, arrival) => answer(socket, 200, { job: echo(arrival), status_detail: echo(arrival) }),
  },
  ...Object.fromEntries(
    [302, 400, 401, 403, 404, 409, 429, 500, 502].map((status) => [
      `an echo in ${status}`,
      {
        onRequest: (socket, arrival) =>
          answer(socket, status, { error_code: 'APIGW.0301', error_msg: echo(arrival) }, { Location: '/elsewhere' }),
      } satisfies Behaviour,
    ]),
  ),
  'an echo in HTML': { onRequest: (socket, arrival) => answer(socket, 502, `<html>${echo(arrival)}</html>`) },
  'an echo in the error of IAM': {
    onRequest: (socket, arrival) =>
      answer(socket, 401, { error: { code: 401, message: echo(arrival), title: 'Unauthorized' } }),
  },
};

/** Everything that a log, a failure of Temporal or a debugger could print of it. */
function everythingOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at !== undefined && at !== null; at = at instanceof Error ? at.cause : undefined) {
    parts.push(inspect(at, { depth: 10, showHidden: true }), JSON.stringify(at), format('%s', at));
    if (at instanceof Error) parts.push(at.stack ?? '', JSON.stringify(Object.getOwnPropertyDescriptors(at)));
  }
  return parts.join('\n');
}

function expectNoSecret(text: string): void {
  for (const secret of SECRETS) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
  }
  expect(text).not.toMatch(/Signature=[0-9a-f]/);
}

async function errorsOf(endpoint: string, credentials: Credentials): Promise<unknown[]> {
  const client = clientOf({ endpoint, credentials, iamEndpoint: endpoint });
  const calls = [post(client, { timeoutMs: 200 }), client.readInstance(TARGET, { timeoutMs: 200 })];
  const ended = await Promise.allSettled(calls);
  return ended.map((call) => (call.status === 'rejected' ? call.reason : undefined));
}

describe.each(Object.entries(CREDENTIALS))('with a %s', (_kind, credentials) => {
  it.each(Object.entries(FAULTS))('%s shows no secret', async (_name, behaviour) => {
    const { endpoint } = await startRawServer(behaviour);
    for (const error of await errorsOf(endpoint, credentials(endpoint))) {
      expect(error).toBeInstanceOf(Error);
      expectNoSecret(everythingOf(error));
    }
  });

  it.each([
    ['a closed port', async () => `http://127.0.0.1:${await closedPort()}`],
    ['an unknown host', async () => 'http://servicestage.invalid'],
    ['a wrong endpoint', async () => 'nonsense'],
  ])('%s shows no secret', async (_name, endpointOf) => {
    const endpoint = await endpointOf();
    for (const error of await errorsOf(endpoint, credentials(endpoint))) {
      expect(error).toBeInstanceOf(Error);
      expectNoSecret(everythingOf(error));
    }
  });
});

it('a token that was fetched is hidden where ServiceStage echoes it', async () => {
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const { endpoint } = await startRawServer({
    onRequest: (socket, arrival) =>
      arrival.path.startsWith('/v3/auth/tokens')
        ? answer(socket, 201, { token: { expires_at: expires } }, { 'X-Subject-Token': 'secret-fetched-token' })
        : answer(socket, 403, { error_code: 'APIGW.0302', error_msg: echo(arrival) }),
  });
  const credentials = CREDENTIALS['password']?.(endpoint) ?? expect.fail();
  const texts = (await errorsOf(endpoint, credentials)).map(everythingOf);
  for (const text of texts) {
    expect(text).toContain('***');
    expectNoSecret(text);
  }
});

it('a client shows no secret of its own', async () => {
  for (const credentials of Object.values(CREDENTIALS)) {
    const client = clientOf({ endpoint: 'http://127.0.0.1:1', credentials: credentials('http://127.0.0.1:1') });
    await client.readInstance(TARGET, READ).catch(() => {});
    expectNoSecret(everythingOf(client));
  }
});
