/** The `runbook` command as users type it: text, JSON, exit codes, and its messages for wrong usage. */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseId } from '../../src/domain/target/target.js';
import { isCancelRequested } from '../support/cancel-request.js';
import { endOf, runbook, runbookProcess, spawnCommand, untilShown } from '../support/command-line.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
let env: Record<string, string>;
let folder: string;
beforeAll(async () => {
  env = { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue };
  folder = await mkdtemp(join(tmpdir(), 'runbooks-cli-'));
  const calendars = join(folder, 'calendars');
  await mkdir(calendars);
  await writeFile(
    join(calendars, 'prod-freeze.yaml'),
    'timezone: UTC\nfreezes:\n  - { name: For ever, from: 2020-01-01, to: 2099-12-31 }\n',
  );
  stack = await startStack(temporal, { calendarDirectories: [calendars] });
  await writeFile(join(folder, 'bad.yaml'), 'name: bad\ntitel: x\nsteps:\n  - action: stpo\n');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await stack.close();
});

describe('local commands', () => {
  it('--help is quick: it loads nothing of Temporal', async () => {
    const { exitCode, stdout, stderr } = await endOf(spawnCommand(['--help'], { NODE_DEBUG: 'module,esm' }));
    expect(exitCode).toBe(0);
    expect(stdout).toContain('13  indeterminate');
    expect(stderr).toContain('commander');
    expect(stderr).not.toContain('@temporalio');
  });

  it('list shows the catalogue and where it was read from', async () => {
    const { exitCode, stdout, stderr } = await runbookProcess(['list']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('recover');
    expect(stderr).toContain('Read from');
    const { runbooks } = JSON.parse((await runbook(['list', '--json'])).stdout) as { runbooks: { name: string }[] };
    expect(runbooks).toHaveLength(11);
  });

  it('list --verbose names what it does not read, and why', async () => {
    const mine = join(folder, 'edited');
    await mkdir(mine);
    for (const name of ['.#x.yaml', 'x.yaml~', '\u001b[2J']) await writeFile(join(mine, name), '');
    const edited = { RUNBOOK_DIR: mine, RUNBOOK_CALENDARS: mine };
    const { exitCode, stderr } = await runbook(['list', '--verbose'], edited);
    expect(exitCode).toBe(0);
    expect(stderr.match(/Not read: .*\.#x\.yaml: a lock of an editor/g)).toHaveLength(2);
    expect(stderr).toContain('\\u001b[2J: its name does not end in .yaml or .yml');
    const { notRead } = JSON.parse((await runbook(['list', '--verbose', '--json'], edited)).stdout) as {
      notRead: unknown[];
    };
    expect(notRead).toHaveLength(6);
    expect((await runbook(['list'], edited)).stderr).not.toContain('Not read');
  });

  it('show prints the inputs, and suggests near misses', async () => {
    expect((await runbook(['show', 'recover'])).stdout).toContain('--input version=<string>  default previous');
    const missed = await runbook(['show', 'recoverr']);
    expect(missed).toMatchObject({ exitCode: 2, stdout: '' });
    expect(missed.stderr).toContain('Did you mean recover?');
  });

  it('validate reports every problem with its place, and exits with 2', async () => {
    const { exitCode, stdout } = await runbookProcess(['validate', join(folder, 'bad.yaml')]);
    expect(exitCode).toBe(2);
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(stdout).toContain('bad.yaml:4:13 steps.0.action');
    expect((await runbook(['validate'])).stdout).toContain('11 runbook files are valid');
    expect((await runbook(['validate'], { RUNBOOK_DIR: folder })).exitCode).toBe(2);
  });

  it.each([
    [
      'schedule file',
      'owner: me\nschedules:\n  n: { runbook: restart, targets: [a/b/c], cron: "0 3 * * *", timezone: UTC, window: 1h }\n',
      'timezone: UTC',
      'timezone: UTCC',
    ],
    [
      'alarms file',
      'owner: me\nsenders: { am: { kind: bearer, tokenFiles: [t] } }\nrules: { r: { when: { a: b }, runbook: restart, target: a/b/c, within: [a/b/c] } }\n',
      'kind: bearer',
      'kind: beaver',
    ],
    [
      'calendar',
      'timezone: UTC\nfreezes:\n  - { name: f, from: 2026-12-20, to: 2027-01-01 }\n',
      '2026-12-20',
      '2026-12-32',
    ],
  ])('validate recognises a %s and checks it as one', async (kind, text, right, wrong) => {
    const file = join(folder, 'of-another-kind.yaml');
    await writeFile(file, text);
    expect(await runbook(['validate', file])).toMatchObject({ exitCode: 0, stdout: `1 ${kind} is valid\n` });
    await writeFile(file, text.replace(right, wrong));
    const { exitCode, stdout } = await runbook(['validate', file]);
    expect(exitCode).toBe(2);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stdout).toMatch(/of-another-kind\.yaml:\d+:\d+/);
    await rm(file);
  });

  it('--version shows that of the package', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await runbookProcess(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
  });

  it('validate reports unknown calendars, and warns if it has no calendars to compare with', async () => {
    const file = join(folder, 'frozen.yaml');
    await writeFile(file, 'name: frozen\ntitle: x\nguards:\n  freeze: [prod-freeze, prod-freez]\nsteps: []\n');
    const { exitCode, stdout, stderr } = await runbook(['validate', file], {
      RUNBOOK_CALENDARS: join(folder, 'calendars'),
    });
    expect(exitCode).toBe(2);
    expect(stdout.trim()).toMatch(
      /frozen\.yaml:4:25 guards\.freeze\.1: there is no calendar "prod-freez"\. .*Did you mean prod-freeze\?/,
    );
    expect(stderr).toBe('');
    const unchecked = await runbook(['validate', file]);
    expect(unchecked).toMatchObject({ exitCode: 0, stdout: '1 runbook file is valid\n' });
    expect(unchecked.stderr).toBe('Calendar names were not checked, because RUNBOOK_CALENDARS is not set\n');
    await rm(file);
  });

  it('validate reports calendars of a runbook that cannot be read', async () => {
    const file = join(folder, 'frozen.yaml');
    await writeFile(file, 'name: frozen\ntitle: x\nguards:\n  freeze: [half-copied]\nsteps: []\n');
    const half = join(folder, 'calendars', 'half-copied.yaml');
    await writeFile(half, 'timezone: UTC\nfreezes: [');
    const env = { RUNBOOK_CALENDARS: join(folder, 'calendars') };
    for (const [words, more] of [
      [['validate', file], {}],
      [['validate'], { RUNBOOK_DIR: folder }],
    ] as const) {
      const { exitCode, stdout } = await runbook([...words], { ...env, ...more });
      expect(exitCode).toBe(2);
      expect(stdout).toContain('half-copied.yaml:2:11');
    }
    await rm(half);
    await rm(file);
  });

  it.each([
    [['nonsense'], 'unknown command'],
    [['start'], 'missing required argument'],
    [['start', 'stop', '--taget', 'x'], 'unknown option'],
    [['simulator', '--port', 'high'], 'Write a number'],
    [['demo', '--fail', 'lunch'], 'Use one of'],
  ])('%j is a usage error, exit code 2', async (words, text) => {
    const { exitCode, stderr } = await runbook(words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(text);
  });
});

describe.concurrent('commands about runs', () => {
  it('start --wait prints the report and exits by the outcome', async () => {
    const { instanceId, path } = await stack.newInstance();
    const good = await runbook(['start', 'restart', '-t', path, '--reason', 'a test', '--wait'], env);
    expect(good.exitCode).toBe(0);
    expect(good.stdout).toMatch(/^SUCCEEDED {2}restart/);
    await stack.control.outcome({ instanceId, action: 'rollback', executionStatus: 'FAILED' });
    const compensated = await runbookProcess(['start', 'recover', '-t', path, '--wait', '--json'], env);
    expect(compensated.exitCode).toBe(11);
    expect(JSON.parse(compensated.stdout)).toMatchObject({ outcome: 'compensated', targets: [{ path }] });
    const refused = await runbook(['start', 'recover', '-t', 'no/such/thing', '--wait'], env);
    expect(refused.exitCode).toBe(15);
    expect(refused.stdout).toContain('there is no application "no"');
  });

  it('start --watch in a pipe prints one line for each thing that happened, without colour', async () => {
    const { path } = await stack.newInstance();
    const { exitCode, stdout } = await runbookProcess(['start', 'recover', '-t', path, '--watch'], env);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${path}: stop succeeded in`);
    expect(stdout).toContain('✓ rollback version=1.4.0: succeeded');
    // No escape sequences.
    expect(stdout.split('').every((character) => character.charCodeAt(0) !== 27)).toBe(true);
  });

  it('start, watch, report, cancel go together', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'stop', neverEnds: true });
    const id = `cli-${randomUUID()}`;
    const started = await runbook(['start', 'recover', '-t', path, '--id', id], env);
    expect(started.stdout).toContain(`runbook watch ${id}`);
    expect(
      JSON.parse((await runbook(['start', 'recover', '-t', path, '--id', id, '--json'], env)).stdout),
    ).toMatchObject({ started: 'attached' });
    expect(await runbook(['report', id], env)).toMatchObject({ exitCode: 2 });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    expect((await runbookProcess(['cancel', id], env)).stdout).toContain(`Requested the cancellation of ${id}`);
    const lease = leaseId({ projectId: stack.simulator.projectId, instanceId });
    await until(() => isCancelRequested(temporal.client, lease));
    await stack.control.finish(instanceId);
    const watched = await runbook(['watch', id], env);
    expect(watched.exitCode).toBe(14);
    expect(await runbookProcess(['report', id, '--json'], env)).toMatchObject({ exitCode: 14 });
  });

  it('plan and start take freezes: shown in the plan, refused with its times', async () => {
    const { instanceId, path } = await stack.newInstance();
    const given = ['stop', '-t', path, '--freeze', 'prod-freeze'];
    const times = 'prod-freeze "For ever" 2020-01-01T00:00:00Z to 2100-01-01T00:00:00Z';
    const planned = await runbookProcess(['plan', ...given, '--wait-at-most', '1h'], env);
    expect(planned.stdout).toContain(`frozen by prod-freeze\n  ${times}\na start within a freeze waits at most 1h`);
    const { exitCode, stdout } = await runbook(['start', ...given, '--wait'], env);
    expect(exitCode).toBe(15);
    expect(stdout).toContain(`gate of ${path}: ChangeFreeze`);
    expect(stdout).toContain(times);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('plan and start take windows: shown in the plan, refused outside with the times', async () => {
    const { instanceId, path } = await stack.newInstance();
    const window = ['--window', '2h', '--cutoff', '30m', '--opens-at', '2099-12-01T02:00:00+01:00'];
    const times = 'open 2099-12-01T01:00:00Z to 2099-12-01T03:00:00Z, nothing new after 2099-12-01T02:30:00Z';
    const planned = await runbook(['plan', 'stop', '-t', path, ...window], env);
    expect(planned.stdout).toContain(`window ${times}`);
    const refused = await runbook(['start', 'stop', '-t', path, ...window, '--wait'], env);
    expect(refused.exitCode).toBe(15);
    expect(refused.stdout).toContain(`gate of ${path}: OutsideWindow`);
    expect(refused.stdout).toContain(`${times}: it has not opened yet`);
    expect(await stack.accepted(instanceId)).toEqual([]);
    const within = await runbook(['start', 'stop', '-t', path, '--window', '2h', '--wait'], env);
    expect(within.exitCode).toBe(0);
  });

  it('watch shows for which window a run waits', async () => {
    const { instanceId, path } = await stack.newInstance();
    const id = `waits-${instanceId}`;
    const opensAt = new Date(Date.now() + 3_600_000).toISOString();
    const waits = ['--window', '1h', '--opens-at', opensAt, '--wait-at-most', '2h'];
    expect((await runbook(['start', 'stop', '-t', path, '--id', id, ...waits], env)).exitCode).toBe(0);
    const watching = spawnCommand(['watch', id], env);
    const ended = endOf(watching);
    const shown = await untilShown(watching, /stop: waiting.*/);
    expect(shown).toContain(`open ${opensAt.slice(0, 19)}Z to `);
    expect(shown).toMatch(/; checks again at \S+Z, gives up at \S+Z/);
    expect((await runbook(['cancel', id], env)).exitCode).toBe(0);
    expect((await ended).exitCode).toBe(14);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('plan shows from and to, what cannot be undone, and touches nothing', async () => {
    const { instanceId, path } = await stack.newInstance();
    const { exitCode, stdout } = await runbook(['plan', 'recover', '-t', path], env);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('previous: 1.4.1 → 1.4.0');
    expect(stdout).toContain('cannot be undone');
    expect(await stack.accepted(instanceId)).toEqual([]);
    expect((await runbook(['plan', 'recover', '-t', 'a/b/c', '--json'], env)).exitCode).toBe(15);
  });

  it('plan shows by which run the count was captured that scale-up brings back', async () => {
    const { path } = await stack.newInstance({ replica: 4 });
    const refused = await runbook(['plan', 'scale-up', '-t', path], env);
    expect(refused.exitCode).toBe(15);
    expect(refused.stderr + refused.stdout).toContain(`runbook start scale --target ${path} --input replica=N`);
    const down = await stack.run('scale-down', path);
    const { exitCode, stdout } = await runbook(['plan', 'scale-up', '-t', path], env);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`scale replica=4  (captured by run ${down.workflowId} at `);
    expect(stdout).toContain('Z: 1 → 4)');
  });

  it('reports every problem of its options at once, and starts nothing', async () => {
    const { exitCode, stderr } = await runbook(['start', 'recover', '-t', 'prod-1', '--input', 'version'], env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--target prod-1');
    expect(stderr).toContain('--input version');
    const gates = ['--window', '2hours', '--cutoff', 'soon', '--opens-at', 'tomorrow', '--wait-at-most', '30d'];
    const wrong = await runbook(['start', 'stop', '-t', 'prod-1', ...gates], env);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr.match(/^- .*?(?=:)/gm)).toEqual([
      '- --target prod-1',
      '- --window 2hours',
      '- --cutoff soon',
      '- --opens-at tomorrow',
      '- --wait-at-most 30d',
    ]);
    const alone = await runbook(['plan', 'stop', '-t', 'a/b/c', '--cutoff', '5m', '--freeze', ''], env);
    expect(alone.exitCode).toBe(2);
    expect(alone.stderr).toMatch(/--cutoff 5m: there is no window[\s\S]*--freeze/);
    const unfit = await runbook(['plan', 'stop', '-t', 'a/b/c', '--no-fit'], env);
    expect(unfit).toMatchObject({ exitCode: 2 });
    expect(unfit.stderr).toContain('--no-fit: there is no window');
    const twice = await runbook(['plan', 'stop', '-t', 'a/b/c', '-t', 'a/b/c'], env);
    expect(twice.stderr).toContain('--target, "a/b/c": it appears more than once');
    const asJson = await runbook(['start', 'recover', '--json'], env);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ error: { kind: 'Usage', problems: [{ place: '--target' }] } });
  });

  it('warns if no worker polls the task queue', async () => {
    const child = spawnCommand(['plan', 'recover', '-t', 'a/b/c'], {
      ...env,
      RUNBOOK_TASK_QUEUE: `unserved-${randomUUID()}`,
    });
    const hint = await new Promise<string>((resolve) =>
      child.stderr?.on('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    child.kill();
    expect(hint).toContain('No worker polls the task queue');
  });

  it('exits 3 when Temporal cannot be reached', async () => {
    const { exitCode, stderr } = await runbookProcess(['report', 'x'], { TEMPORAL_ADDRESS: '127.0.0.1:9' });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('127.0.0.1:9 cannot be reached');
    expect(stderr).toContain('Check TEMPORAL_ADDRESS and the network. To try things out, `npm run demo -- --keep`');
  });

  it('stops watching on Ctrl-C while the run continues', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const child = spawnCommand(['start', 'restart', '-t', path, '--watch', '--id', `ctrl-c-${instanceId}`], env);
    const ended = endOf(child);
    await untilShown(child, /restart running/);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('the run continues') as string });
    await until(async () => (await stack.control.finish(instanceId)).finished > 0);
    expect((await stack.report(`ctrl-c-${instanceId}`)).outcome).toBe('succeeded');
  });
});
