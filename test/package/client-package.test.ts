/** The package for services, as another team gets it: packed, installed without the whole one, compiled against, connected. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as whole from '../../src/client/index.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { runIn } from './consumer.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(root, 'node_modules/.bin/tsc');
/** Measured: 52 MB, where the whole package has 324 MB. The rest is room for patches of the SDK. */
const AT_MOST_MB = 70;

const temporal = useTemporal();
let stack: Stack;
let folder: string;
beforeAll(async () => {
  stack = await startStack(temporal);
  folder = await mkdtemp(join(tmpdir(), 'client-consumer-'));
  await runIn(root, process.execPath, ['scripts/client-package.mjs', join(folder, 'package')]);
  await runIn(folder, 'npm', ['pack', './package', '--pack-destination', folder]);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const dependencies = {
    'servicestage-runbooks-client': `file:${tarball}`,
    '@types/node': devDependencies['@types/node'],
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  await runIn(folder, 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']);
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a service with servicestage-runbooks-client', () => {
  it('installs no worker, no native code, and a sixth of the size', async () => {
    const installed = await readdir(join(folder, 'node_modules'), { recursive: true });
    expect(installed).toContain('servicestage-runbooks-client/dist/client/index.js');
    expect(installed.filter((path) => /\.node$|^@temporalio\/(worker|core-bridge|testing)/.test(path))).toEqual([]);
    const [kilobytes = ''] = (await runIn(folder, 'du', ['-sk', 'node_modules'])).split('\t');
    expect(Number(kilobytes) / 1024).toBeGreaterThan(10);
    expect(Number(kilobytes) / 1024).toBeLessThan(AT_MOST_MB);
  });

  it('imports the same names', async () => {
    const code = "console.log(JSON.stringify(Object.keys(await import('servicestage-runbooks-client')).sort()))";
    const printed = await runIn(folder, process.execPath, ['--input-type=module', '-e', code]);
    expect(JSON.parse(printed)).toEqual(Object.keys(whole).sort());
    const ofNexus = code.replace('-client', '-client/nexus');
    const names = await runIn(folder, process.execPath, ['--input-type=module', '-e', ofNexus]);
    expect(JSON.parse(names)).toEqual(['reportInFailure', 'runbooksService']);
  });

  it('compiles what uses the whole package, and starts a run with it', async () => {
    await cp(join(root, 'test/package/consumer'), join(folder, 'src'), { recursive: true });
    for (const name of await readdir(join(folder, 'src'))) {
      const code = await readFile(join(folder, 'src', name), 'utf8');
      await writeFile(
        join(folder, 'src', name),
        code.replaceAll("'servicestage-runbooks'", "'servicestage-runbooks-client'"),
      );
    }
    const options = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--strict', '--skipLibCheck'];
    const files = (await readdir(join(folder, 'src'))).map((name) => join('src', name));
    await runIn(folder, TSC, [...options, '--rootDir', 'src', '--outDir', 'out', ...files]);
    const { instanceId, path } = await stack.newInstance();
    const env = { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue, TARGET: path };
    const printed = await runIn(folder, process.execPath, ['out/start-a-run.js'], env);
    expect(JSON.parse(printed)).toMatchObject({ outcome: 'succeeded', nativeAddons: [] });
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
  });
});
