/**
 * The package as others get it: packed, installed, compiled against, run; and the documentation's TypeScript compiled
 * and run with it.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { installConsumer, type Consumer } from './consumer.js';

const SLOW_MACHINE_MS = 300_000;
const temporal = useTemporal();
let stack: Stack;
let consumer: Consumer;
beforeAll(async () => {
  stack = await startStack(temporal);
  consumer = await installConsumer();
});
afterAll(async () => {
  await stack.close();
  await consumer.remove();
});

describe('the tarball', () => {
  it('holds what runs, the catalogue, schemas and the change log; no sources and no tests', () => {
    for (const path of ['CHANGELOG.md', 'README.md', 'dist/client/index.d.ts', 'runbooks/runbook.schema.json'])
      expect(consumer.packed).toContain(path);
    expect(consumer.packed).toContain('dist/workflow-bundle.js');
    expect(consumer.packed.filter((path) => /^(src|test|examples|docs|scripts|bench)\//.test(path))).toEqual([]);
    expect(consumer.packed.filter((path) => /(?<!\.d)\.ts$|tsbuildinfo/.test(path))).toEqual([]);
  });

  it('has a command that works where it is installed', async () => {
    const listed = await consumer.run('npx', ['--no-install', 'runbook', 'list']);
    expect(listed).toContain('recover');
    expect(listed).toContain('Restart an instance');
  });

  it('gives the schema to editors by its name', async () => {
    const words = ['-p', "require.resolve('servicestage-runbooks/runbook.schema.json')"];
    expect(await consumer.run(process.execPath, words)).toContain('runbook.schema.json');
  });
});

describe('a consumer', () => {
  it.each([
    ['nodenext', { module: 'nodenext' }],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ])(
    'compiles with module resolution %s, wrong inputs are errors, and our own types need no skipLibCheck',
    async (name, options) => {
      await consumer.compile(name, ['*.ts'], { ...options, skipLibCheck: true });
      const printed = await consumer.compile(`${name}-libs`, ['*.ts'], options).catch((error: Error) => error.message);
      expect(printed.split('\n').filter((line) => /servicestage-runbooks\/dist|^[\w-]+\.ts/.test(line))).toEqual([]);
    },
    SLOW_MACHINE_MS,
  );

  it(
    'starts a run, shows its progress and prints its report without native code',
    async () => {
      await consumer.compile('run', ['*.ts'], { module: 'nodenext', skipLibCheck: true });
      const { instanceId, path } = await stack.newInstance();
      const env = { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue, TARGET: path };
      const printed = await consumer.run(process.execPath, ['out/run/start-a-run.js'], env);
      expect(JSON.parse(printed)).toMatchObject({
        started: 'started',
        outcome: 'succeeded',
        steps: ['stop succeeded', 'rollback succeeded', 'start succeeded'],
        lastPhase: 'finished',
        severalSnapshots: true,
        listsSharedObjects: true,
        nativeAddons: [],
      });
      expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
      // The check of loaded modules detects native code if there is any.
      const loadsIt =
        "await import('@temporalio/worker'); console.log(process.report.getReport().sharedObjects.join())";
      expect(await consumer.run(process.execPath, ['--input-type=module', '-e', loadsIt])).toMatch(/\.node\b/);
    },
    SLOW_MACHINE_MS,
  );

  it(
    'compiles the example service, copied out of the repository, by its own configuration',
    async () => {
      await consumer.compileFolder('incident-service');
      expect(await readdir(join(consumer.folder, 'incident-service/out'))).toContain('main.js');
    },
    SLOW_MACHINE_MS,
  );
});

describe('the documentation', () => {
  it(
    'compiles, every TypeScript block of it; those that are whole programs run',
    async () => {
      await consumer.compile('documented', ['documented/*.ts'], { module: 'nodenext', skipLibCheck: true });
      for (const program of ['README-md-1.js', 'docs-client-md-1.js']) {
        const { path } = await stack.newInstance();
        const file = join(consumer.folder, 'out/documented/documented', program);
        const code = (await readFile(file, 'utf8'))
          .replace("address: 'localhost:7233'", `address: '${temporal.address}', taskQueue: '${temporal.taskQueue}'`)
          .replaceAll('shop/checkout/prod-1', path)
          .replaceAll('incident-4711', `incident-${path.replaceAll('/', '-')}`);
        await writeFile(file, code);
        expect(await consumer.run(process.execPath, [file])).toContain('succeeded');
      }
    },
    SLOW_MACHINE_MS,
  );
});
