/** `NAME_FILE` instead of `NAME`: for every secret variable, followed on disk as Kubernetes and others replace files. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadClientConfig, loadConfig, type Config } from '../../../src/config/config.js';
import { ConfigurationError, type Environment } from '../../../src/config/environment.js';
import { fileVariable, type SecretFileNotice } from '../../../src/config/secret-files.js';
import { FILE_VARIABLE_NAMES, configVariables } from '../../../src/config/variables.js';

const PLACE: Environment = { SERVICESTAGE_REGION: 'cn-north-4', HUAWEICLOUD_SDK_PROJECT_ID: 'p1', HOME: '/nowhere' };

let folder: string;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Time passes, so that the next use reads the files again. */
function later(): void {
  vi.advanceTimersByTime(1_000);
}

function problemsOf(env: Environment): string[] {
  try {
    loadConfig({ ...PLACE, ...env });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ place, found }) => `${place}: ${found}`);
  }
}

/** A mounted Secret of Kubernetes: files are links through `..data`, which is swapped in one step. */
function mounted(version: string, texts: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, `..${version}`));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, `..${version}`, name), text);
  symlinkSync(`..${version}`, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
}

function keyOf({ serviceStage: { credentials } }: Config) {
  if (credentials.kind !== 'keyFiles') throw new Error(`not a key in files: ${credentials.kind}`);
  const { accessKey, secretKey, securityToken } = credentials.read();
  return [accessKey, secretKey.reveal(), securityToken?.reveal() ?? null];
}

it('every secret variable may come from a file, and the access key with its secret key', () => {
  const documented = configVariables.filter(({ secret }) => secret).map(({ name }) => name);
  expect(FILE_VARIABLE_NAMES).toEqual(
    expect.arrayContaining([...documented, 'HUAWEICLOUD_SDK_AK', 'TEMPORAL_API_KEY']),
  );
  for (const name of FILE_VARIABLE_NAMES)
    expect(problemsOf({ [fileVariable(name)]: '/there/is/none' }).join('\n')).toContain(
      `${name}_FILE: the file that it names does not exist`,
    );
});

describe('a mounted access key', () => {
  const AK = {
    HUAWEICLOUD_SDK_AK_FILE: 'ak',
    HUAWEICLOUD_SDK_SK_FILE: 'sk',
    HUAWEICLOUD_SDK_SECURITY_TOKEN_FILE: 'st',
  };
  const envOf = () =>
    Object.fromEntries(
      Object.entries(AK).map(([variable, name]) => {
        symlinkSync(join('..data', name), join(folder, name));
        return [variable, join(folder, name)];
      }),
    );

  it('is read again, whole, after Kubernetes has swapped the folder', () => {
    mounted('2026_1', { ak: 'AK1\n', sk: 'secret-1\n', st: 'token-1\n' });
    const config = loadConfig({ ...PLACE, ...envOf() });
    const notices: SecretFileNotice[] = [];
    config.secretFiles.reportTo((notice) => notices.push(notice));
    expect(keyOf(config)).toEqual(['AK1', 'secret-1', 'token-1']);
    mounted('2026_2', { ak: 'AK2\n', sk: 'secret-2\n', st: 'token-2\n' });
    later();
    // Nothing uses the key now, and the change is reported.
    config.secretFiles.check();
    expect(notices).toHaveLength(1);
    expect(keyOf(config)).toEqual(['AK2', 'secret-2', 'token-2']);
    rmSync(join(folder, '..data'));
    later();
    expect(keyOf(config)).toEqual(['AK2', 'secret-2', 'token-2']);
    mounted('2026_3', { ak: 'AK2\n', sk: 'secret-2\n', st: 'token-2\n' });
    later();
    expect(keyOf(config)).toEqual(['AK2', 'secret-2', 'token-2']);
    expect(notices.map(({ level }) => level)).toEqual(['info', 'warn', 'info']);
    expect(notices.at(-1)?.text).toBe(
      'HUAWEICLOUD_SDK_AK_FILE, HUAWEICLOUD_SDK_SK_FILE, HUAWEICLOUD_SDK_SECURITY_TOKEN_FILE: can be read again, and the value has not changed',
    );
    expect(inspect(notices)).not.toMatch(/secret-|token-|secrets-/);
  });

  it('does not take a key that no header can hold', () => {
    mounted('2026_1', { ak: 'AK1', sk: 'secret-1', st: 'token-1' });
    const config = loadConfig({ ...PLACE, ...envOf() });
    mounted('2026_2', { ak: 'AK2', sk: 'sécret-2', st: 'token-2' });
    later();
    expect(keyOf(config)).toEqual(['AK1', 'secret-1', 'token-1']);
  });

  it('may have its id in a variable', () => {
    const config = loadConfig({ ...PLACE, HUAWEICLOUD_SDK_AK: 'AK1', HUAWEICLOUD_SDK_SK_FILE: file('sk', 'one') });
    file('sk', 'two');
    later();
    expect(keyOf(config)).toEqual(['AK1', 'two', null]);
  });
});

it('a key of Temporal is revealed for each call', () => {
  const path = file('key', 'key-1\n');
  const { apiKey } = loadClientConfig({ HOME: '/nowhere', TEMPORAL_API_KEY_FILE: path }).temporal.connectionOptions;
  if (typeof apiKey !== 'function') throw new Error('the key is fixed');
  expect(apiKey()).toBe('key-1');
  file('key', 'key-2\n');
  later();
  expect(apiKey()).toBe('key-2');
  file('key', 'schlüssel\n');
  later();
  expect(apiKey()).toBe('key-2');
});

it('the secrets of webhooks may come from files as well', () => {
  const { webhookSecrets } = loadClientConfig({ RUNBOOK_NOTIFY_OPS_URL_FILE: file('url', 'https://chat.example/1\n') });
  expect([...webhookSecrets.keys()]).toEqual(['RUNBOOK_NOTIFY_OPS_URL']);
  file('url', 'https://chat.example/2\n');
  later();
  expect(webhookSecrets.get('RUNBOOK_NOTIFY_OPS_URL')?.reveal()).toBe('https://chat.example/2');
});

describe('what is refused at the start', () => {
  const given = (env: Environment) => problemsOf({ HUAWEICLOUD_SDK_AK: 'AK', ...env });

  it('both forms of one secret', () => {
    expect(given({ HUAWEICLOUD_SDK_SK: 'secret-1', HUAWEICLOUD_SDK_SK_FILE: file('sk', 'secret-2') })).toEqual([
      'HUAWEICLOUD_SDK_SK_FILE: HUAWEICLOUD_SDK_SK is set as well',
    ]);
  });

  it('a file that is empty, missing, a folder or too large, and nothing that follows from it', () => {
    const found = (path: string) => given({ HUAWEICLOUD_SDK_SK_FILE: path });
    const problem = (what: string) => [`HUAWEICLOUD_SDK_SK_FILE: the file that it names ${what}`];
    expect(found(file('empty', '\n'))).toEqual(problem('is empty'));
    expect(found(join(folder, 'nowhere'))).toEqual(problem('does not exist, or is a link to nothing (ENOENT)'));
    expect(found(folder)).toEqual(problem('is a folder, not a regular file'));
    expect(found(file('large', 'x'.repeat(70_000)))).toEqual(problem('is larger than 64 KiB'));
  });

  it('the secret itself instead of its file: it is not shown', () => {
    expect(given({ HUAWEICLOUD_SDK_SK_FILE: 'my-secret-key' }).join()).not.toContain('my-secret');
  });

  it('a file with more than the secret', () => {
    expect(given({ HUAWEICLOUD_SDK_SK_FILE: file('sk', 'one\ntwo') })).toEqual([
      'HUAWEICLOUD_SDK_SK: it contains a line break',
    ]);
  });
});
