/** The codec server over HTTP: the protocol of the Temporal UI and CLI, which callers it accepts, and what the others can cause. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EncryptionCodec } from '../../src/codec/encryption-codec.js';
import { readEncryptionKeys } from '../../src/codec/encryption-keys.js';
import { KeyRing } from '../../src/codec/key-ring.js';
import { startCodecServer, type CodecServerOptions } from '../../src/codec-server/codec-server.js';
import { approversOf, newSigner, type Signer } from '../support/signer.js';

const UI = 'https://temporal.example.com';
const TOKEN = 'a-token-of-this-test-0123456789';
const WITH_TOKEN = { authorization: `Bearer ${TOKEN}` };

const plain = { metadata: { encoding: base64('json/plain') }, data: base64('{"reason":"hunter2"}') };

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function codecOf(id: string): EncryptionCodec {
  const keys = readEncryptionKeys(`${id} ${randomBytes(32).toString('base64')}`);
  if (typeof keys === 'string') throw new Error(keys);
  return new EncryptionCodec(new KeyRing('/there/is/none', keys, { clock: () => 0 }));
}

interface LogLine extends Readonly<Record<string, unknown>> {
  readonly msg: string;
}

interface Started {
  readonly url: string;
  readonly lines: LogLine[];
  readonly close: () => Promise<void>;
}

async function start(options: Partial<CodecServerOptions> = {}): Promise<Started> {
  const lines: LogLine[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
  const server = await startCodecServer({
    host: '127.0.0.1',
    port: 0,
    codec: codecOf('a'),
    access: { token: () => TOKEN },
    origins: [UI],
    log,
    ...options,
  });
  return { url: server.url, close: () => server.close(), lines };
}

let shared: Started;
let signer: Signer;
beforeAll(async () => {
  shared = await start();
  signer = await newSigner();
});
afterAll(() => shared.close());

interface Answered {
  readonly status: number;
  readonly json: { readonly payloads?: (typeof plain)[]; readonly error?: string; readonly message?: string };
  readonly headers: Headers;
}

async function post(path: string, body: unknown, headers: object = WITH_TOKEN, url = shared.url): Promise<Answered> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, json: (text === '' ? {} : JSON.parse(text)) as object, headers: answer.headers };
}

describe('payloads', () => {
  it('are encrypted and decrypted, in their order, and with a namespace in the path as well', async () => {
    const other = { metadata: { encoding: base64('json/plain') }, data: base64('2') };
    const encrypted = await post('/encode', { payloads: [plain, other] });
    expect(encrypted.status).toBe(200);
    expect(encrypted.json.payloads?.map(({ metadata }) => metadata.encoding)).toEqual(
      Array(2).fill(base64('binary/encrypted')),
    );
    expect(JSON.stringify(encrypted.json)).not.toContain(base64('hunter2').slice(0, 8));
    const back = await post('/operations/decode', encrypted.json);
    expect(back.json).toEqual({ payloads: [plain, other] });
  });

  it('that are not encrypted pass as they are', async () => {
    expect((await post('/decode', { payloads: [plain, {}] })).json).toEqual({ payloads: [plain, {}] });
    expect((await post('/decode', {})).json).toEqual({ payloads: [] });
  });

  it('of a key that is not there are refused with its id, and the others with the reason', async () => {
    const [foreign] = await codecOf('b').encode([{ data: Buffer.from('x') }]);
    const [changed] = await codecOf('a').encode([{ data: Buffer.from('x') }]);
    const asJson = (payload: typeof foreign) => ({
      metadata: {
        encoding: base64('binary/encrypted'),
        'encryption-key-id': Buffer.from(payload?.metadata?.['encryption-key-id'] ?? []).toString('base64'),
      },
      data: Buffer.from(payload?.data ?? []).toString('base64'),
    });
    const unknown = await post('/decode', { payloads: [asJson(foreign)] });
    expect(unknown).toMatchObject({ status: 400, json: { error: 'UnknownEncryptionKey' } });
    expect(unknown.json.message).toContain('encrypted with the key "b"');
    expect(await post('/decode', { payloads: [asJson(changed)] })).toMatchObject({
      status: 400,
      json: { error: 'UnreadablePayload' },
    });
  });

  it('fail without a reason in the answer if the codec is not ours', async () => {
    const fails = () => Promise.reject(new Error('key service: hunter2'));
    const { url, close, lines } = await start({ codec: { encode: fails, decode: fails } });
    onTestFinished(close);
    const { status, json } = await post('/decode', { payloads: [plain] }, WITH_TOKEN, url);
    expect([status, json.error]).toEqual([500, 'codecFailed']);
    expect(JSON.stringify(json)).not.toContain('hunter2');
    expect(lines).toContainEqual(expect.objectContaining({ what: 'key service: hunter2' }));
  });
});

describe('bodies', () => {
  it.each([
    ['text', 'nothing', 'the body is not JSON'],
    ['half of it', '{"payloads": [', 'the body is not JSON'],
    ['a list', [], 'the body is not {"payloads": […]} with bytes in base64'],
    ['null', 'null', 'the body is not {"payloads": […]} with bytes in base64'],
    ['an object as list', { payloads: {} }, 'the body is not {"payloads": […]} with bytes in base64'],
    ['a number as payload', { payloads: [1] }, 'the body is not {"payloads": […]} with bytes in base64'],
    ['a number as bytes', { payloads: [{ data: 1 }] }, 'the body is not {"payloads": […]} with bytes in base64'],
    ['text as metadata', { payloads: [{ metadata: 'x' }] }, 'the body is not {"payloads": […]} with bytes in base64'],
    ['no base64', { payloads: [{ data: '***' }] }, 'the body has bytes that are not base64'],
    ['half of base64', { payloads: [{ metadata: { a: 'a' } }] }, 'the body has bytes that are not base64'],
  ])('of %s are refused', async (_case, body, message) => {
    expect(await post('/decode', body)).toMatchObject({ status: 400, json: { error: 'badBody', message } });
  });

  it('are refused above 8 MiB, and the server answers the next one', async () => {
    const { status, json } = await post('/decode', ' '.repeat(8 * 1024 * 1024 + 1));
    expect([status, json.error]).toEqual([413, 'tooLarge']);
    const largest = { payloads: [{ data: base64('x'.repeat(2_000_000)) }] };
    expect((await post('/decode', largest)).json).toEqual(largest);
  });

  it('are not read before the caller is accepted', async () => {
    const asked = httpRequest(`${shared.url}/decode`, { method: 'POST', headers: { 'content-length': 1_000 } });
    onTestFinished(() => void asked.destroy());
    asked.on('error', () => undefined);
    asked.write('{');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(401);
  });
});

describe('a caller', () => {
  it.each([
    ['without a token', {}],
    ['with another token', { authorization: 'Bearer another-token-of-this-test-00000' }],
    ['with the token in another scheme', { authorization: `Basic ${TOKEN}` }],
  ])('%s is refused', async (_case, headers) => {
    const { status, json, headers: answered } = await post('/decode', { payloads: [plain] }, headers);
    expect([status, json.error]).toEqual([401, 'unauthorized']);
    expect(answered.get('www-authenticate')).toBe('Bearer');
  });

  it('proves who they are with a token of the issuer, and the log has who read how many payloads', async () => {
    const issuer = approversOf(signer.settings);
    const { url, close, lines } = await start({ access: { issuer, roles: ['operator'] } });
    onTestFinished(close);
    const ask = async (claims: object) => {
      const token = await signer.sign({ email: 'ann@example.test', realm_access: { roles: ['operator'] }, ...claims });
      return (await post('/decode', { payloads: [plain] }, { authorization: `Bearer ${token}` }, url)).status;
    };
    expect(await ask({})).toBe(200);
    expect(await ask({ realm_access: { roles: ['reader'] } })).toBe(403);
    expect(await ask({ aud: 'payroll' })).toBe(401);
    expect(await ask({ exp: 1 })).toBe(401);
    expect((await post('/decode', { payloads: [plain] }, WITH_TOKEN, url)).status).toBe(401);
    const read = lines.filter(({ msg }) => msg === 'codec server: payloads converted');
    expect(read).toMatchObject([{ actor: 'ann@example.test', namespace: 'default', direction: 'decode', payloads: 1 }]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(JSON.stringify(lines)).not.toContain(TOKEN);
  });

  it('may use either the token or the issuer where both are given', async () => {
    const { url, close } = await start({ access: { token: () => TOKEN, issuer: approversOf(signer.settings) } });
    onTestFinished(close);
    const authorization = `Bearer ${await signer.sign({ email: 'ann@example.test' })}`;
    for (const headers of [WITH_TOKEN, { authorization }])
      expect((await post('/decode', { payloads: [] }, headers, url)).status).toBe(200);
  });

  it('is anybody where a proxy authenticates', async () => {
    const { url, close } = await start({ access: {} });
    onTestFinished(close);
    expect((await post('/decode', { payloads: [plain] }, {}, url)).json).toEqual({ payloads: [plain] });
    // A page that resolves its own name to this address sends its own origin.
    expect((await post('/decode', { payloads: [plain] }, { origin: 'http://evil.example' }, url)).status).toBe(403);
  });

  it('uses the new token as soon as it changed', async () => {
    let token = TOKEN;
    const { url, close } = await start({ access: { token: () => token } });
    onTestFinished(close);
    token = 'the-next-token-of-this-test-000';
    expect((await post('/decode', {}, WITH_TOKEN, url)).status).toBe(401);
    expect((await post('/decode', {}, { authorization: `Bearer ${token}` }, url)).status).toBe(200);
  });
});

describe('a page of a browser', () => {
  const ask = (origin: string, headers: object = {}) =>
    fetch(`${shared.url}/decode`, { method: 'OPTIONS', headers: { origin, ...headers } });

  it('of the Temporal UI may send what the UI sends, and read the answer', async () => {
    const preflight = await ask(UI, { 'access-control-request-method': 'POST' });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': UI,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, authorization-extras, content-type, x-namespace',
      vary: 'origin',
    });
    const { status, headers } = await post('/decode', { payloads: [plain] }, { ...WITH_TOKEN, origin: UI });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, UI]);
  });

  it.each(['https://evil.example', 'https://temporal.example.com.evil.example', `${UI}:8443`, 'null'])(
    'of %s may not, even with the token',
    async (origin) => {
      const preflight = await ask(origin);
      const { status, headers, json } = await post('/decode', { payloads: [plain] }, { ...WITH_TOKEN, origin });
      expect([preflight.status, status, json.error]).toEqual([403, 403, 'otherOrigin']);
      for (const answered of [preflight.headers, headers])
        expect(answered.get('access-control-allow-origin')).toBeNull();
    },
  );

  it('of another origin is named in the log, because the UI does not show why it cannot connect', async () => {
    const { url, close, lines } = await start();
    onTestFinished(close);
    await fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin: 'http://127.0.0.1:8233' } });
    expect(lines).toMatchObject([{ reason: 'otherOrigin', what: 'http://127.0.0.1:8233' }]);
  });

  it('can read the reason of a refusal', async () => {
    const { status, headers } = await post('/decode', {}, { origin: UI });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([401, UI]);
  });
});

describe('health', () => {
  it('needs no token, and is not ready while the keys cannot be read', async () => {
    const state: { problem: string | null } = { problem: null };
    const { url, close } = await start({ problem: () => Promise.resolve(state.problem) });
    onTestFinished(close);
    const ask = async (path: string) => {
      const answer = await fetch(`${url}${path}`);
      return [answer.status, await answer.json()];
    };
    expect(await ask('/livez')).toEqual([200, { live: true }]);
    expect(await ask('/readyz')).toEqual([200, { ready: true }]);
    state.problem = 'line 1 of a file whose name is secret';
    expect(await ask('/livez')).toEqual([200, { live: true }]);
    expect(await ask('/readyz')).toEqual([503, { ready: false, error: 'keysUnreadable' }]);
  });
});

it.each([
  ['GET', '/decode', 405],
  ['POST', '/livez', 405],
  ['POST', '/', 404],
  ['POST', '/a/b/decode', 404],
  ['POST', '/decode/', 404],
])('%s %s is answered %i', async (method, path, status) => {
  expect((await fetch(`${shared.url}${path}`, { method, headers: WITH_TOKEN })).status).toBe(status);
});
