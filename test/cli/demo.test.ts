/**
 * The stack commands as processes: the demo leaves nothing running, the worker reports what is wrong, the simulator
 * announces itself.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { endOf, runbookProcess, spawnCommand, untilShown } from '../support/command-line.js';

const BUILT_IN = fileURLToPath(new URL('../../runbooks', import.meta.url));

// The demo brings its own Temporal server; finding its program again is what the cache is for.
const env = Object.fromEntries(
  ['TEMPORAL_CLI_PATH', 'XDG_CACHE_HOME', 'GOPATH', 'GOCACHE'].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  ),
);

/** The address that its first line shows. */
function addressOf(text: string): string {
  return /Temporal server +(\S+),/.exec(text)?.[1] ?? '';
}

/** Processes whose parent chain began at the given one and that are still there. */
function leftOf(marker: string): string[] {
  const list = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  return list.split('\n').filter((line) => line.includes(marker) && !line.includes('ps -eo'));
}

/** A demo's processes are recognized by their ports, which were free and which it prints. */
function addressesIn(text: string): string[] {
  return [...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port = '']) => port);
}

describe('the demo', () => {
  it.each([
    [[], 'SUCCEEDED  recover'],
    [['--fail', 'rollback'], 'COMPENSATED  recover'],
  ])('with %j shows a run, exits 0, and leaves nothing running', async (words, text) => {
    const { exitCode, stdout } = await runbookProcess(['demo', ...words], env);
    expect(stdout).toContain(text);
    expect(stdout).toMatch(/UI http:\/\/127\.0\.0\.1:\d+/);
    expect(stdout).toContain('Try next');
    expect(exitCode).toBe(0);
    expect(addressesIn(stdout).flatMap((port) => leftOf(`--port ${port} `))).toEqual([]);
  });

  it('with --schedule shows a schedule from its file to its end, exits 0, and leaves nothing running', async () => {
    const { exitCode, stdout } = await runbookProcess(['demo', '--schedule'], env);
    for (const text of [
      '+ demo/often  to be created',
      'demo/often  created',
      'SUCCEEDED  restart',
      'requested by schedule demo/often: The demo',
      'demo/often  deleted',
    ])
      expect(stdout).toContain(text);
    expect(exitCode).toBe(0);
    expect(addressesIn(stdout).flatMap((port) => leftOf(`--port ${port} `))).toEqual([]);
  });

  it('with --keep reads the folders of RUNBOOK_DIR, and names them at the start and when a runbook is missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'runbooks-demo-'));
    await writeFile(join(folder, 'hello.yaml'), 'name: hello\ntitle: Reads an instance\nsteps: []\n');
    await writeFile(join(folder, 'broken.yaml'), 'name: broken\ntitle: x\nsteps: [{ action: stpo }]\n');
    const child = spawnCommand(['demo', '--keep'], {
      ...env,
      RUNBOOK_DIR: folder,
      RUNBOOK_TASK_QUEUE: 'of-a-real-one',
    });
    const ended = endOf(child);
    const shown = await untilShown(child, /Everything keeps running/);
    expect(shown).toContain(`Runbooks           12, read from ${BUILT_IN}, ${folder}`);
    expect(shown).toContain('broken.yaml:3:');
    for (const [name, port] of [
      ['Temporal server', 7233],
      ['ServiceStage', 8123],
    ] as const)
      expect(shown).toMatch(new RegExp(`${name} .*:${port}\\b|port ${port} is taken`));
    const there = { TEMPORAL_ADDRESS: addressOf(shown) };
    const planned = await runbookProcess(['plan', 'hello', '--target', 'shop/checkout/prod-1'], there);
    expect(planned).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('hello: Reads an instance') });
    const missed = await runbookProcess(['plan', 'helo', '--target', 'shop/checkout/prod-1'], there);
    expect(missed.stderr).toContain(`Did you mean hello?`);
    expect(missed.stderr).toContain(`it reads ${BUILT_IN}, ${folder}`);
    const variables = [...(/^ {2}export (.*)$/m.exec(shown)?.[1] ?? '').matchAll(/(\w+)=(\S+)/g)];
    const cloud = Object.fromEntries(variables.map(([, name = '', value = '']) => [name, value]));
    const listed = await runbookProcess(['targets', 'shop/checkout/prod-1'], { ...there, ...cloud });
    expect(listed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('no run acts on it') });
    child.kill('SIGINT');
    expect((await ended).exitCode).toBe(0);
    await rm(folder, { recursive: true });
  });

  it('leaves nothing running after Ctrl-C', async () => {
    const child = spawnCommand(['demo', '--keep'], env);
    const ended = endOf(child);
    // The command has printed something, so its run is under way.
    await untilShown(child, /runbook start recover.*\n.+\n/);
    child.kill('SIGINT');
    const { exitCode, stdout } = await ended;
    expect(exitCode).toBe(130);
    expect(addressesIn(stdout).flatMap((port) => leftOf(`--port ${port} `))).toEqual([]);
  });
});

describe('the worker', () => {
  it('refuses to start with every configuration problem in one message, exit code 2', async () => {
    const { exitCode, stderr } = await runbookProcess(['worker'], {
      RUNBOOK_QUIET_PERIOD: 'soon',
      SERVICESTAGE_REGION: 'nowhere',
    });
    expect(exitCode).toBe(2);
    for (const text of ['RUNBOOK_QUIET_PERIOD', 'nowhere', 'HUAWEICLOUD_SDK_PROJECT_ID', 'credentials'])
      expect(stderr).toContain(text);
  });
});

describe('the simulator', () => {
  it('announces itself in its first line, then logs each request', async () => {
    const child = spawnCommand(['simulator', '--json', '--seed', '7']);
    const lines: string[] = [];
    const [first = ''] = await new Promise<string[]>((resolve) => {
      if (child.stdout === null) throw new Error('no output');
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        resolve(lines);
      });
    });
    const announced = JSON.parse(first) as Record<string, unknown> & { url: string; secretKey: string };
    expect(Object.keys(announced)).toEqual(
      expect.arrayContaining([
        'url',
        'controlUrl',
        'projectId',
        'accessKey',
        'secretKey',
        'token',
        'applications',
        'components',
        'instances',
      ]),
    );
    await fetch(`${announced.url}/v2/x/cas/applications`);
    await expect.poll(() => lines.length).toBeGreaterThan(1);
    expect(lines[1]).toContain('GET /v2/x/cas/applications 401');
    expect(lines.slice(1).join()).not.toContain(announced.secretKey);
    const ended = endOf(child);
    child.kill('SIGTERM');
    expect((await ended).exitCode).toBe(0);
  });
});
