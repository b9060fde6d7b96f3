/** Environments that are not clean: worker, gateway and command line say at once, in one message, what is wrong with them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runbook, runbookProcess, spawnCommand, untilShown } from '../support/command-line.js';

const UNCLEAN = {
  TEMPORAL_ADDRESS: 'https://temporal.example.com:7233',
  TEMPORAL_API_KEY: 'first line\nsecond line',
  TEMPORAL_NAMESPACE: '"ops"',
  RUNBOOK_LOG_LEVEL: 'loud',
  RUNBOOK_TASKQUEUE: 'ops',
  HTTPS_PROXY: 'socks5://proxy:1080',
};
const EVERY_PROBLEM = [
  'TEMPORAL_ADDRESS: "https://temporal.example.com:7233" is not host:port',
  'TEMPORAL_API_KEY: it contains a line break',
  'TEMPORAL_NAMESPACE: it is in quotes',
  'RUNBOOK_LOG_LEVEL: "loud" is not known',
  'RUNBOOK_TASKQUEUE: there is no such variable',
  'HTTPS_PROXY: it names a proxy of the kind socks5://',
];
/** What the kubelet puts into every pod of a namespace that has a Service "runbook-gateway". */
const SERVICE_LINKS = {
  RUNBOOK_GATEWAY_SERVICE_HOST: '10.96.12.3',
  RUNBOOK_GATEWAY_SERVICE_PORT: '8095',
  RUNBOOK_GATEWAY_PORT: 'tcp://10.96.12.3:8095',
  RUNBOOK_GATEWAY_PORT_8095_TCP: 'tcp://10.96.12.3:8095',
};

describe('an environment with problems', () => {
  it.each([
    [['worker'], runbookProcess],
    [['gateway', '--file', 'alarms.yaml'], runbookProcess],
    [['report', 'x'], runbook],
    [['schedule', 'list'], runbook],
    [['list'], runbook],
  ])('ends %j with 2 and all of them', async (words, run) => {
    const { exitCode, stdout, stderr } = await run(words, UNCLEAN);
    for (const problem of EVERY_PROBLEM) expect(stderr).toContain(problem);
    expect(stderr).not.toContain('second line');
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });
});

describe('an environment that is only unusual', () => {
  it('of a pod, with line ends of Windows, is taken', async () => {
    const { exitCode, stderr } = await runbook(['list'], {
      ...SERVICE_LINKS,
      RUNBOOK_LOG_LEVEL: 'info\r',
      NO_PROXY: ' , ',
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringContaining('problem') as unknown });
  });

  it('lets a gateway listen on ::1 and print an address with brackets', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'runbooks-environment-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'token'), 'a-token-of-this-test-0123456789\n');
    const file = join(folder, 'alarms.yaml');
    const rule = {
      ...{ when: { alertname: 'Hangs' }, runbook: 'restart', target: 'shop/checkout/prod-1' },
      ...{ within: ['shop/*/*'], coolDown: '1h', atOnce: 'unlimited' },
    };
    await writeFile(
      file,
      JSON.stringify({
        owner: 'ops',
        senders: { prod: { kind: 'alertmanager', tokenFiles: ['token'] } },
        rules: { hung: rule },
      }),
    );
    const gateway = spawnCommand(
      ['gateway', '--file', file, '--host', '::1', '--port', '0', '--dry-run', '--json'],
      SERVICE_LINKS,
    );
    onTestFinished(() => void gateway.kill('SIGKILL'));
    // Its log follows the first line, and may arrive with it.
    const { url } = JSON.parse((await untilShown(gateway, /\n/)).split('\n')[0] ?? '') as { url: string };
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const { port } = new URL(url);
    expect(await runbookProcess(['simulator', '--host', '::1', '--port', port])).toMatchObject({
      exitCode: 1,
      stderr: `runbook: cannot listen on [::1]:${port}: another process uses it (EADDRINUSE)\n`,
    });
  });
});
