/** The variables of encryption: what is refused at the start, and what becomes of the rest. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadClientConfig, loadCodecServerConfig } from '../../../src/config/config.js';
import { dataConverterOf } from '../../../src/config/data-converter.js';
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
