/** The stack commands as processes: the demo leaves nothing running, the worker says what is wrong, the simulator announces itself. */
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { endOf, runbook, spawnCommand } from '../support/command-line.js';

// The demo brings its own Temporal server; finding its program again is what the cache is for.
const env = Object.fromEntries(
  ['TEMPORAL_CLI_PATH', 'XDG_CACHE_HOME', 'GOPATH', 'GOCACHE'].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  ),
);

/** Processes whose parent chain began at the given one and that are still there. */
function leftOf(marker: string): string[] {
  const list = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  return list.split('\n').filter((line) => line.includes(marker) && !line.includes('ps -eo'));
}

/** Ports tell a demo's own processes from others': they are free ones, printed by it. */
function addressesIn(text: string): string[] {
  return [...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port = '']) => port);
}

describe('the demo', () => {
  it.each([
    [[], 'SUCCEEDED  recover'],
    [['--fail', 'rollback'], 'COMPENSATED  recover'],
  ])('with %j shows a run, exits 0, and leaves nothing running', async (words, text) => {
    const { exitCode, stdout } = await runbook(['demo', ...words], env);
    expect(stdout).toContain(text);
    expect(stdout).toMatch(/UI http:\/\/127\.0\.0\.1:\d+/);
    expect(stdout).toContain('Try next');
    expect(exitCode).toBe(0);
    expect(addressesIn(stdout).flatMap((port) => leftOf(`--port ${port} `))).toEqual([]);
  });

  it('with --schedule shows a schedule from its file to its end, exits 0, and leaves nothing running', async () => {
    const { exitCode, stdout } = await runbook(['demo', '--schedule'], env);
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

  it('leaves nothing running after Ctrl-C', async () => {
    const child = spawnCommand(['demo', '--keep'], env);
    const ended = endOf(child);
    await new Promise<void>((resolve) => {
      if (child.stdout === null) throw new Error('no output');
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('runbook start recover')) setTimeout(resolve, 1_500);
      });
    });
    child.kill('SIGINT');
    const { exitCode, stdout } = await ended;
    expect(exitCode).toBe(130);
    expect(addressesIn(stdout).flatMap((port) => leftOf(`--port ${port} `))).toEqual([]);
  });
});

describe('the worker', () => {
  it('refuses to start with every configuration problem in one message, exit code 2', async () => {
    const { exitCode, stderr } = await runbook(['worker'], { RUNBOOK_QUIET: 'soon', SERVICESTAGE_REGION: 'nowhere' });
    expect(exitCode).toBe(2);
    for (const text of ['RUNBOOK_QUIET', 'nowhere', 'HUAWEICLOUD_SDK_PROJECT_ID', 'credentials'])
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
