/** A schedule, its window and a freeze together: the worker does what `next` predicts. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunProgress } from '../../src/domain/report/progress.js';
import { runbook } from '../support/command-line.js';
import { CALM, useSchedules } from '../support/schedules.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const FROZEN = `timezone: UTC
freezes:
  - { name: Long winter, from: 2026-01-01, to: 2099-12-31 }
`;

const temporal = useTemporal();
const desk = useSchedules(temporal);
let folder = '';
let stack: Stack;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbooks-calendars-'));
  await writeFile(join(folder, 'prod-freeze.yaml'), FROZEN);
  desk.env['RUNBOOK_CALENDARS'] = folder;
  stack = await startStack(temporal, { calendarDirectories: [folder] });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a schedule with a freeze', () => {
  it('is predicted by next and refused by the worker, with nothing sent', async () => {
    const { instanceId, path } = await stack.newInstance();
    const owner = desk.newOwner();
    const entry = { ...CALM, targets: [path], freeze: ['prod-freeze'] };
    await desk.apply(await desk.file(owner, { nightly: entry }));
    expect((await desk.run('next', `${owner}/nightly`)).stdout).toContain('Long winter');
    const started = await desk.run('run-now', `${owner}/nightly`, '--json');
    const { workflowId } = JSON.parse(started.stdout) as { workflowId: string };
    const report = await stack.report(workflowId);
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'ChangeFreeze' } });
    expect(report.failure?.message).toContain('Long winter');
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('gives a run-now a fresh window, counted from the second of the request', async () => {
    const { instanceId, path } = await stack.newInstance();
    const owner = desk.newOwner();
    const id = `${owner}/nightly`;
    // Its window closes long before the latest jitter: a start by hand has no jitter.
    const entry = { ...CALM, targets: [path], jitter: '20m', window: '1h', cutoff: '30m', freeze: ['prod-freeze'] };
    await desk.apply(await desk.file(owner, { nightly: { ...entry, waitAtMost: '7d' } }));
    const askedFromMs = Date.now();
    const { stdout } = await desk.run('run-now', id);
    const askedToMs = Date.now();
    expect(stdout).toContain('Its window:  1h from now; its freezes apply');
    const handle = temporal.client.workflow.getHandle(/^Started run (\S+)$/m.exec(stdout)?.[1] ?? '');
    const waiting = async () => (await handle.query<RunProgress>('progress')).waiting;
    await expect.poll(waiting).toBeDefined();
    // It waits for the freeze until the cut-off of its window, half an hour before the end.
    const opensAtMs = ((await waiting())?.givesUpAtMs ?? 0) - 30 * 60_000;
    expect(opensAtMs).toBeGreaterThan(askedFromMs - 1_000);
    expect(opensAtMs).toBeLessThanOrEqual(askedToMs);
    await handle.cancel();
    expect(await stack.report(handle.workflowId)).toMatchObject({ outcome: 'cancelled', notStarted: [path] });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('of a calendar that does not exist is a problem of the file, and nothing is applied', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { nightly: { ...CALM, freeze: ['prod-freez'] } });
    const { exitCode, stderr } = await desk.run('apply', file);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/schedules\.nightly\.freeze.*prod-freez/);
    expect(await desk.run('next', `${owner}/nightly`)).toMatchObject({ exitCode: 2 });
  });
});

describe('calendars that cannot be checked', () => {
  it('are named by diff and apply, for the schedule and for the guards of its runbook', async () => {
    const guarded = join(folder, 'runbooks');
    await mkdir(guarded, { recursive: true });
    await writeFile(
      join(guarded, 'guarded.yaml'),
      'name: guarded\ntitle: Restart, never in a freeze\nguards: { freeze: [of-the-runbook] }\nsteps:\n  - action: restart\n',
    );
    const file = await desk.file(desk.newOwner(), {
      nightly: { ...CALM, freeze: ['prod-freeze'] },
      guarded: { ...CALM, runbook: 'guarded' },
    });
    const { RUNBOOK_CALENDARS, ...env } = desk.env;
    for (const command of ['diff', 'apply']) {
      const { exitCode, stderr } = await runbook(['schedule', command, file], { ...env, RUNBOOK_DIR: guarded });
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(/! prod-freeze, of-the-runbook: not checked.*RUNBOOK_CALENDARS/);
    }
    const calm = await desk.file(desk.newOwner(), { nightly: CALM });
    expect((await runbook(['schedule', 'apply', calm], env)).stderr).not.toContain('not checked');
    expect(RUNBOOK_CALENDARS).toBe(folder);
  });

  it('because a folder is missing or a name is used twice are reported by apply and next, whatever the schedules name', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { nightly: CALM });
    const twice = join(folder, 'twice');
    await mkdir(twice, { recursive: true });
    await writeFile(join(twice, 'prod-freeze.yaml'), FROZEN);
    const env = { ...desk.env, RUNBOOK_CALENDARS: [folder, twice, join(folder, 'missing')].join(delimiter) };
    for (const words of [
      ['apply', file],
      ['next', file],
      ['next', `${owner}/nightly`],
    ]) {
      const { exitCode, stderr } = await runbook(['schedule', ...words], env);
      expect(exitCode).toBe(0);
      expect(stderr.match(/two calendars are called prod-freeze/g)).toHaveLength(1);
      expect(stderr.match(/missing: this folder of RUNBOOK_CALENDARS does not exist/g)).toHaveLength(1);
    }
  });
});
