/** `runbook new` and `runbook schema`: what they write is right in the folder where it is written. */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { endOf, runbook, spawnCommand } from '../support/command-line.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbooks-new-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The file that the first line of a YAML file names, as an editor finds it: from the folder of the YAML file. */
async function schemaOf(file: string): Promise<unknown> {
  const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(await readFile(file, 'utf8')) ?? [];
  return JSON.parse(await readFile(resolve(dirname(file), path), 'utf8')) as unknown;
}

it.each(['runbook', 'schedules', 'alarms'])('schema %s prints the schema of the package', async (kind) => {
  const { exitCode, stdout } = await runbook(['schema', kind]);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(await readFile(`runbooks/${kind}.schema.json`, 'utf8'));
});

it('schema prints that of runbooks, and refuses others', async () => {
  expect(JSON.parse((await runbook(['schema'])).stdout)).toMatchObject({ title: 'A servicestage-runbooks runbook' });
  const refused = await runbook(['schema', 'calendars']);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('runbook, schedules, alarms');
});

it.each(['here', 'further/down'])(
  'new writes a runbook into %s that loads, with a schema that its first line leads to',
  async (where) => {
    const into = join(folder, where);
    const { exitCode, stdout } = await runbook(['new', 'nightly-restart', '--folder', into]);
    expect(exitCode).toBe(0);
    const file = join(into, 'nightly-restart.yaml');
    expect(stdout).toContain(`Written: ${file}`);
    expect(await schemaOf(file)).toEqual(JSON.parse((await runbook(['schema'])).stdout));
    expect(await runbook(['validate', file])).toMatchObject({ exitCode: 0, stdout: '1 runbook file is valid\n' });
    const listed = await runbook(['list'], { RUNBOOK_DIR: into });
    expect(listed.stdout).toContain('nightly-restart  Restart an instance');
    expect(Object.keys(parse(await readFile(file, 'utf8')) as object)).toContain('steps');
  },
);

it('new writes into the folder where it is typed, when none is named', async () => {
  const into = await mkdtemp(join(folder, 'typed-'));
  const { exitCode } = await endOf(spawnCommand(['new', 'mine'], {}, [], into));
  expect(exitCode).toBe(0);
  expect((await readdir(into)).sort()).toEqual(['mine.yaml', 'runbook.schema.json']);
});

it('new never writes over a file, and renews the schema of an older version', async () => {
  const into = await mkdtemp(join(folder, 'again-'));
  await runbook(['new', 'mine', '--folder', into]);
  await writeFile(join(into, 'mine.yaml'), 'name: mine\ntitle: Changed\nsteps: []\n');
  await writeFile(join(into, 'runbook.schema.json'), '{}');
  const again = await runbook(['new', 'mine', '--folder', into]);
  expect(again).toMatchObject({ exitCode: 2, stdout: '' });
  expect(again.stderr).toContain('mine.yaml already exists');
  expect(await readFile(join(into, 'mine.yaml'), 'utf8')).toContain('Changed');
  await runbook(['new', 'other', '--folder', into]);
  expect(await schemaOf(join(into, 'other.yaml'))).toHaveProperty('title');
});

it.each([
  ['Restart', 'lower-case letters'],
  ['../elsewhere', 'lower-case letters'],
  ['target-run', 'reserved'],
  ['recover', 'in the built-in catalogue'],
])('new refuses the name %s: %s', async (name, words) => {
  const into = await mkdtemp(join(folder, 'refused-'));
  const { exitCode, stderr } = await runbook(['new', name, '--folder', into]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(words);
  expect(await readdir(into)).toEqual([]);
});
