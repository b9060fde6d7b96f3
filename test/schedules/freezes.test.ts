/** A schedule, its window and a freeze together: what `next` foretells is what the worker does. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  it('is foretold by next and refused by the worker, with nothing sent', async () => {
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

  it('of a calendar that does not exist is a problem of the file, and nothing is applied', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { nightly: { ...CALM, freeze: ['prod-freez'] } });
    const { exitCode, stderr } = await desk.run('apply', file);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/schedules\.nightly\.freeze.*prod-freez/);
    expect(await desk.run('next', `${owner}/nightly`)).toMatchObject({ exitCode: 2 });
  });
});
