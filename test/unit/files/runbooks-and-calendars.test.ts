/** Folders of runbooks and calendars with files that do not answer, and with leftovers of editors. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freezesBetween, listCalendars } from '../../../src/calendars/calendars.js';
import { findRunbook, listRunbooks } from '../../../src/runbooks/catalogue.js';

const stop = (name: string) => `name: ${name}\ntitle: t\nsteps:\n  - action: stop\n`;
const LIST = 'timezone: UTC\nfreezes:\n  - { name: Year end, from: 2026-12-20, to: 2027-01-01 }\n';
const YEAR = [Date.parse('2026-01-01'), Date.parse('2027-06-01')] as const;
let folder = '';
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostile-'));
  execFileSync('mkfifo', [at('pipe.yaml'), at('pipe-calendar.ics')]);
  await symlink('/dev/zero', at('zeros.yaml'));
  await symlink('nowhere', at('dangling.yaml'));
  await writeFile(at('loud.YAML'), stop('loud'));
  await writeFile(at('end.YML'), LIST);
  for (const name of ['.#loud.yaml', '._loud.YAML', '.loud.yaml.swp', 'loud.YAML~', '.DS_Store'])
    await writeFile(at(name), '\u0000');
});
afterAll(() => rm(folder, { recursive: true }));

describe('a start of a runbook', () => {
  it.each([
    ['pipe', 'the file is a named pipe, not a regular file'],
    ['zeros', 'the file is a device, not a regular file'],
    ['dangling', 'the file does not exist, or is a link to nothing (ENOENT)'],
  ])('is refused with the reason, however often it is requested: %s', async (name, found) => {
    const lookups = await Promise.all(Array.from({ length: 10 }, () => findRunbook([folder], name)));
    for (const lookup of lookups) expect(lookup).toMatchObject({ kind: 'broken', problems: [{ found }] });
    expect((await findRunbook([folder], 'restart')).kind).toBe('found');
  });

  it('finds an ending in upper case', async () => {
    expect(await findRunbook([folder], 'loud')).toMatchObject({ kind: 'found', runbook: { name: 'loud' } });
  });

  it('is refused when its folder is not a folder', async () => {
    expect(await findRunbook([at('pipe.yaml')], 'mine')).toMatchObject({
      kind: 'broken',
      problems: [{ code: 'no-folder', found: 'this folder of RUNBOOK_DIR cannot be read (ENOTDIR)' }],
    });
  });
});

it('a calendar that does not answer is a problem, and so counts as frozen', async () => {
  const { problems } = await freezesBetween([folder], ['pipe-calendar'], ...YEAR);
  expect(problems).toMatchObject([
    { code: 'unreadable', found: 'the calendar is a named pipe, not a regular file', place: at('pipe-calendar.ics') },
  ]);
});

it('a calendar whose ending is in upper case is read', async () => {
  expect(await freezesBetween([folder], ['end'], ...YEAR)).toMatchObject({ freezes: [{ name: 'Year end' }] });
});

it('leftovers of editors are neither runbooks nor calendars, and are listed as not read', async () => {
  const leftBehind = ['.#loud.yaml', '.DS_Store', '._loud.YAML', '.loud.yaml.swp', 'loud.YAML~'];
  const { passedOver, problems } = await listRunbooks([folder]);
  expect(passedOver.map(({ path }) => basename(path))).toEqual([...leftBehind, 'pipe-calendar.ics']);
  expect(JSON.stringify(problems)).not.toMatch(/loud/);
  const calendars = await listCalendars([folder]);
  expect(calendars.names).not.toContain('.#loud');
  expect(calendars.passedOver.map(({ path }) => basename(path))).toEqual(leftBehind);
});
