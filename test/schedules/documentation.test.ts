/**
 * docs/schedules.md is correct: its files can be applied unchanged, and its nightly pair does what the page promises.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunReport } from '../../src/domain/report/report.js';
import { codeBlocksOf } from '../support/code-blocks.js';
import { useSchedules } from '../support/schedules.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useSchedules(temporal);
let folder: string;
let stack: Stack;
let files: string[];
/** File name → content. */
let calendars: [name: string, calendar: string][];
beforeAll(async () => {
  const text = await readFile(new URL('../../docs/schedules.md', import.meta.url), 'utf8');
  files = codeBlocksOf(text, 'yaml').filter((block) => /^owner:/m.test(block));
  calendars = codeBlocksOf(text, 'yaml calendar').map((block) => [
    /^# calendars\/(\S+)$/m.exec(block)?.[1] ?? 'nameless',
    block,
  ]);
  folder = await mkdtemp(join(tmpdir(), 'runbooks-calendars-'));
  for (const [name, calendar] of calendars) await writeFile(join(folder, name), calendar);
  desk.env['RUNBOOK_CALENDARS'] = folder;
  stack = await startStack(temporal, { calendarDirectories: [folder] });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

const ownedBy = (owner: string, file: string) => file.replace(/^owner: \S+/m, `owner: ${owner}`);

async function runNow(id: string): Promise<RunReport> {
  const { stdout } = await desk.run('run-now', id, '--json');
  return stack.report((JSON.parse(stdout) as { workflowId: string }).workflowId);
}

it('every schedule file in the documentation can be applied', async () => {
  expect(files.length).toBeGreaterThan(1);
  for (const each of files) {
    const owner = desk.newOwner();
    const file = await desk.file(owner, ownedBy(owner, each));
    expect((await desk.apply(file)).every(({ result }) => result === 'created')).toBe(true);
    expect((await desk.diff(file)).every(({ status }) => status === 'unchanged')).toBe(true);
    expect((await desk.run('next', file)).stdout).not.toContain('!');
  }
});

it('the nightly pair takes replicas away unless it is frozen, and brings back what was there in any case', async () => {
  const pair = files.find((each) => each.includes('runbook: scale-down')) ?? '';
  const instances = [await stack.newInstance({ replica: 3 }), await stack.newInstance({ replica: 5 })];
  const replicas = () =>
    Promise.all(instances.map(async ({ instanceId }) => (await stack.control.instance(instanceId)).replica));
  const freezes = (years: number) =>
    Promise.all(
      calendars.map(([name, calendar]) => {
        const moved = calendar.replace(/(from|to): (\d{4})/g, (_, key: string, year: string) =>
          key === 'from' ? `from: ${Number(year) - 20}` : `to: ${Number(year) + years}`,
        );
        return writeFile(join(folder, name), moved);
      }),
    );
  const owner = desk.newOwner();
  const targets = `targets: [${instances.map(({ path }) => path).join(', ')}]`;
  await desk.apply(await desk.file(owner, ownedBy(owner, pair.replace(/targets: \[.*\]/g, targets))));

  await freezes(-20);
  expect(await runNow(`${owner}/evening`)).toMatchObject({ outcome: 'succeeded', reason: 'No one is there at night' });
  expect(await replicas()).toEqual([1, 1]);
  await freezes(20);
  expect(await runNow(`${owner}/morning`)).toMatchObject({ outcome: 'succeeded' });
  expect(await replicas()).toEqual([3, 5]);
  expect(await runNow(`${owner}/evening`)).toMatchObject({ outcome: 'refused', failure: { name: 'ChangeFreeze' } });
  // The morning after a night that was left out.
  const calm = await runNow(`${owner}/morning`);
  expect(calm.targets.flatMap(({ steps }) => steps.map(({ result }) => result))).toEqual(['skipped', 'skipped']);
  expect(await replicas()).toEqual([3, 5]);
});
