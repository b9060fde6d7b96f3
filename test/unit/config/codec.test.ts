/** The variables of encryption: what is refused at the start, and what becomes of the rest. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadClientConfig, loadCodecServerConfig } from '../../../src/config/config.js';
import { dataConverterOf, loadCodec } from '../../../src/config/data-converter.js';
import { ConfigurationError, type Environment } from '../../../src/config/environment.js';

const key = randomBytes(32).toString('base64');
let folder: string;
let keys: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'codec-'));
  keys = await file('keys', `2026-11 ${key}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function problemsOf(load: () => unknown): string[] {
  try {
    load();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ place, found }) => `${place}: ${found}`);
  }
}

const silent = () => undefined;
const clientProblems = (env: Environment) => problemsOf(() => loadClientConfig(env));
const converterOf = async (env: Environment) => dataConverterOf(loadClientConfig(env).codec, silent);

describe('the configuration of encryption', () => {
  it('is none by default', async () => {
    expect(await converterOf({})).toEqual({});
  });

  it('of a file of keys becomes a codec, and shows no key', async () => {
    const { dataConverter } = await converterOf({ RUNBOOK_ENCRYPTION_KEYS: keys });
    const [codec] = dataConverter?.payloadCodecs ?? [];
    const [encrypted = {}] = (await codec?.encode([defaultPayloadConverter.toPayload('x')])) ?? [];
    expect(Buffer.from(encrypted.metadata?.['encryption-key-id'] ?? []).toString()).toBe('2026-11');
    const shown = inspect(loadClientConfig({ RUNBOOK_ENCRYPTION_KEYS: keys }), { depth: 20, showHidden: true });
    expect(shown).not.toContain(key);
  });

  it('is refused if the file is missing or wrong, by its line and without its keys', async () => {
    const half = await file('half', `# keys\n2026-11 ${key.slice(0, 20)}\n`);
    expect(clientProblems({ RUNBOOK_ENCRYPTION_KEYS: join(folder, 'none') })).toEqual([
      'RUNBOOK_ENCRYPTION_KEYS: the file of keys does not exist, or is a link to nothing (ENOENT)',
    ]);
    expect(clientProblems({ RUNBOOK_ENCRYPTION_KEYS: half })).toEqual([
      'RUNBOOK_ENCRYPTION_KEYS: the file of keys: line 2 has a key "2026-11" of 15 bytes instead of 32',
    ]);
    expect(clientProblems({ RUNBOOK_ENCRYPTION_KEYS: folder })).toEqual([
      'RUNBOOK_ENCRYPTION_KEYS: the file of keys is a folder, not a regular file',
    ]);
  });

  it('is refused if there are two codecs, or the module is missing', async () => {
    const module = await file('codec.mjs', 'export const payloadCodec = {};');
    expect(clientProblems({ RUNBOOK_ENCRYPTION_KEYS: keys, RUNBOOK_CODEC: module })).toEqual([
      'RUNBOOK_CODEC: RUNBOOK_ENCRYPTION_KEYS is set as well',
    ]);
    expect(clientProblems({ RUNBOOK_CODEC: join(folder, 'none.mjs') })).toHaveLength(1);
  });
});

describe('a module with a codec', () => {
  const CODEC = '{ encode: async (payloads) => payloads, decode: async (payloads) => payloads }';

  it.each([
    ['esm.mjs', `export const payloadCodec = ${CODEC};`],
    ['default.mjs', `export default ${CODEC};`],
    ['common.cjs', `module.exports = { payloadCodec: ${CODEC} };`],
  ])('is taken from %s', async (name, content) => {
    const { dataConverter } = await converterOf({ RUNBOOK_CODEC: await file(name, content) });
    expect(await dataConverter?.payloadCodecs?.[0]?.encode([{}])).toEqual([{}]);
  });

  it.each([
    ['empty.mjs', '', /it exports no payloadCodec/],
    ['half.mjs', 'export const payloadCodec = { encode: async () => [] };', /it exports no payloadCodec/],
    ['throws.mjs', 'throw new Error("no key service");', /it cannot be loaded: no key service/],
  ])('is refused from %s', async (name, content, why) => {
    await expect(converterOf({ RUNBOOK_CODEC: await file(name, content) })).rejects.toThrow(why);
  });
});

it('what happens to the file of keys is reported for the log: changes by the ids of keys, troubles as warnings, no key', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const path = await file('followed', `2026-05 ${key}\n`);
  const { codec: source } = loadClientConfig({ RUNBOOK_ENCRYPTION_KEYS: path });
  if (source === null) throw new Error('there is no codec');
  const lines: string[] = [];
  const { problem } = await loadCodec(source, ({ level, text }) => lines.push(`${level} ${text}`));
  const after = async (...content: readonly string[]) => {
    await writeFile(path, content.join('\n'));
    vi.setSystemTime(Date.now() + 5_000);
    await problem();
    return lines.splice(0);
  };
  const [old, added] = [`2026-05 ${key}`, `2026-11 ${randomBytes(32).toString('base64')}`];
  const name = `The file of keys ${path}`;
  expect(await after(old, added)).toEqual([`info ${name} has changed: 2026-05 encrypts; added: 2026-11`]);
  expect(await after(added, old)).toEqual([`info ${name} has changed: 2026-11 encrypts`]);
  expect(await after(added.slice(0, 20))).toEqual([
    `warn ${name} cannot be used, so the keys of before still count: line 1 has a key "2026-11" of 9 bytes instead of 32`,
  ]);
  expect(await after(added, old)).toEqual([`info ${name} can be read again`]);
  expect(await after(added)).toEqual([`info ${name} has changed: 2026-11 encrypts; removed: 2026-05`]);
  expect(await after('# none')).toHaveLength(1);
  expect(await after(added, old)).toEqual([
    `info ${name} has changed: 2026-11 encrypts; added: 2026-05`,
    `info ${name} can be read again`,
  ]);
});

describe('a codec server', () => {
  const problems = (env: Environment, unauthenticated = false) =>
    problemsOf(() => loadCodecServerConfig(env, unauthenticated));
  const token = { RUNBOOK_CODEC_TOKEN: 'a-token-of-this-test' };

  it('needs keys, and a caller that it accepts', () => {
    expect(problems({})).toEqual([
      'RUNBOOK_CODEC_TOKEN: no caller could be accepted: neither a token nor RUNBOOK_CODEC_ISSUER is given',
      'RUNBOOK_ENCRYPTION_KEYS: there is nothing to decrypt with',
    ]);
    expect(problems({ RUNBOOK_ENCRYPTION_KEYS: keys, ...token })).toEqual([]);
    expect(problems({ RUNBOOK_ENCRYPTION_KEYS: keys }, true)).toEqual([]);
    expect(problems({ RUNBOOK_ENCRYPTION_KEYS: keys, ...token }, true)).toEqual([
      'RUNBOOK_CODEC_TOKEN: --unauthenticated is given as well',
    ]);
    expect(problems({ RUNBOOK_ENCRYPTION_KEYS: keys, ...token, RUNBOOK_CODEC_ROLES: 'a' })).toEqual([
      'RUNBOOK_CODEC_ROLES: there is no RUNBOOK_CODEC_ISSUER',
    ]);
  });

  it.each(['*', 'temporal.example.com', 'https://temporal.example.com/', 'https://temporal.example.com/ui', 'null'])(
    'refuses %s as an origin',
    (origin) => {
      expect(problems({ RUNBOOK_ENCRYPTION_KEYS: keys, ...token, RUNBOOK_CODEC_ORIGINS: origin })).toEqual([
        'RUNBOOK_CODEC_ORIGINS: it contains something that is not an origin',
      ]);
    },
  );

  it('takes several origins', () => {
    const env = {
      ...token,
      RUNBOOK_ENCRYPTION_KEYS: keys,
      RUNBOOK_CODEC_ORIGINS: 'https://a.example, http://localhost:8233',
    };
    expect(loadCodecServerConfig(env, false).origins).toEqual(['https://a.example', 'http://localhost:8233']);
  });
});
