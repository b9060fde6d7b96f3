/** Files that Temporal's variables name are read like all others; otherwise a named pipe would block the start for ever. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadClientConfig } from '../../../src/config/config.js';

let folder = '';
const at = (name: string) => join(folder, name);
const NOT_A_FILE = 'is a named pipe, not a regular file';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-files-'));
  await mkdir(at('temporalio'));
  execFileSync('mkfifo', [at('pipe'), at(join('temporalio', 'temporal.toml'))]);
  await writeFile(at('profile.toml'), `[profile.default]\naddress = "db:7233"\n`);
  await writeFile(at('tls.toml'), `[profile.default.tls]\nserver_ca_cert_path = "${at('pipe')}"\n`);
});
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ['TEMPORAL_CONFIG_FILE', () => ({ TEMPORAL_CONFIG_FILE: at('pipe') })],
  ['TEMPORAL_TLS_CLIENT_CERT_PATH', () => ({ TEMPORAL_TLS_CLIENT_CERT_PATH: at('pipe') })],
  ['TEMPORAL_TLS_CLIENT_KEY_PATH', () => ({ TEMPORAL_TLS_CLIENT_KEY_PATH: at('pipe') })],
  ['TEMPORAL_TLS_SERVER_CA_CERT_PATH', () => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: at('pipe') })],
  ['TEMPORAL_*', () => ({ TEMPORAL_CONFIG_FILE: at('tls.toml') })],
])('a named pipe is a problem with its place: %s', (place, env) => {
  expect(() => loadClientConfig({ HOME: folder, ...env() })).toThrow(`${place}: "${at('pipe')}" ${NOT_A_FILE}`);
});

it('a named pipe instead of the profile file is a problem', () => {
  expect(() => loadClientConfig({ XDG_CONFIG_HOME: folder })).toThrow(
    `"${at('temporalio/temporal.toml')}" ${NOT_A_FILE}`,
  );
});

it('a profile file is read as before', () => {
  const env = { TEMPORAL_CONFIG_FILE: at('profile.toml') };
  expect(loadClientConfig(env).temporal.address).toBe('db:7233');
  expect(loadClientConfig({ HOME: '/nowhere' }).temporal.address).toBe('localhost:7233');
});
