/** What the package for services asks its users to install. `test/package/client-package.test.ts` installs it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const writePackage = async (folder: string) =>
  promisify(execFile)(process.execPath, [join(root, 'scripts/client-package.mjs'), folder]);

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly publishConfig: { readonly provenance: boolean };
}
const manifestIn = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-package-'));
  await writePackage(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('servicestage-runbooks-client', () => {
  it('needs only what the client imports: no worker, no server, no metrics, no files of runbooks', async () => {
    const { dependencies } = await manifestIn(folder);
    // A new import of the client is a new dependency of every service that embeds it: measure its size before you add it here.
    expect(Object.keys(dependencies)).toEqual([
      '@grpc/grpc-js',
      '@temporalio/client',
      '@temporalio/common',
      '@temporalio/interceptors-opentelemetry',
      '@temporalio/proto',
      'nexus-rpc',
    ]);
  });

  it('has the version, licence, provenance and exact dependencies of the whole package', async () => {
    const [client, whole] = [await manifestIn(folder), await manifestIn(root)];
    expect(whole.dependencies).toMatchObject(client.dependencies);
    expect(client).toMatchObject({
      version: whole.version,
      license: 'Apache-2.0',
      publishConfig: { provenance: true },
    });
  });

  it('is never written over something else', async () => {
    const other = await mkdtemp(join(tmpdir(), 'client-package-'));
    await writeFile(join(other, 'kept'), 'text');
    await expect(writePackage(other)).rejects.toThrow('is not empty');
    expect(await readFile(join(other, 'kept'), 'utf8')).toBe('text');
    await rm(other, { recursive: true });
  });
});
