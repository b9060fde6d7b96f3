/** Folders of calendars and lists in YAML: their names, which moments are frozen, what is wrong and where. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calendarsIn, freezesBetween, listCalendars } from '../../../src/calendars/calendars.js';
import { listFreezes } from '../../../src/calendars/list-file.js';

const at = (text: string) => Date.parse(text);
const YEAR = [at('2026-01-01T00:00:00Z'), at('2027-06-01T00:00:00Z')] as const;
const list = (freezes: string, timezone = 'Europe/Berlin') => `timezone: ${timezone}\nfreezes:\n  - ${freezes}\n`;
const GOOD = list('{ name: Year end, from: 2026-12-20, to: 2027-01-01 }');
const ICS =
  'BEGIN:VCALENDAR\nX-WR-TIMEZONE:UTC\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260601\nSUMMARY:June\nEND:VEVENT\nEND:VCALENDAR\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calendars-'));
  await mkdir(join(folder, 'second'));
  const files = {
    'prod-freeze.yaml': GOOD,
    'quarter.ics': ICS,
    'broken.yml': 'freezes: [',
    'notes.txt': '',
    '.hidden.ics': '',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, 'second', 'quarter.yaml'), GOOD);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a list in YAML', () => {
  it.each([
    ['days, both included', '{ name: f, from: 2026-12-20, to: 2027-01-01 }', '2026-12-19T23:00', '2027-01-01T23:00'],
    ['one day', '{ name: f, from: 2026-06-01, to: 2026-06-01 }', '2026-05-31T22:00', '2026-06-01T22:00'],
    [
      'times in the zone',
      '{ name: f, from: 2026-12-20T18:00, to: 2026-12-21 06:30:30 }',
      '2026-12-20T17:00',
      '2026-12-21T05:30',
    ],
    ['a time and a day', '{ name: f, from: 2026-12-20T18:00, to: 2026-12-21 }', '2026-12-20T17:00', '2026-12-21T23:00'],
    [
      'the end of a day',
      '{ name: f, from: 2026-12-20T18:00, to: 2026-12-20T24:00 }',
      '2026-12-20T17:00',
      '2026-12-20T23:00',
    ],
    ['a day of 23 hours', '{ name: f, from: 2026-03-29, to: 2026-03-29 }', '2026-03-28T23:00', '2026-03-29T22:00'],
    [
      'the hour that the clocks skip',
      '{ name: f, from: 2026-03-29T02:30, to: 2026-03-29T04:00 }',
      '2026-03-29T01:30',
      '2026-03-29T02:00',
    ],
    [
      'the hour that occurs twice, as its widest reading',
      '{ name: f, from: 2026-10-25T02:30, to: 2026-10-25T02:45 }',
      '2026-10-25T00:30',
      '2026-10-25T01:45',
    ],
  ])('accepts %s', (_what, freeze, from, to) => {
    const { freezes, problems } = listFreezes(list(freeze), 'c.yaml', 'c');
    expect(problems).toEqual([]);
    expect(
      freezes.map(({ fromMs, toMs }) => [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 16))),
    ).toEqual([[from, to]]);
  });

  it('may be empty', () => {
    expect(listFreezes('timezone: UTC\nfreezes: []\n', 'c.yaml', 'c')).toEqual({ freezes: [], problems: [] });
  });

  it.each([
    ['an empty file', '', ['1:1 empty']],
    ['broken YAML', 'freezes: [', ['1:11 yaml-syntax']],
    ['only a list', '- a', ['1:1 not-a-calendar']],
    ['no zone', 'freezes: []', ['1:1 timezone missing']],
    [
      'an unknown zone',
      list('{ name: f, from: 2026-06-01, to: 2026-06-01 }', 'Berlin'),
      ['1:11 timezone unknown-time-zone'],
    ],
    ['no freezes', 'timezone: UTC', ['1:1 freezes missing']],
    ['an unknown key', 'timezone: UTC\nfreezes: []\nzone: x', ['3:1 zone unknown-key']],
    [
      'a mistyped key of a freeze',
      list('{ name: f, form: 2026-06-01, to: 2026-06-01 }'),
      ['3:5 freezes.0.from missing', '3:16 freezes.0.form unknown-key'],
    ],
    [
      'a 30th of February',
      list('{ name: f, from: 2026-02-30, to: 2026-06-01 }'),
      ['3:22 freezes.0.from invalid-value'],
    ],
    [
      'a time with an offset',
      list('{ name: f, from: 2026-02-03T00:00Z, to: 2026-06-01 }'),
      ['3:22 freezes.0.from invalid-value'],
    ],
    ['a number', list('{ name: f, from: 20260203, to: 2026-06-01 }'), ['3:22 freezes.0.from invalid-value']],
    [
      'an end before the beginning',
      list('{ name: f, from: 2026-06-02, to: 2026-06-01 }'),
      ['3:38 freezes.0.to ends-before-start'],
    ],
    ['text instead of a freeze', list('June'), ['3:5 freezes.0 invalid-value']],
    [
      'a place after quoted text of several lines',
      'timezone: "Europe/\n  Berlin"\nfreezes: []\nzone: x',
      ['1:11 timezone unknown-time-zone', '4:1 zone unknown-key'],
    ],
    [
      'lists that contain themselves',
      'timezone: &b [*b]\nfreezes: [&a [*a]]',
      ['1:14 timezone unknown-time-zone', '2:14 freezes.0 invalid-value'],
    ],
    ['two documents', 'timezone: UTC\nfreezes: []\n---\nfreezes: []', ['1:1 several-documents']],
    [
      'several problems',
      list("{ name: '', from: x, to: y }"),
      ['3:13 freezes.0.name missing', '3:23 freezes.0.from invalid-value', '3:30 freezes.0.to invalid-value'],
    ],
  ])('reports %s', (_what, text, wanted) => {
    const { freezes, problems } = listFreezes(text, 'c.yaml', 'c');
    expect(problems.map(({ place, code }) => `${place} ${code}`)).toEqual(wanted.map((each) => `c.yaml:${each}`));
    expect(freezes).toEqual([]);
  });
});

describe('folders of calendars', () => {
  it('list the names of their files', async () => {
    expect(await listCalendars([folder])).toMatchObject({ names: ['broken', 'prod-freeze', 'quarter'], problems: [] });
    expect(await listCalendars([])).toEqual({ names: [], passedOver: [], problems: [] });
  });

  it('return the overlapping freezes of all kinds of file, sorted by start', async () => {
    const { freezes, problems } = await freezesBetween([folder], ['prod-freeze', 'quarter', 'quarter'], ...YEAR);
    expect(problems).toEqual([]);
    expect(freezes.map(({ calendar, name }) => `${calendar} ${name}`)).toEqual([
      'quarter June',
      'prod-freeze Year end',
    ]);
    const later = await calendarsIn([folder]).freezesBetween(['quarter'], at('2026-06-02T00:00:00Z'), YEAR[1]);
    expect(later).toEqual({ freezes: [], problems: [] });
  });

  it('are read again each time', async () => {
    const file = join(folder, 'lifted.yaml');
    await writeFile(file, GOOD);
    expect((await freezesBetween([folder], ['lifted'], ...YEAR)).freezes).toHaveLength(1);
    await writeFile(file, 'timezone: UTC\nfreezes: []\n');
    expect((await freezesBetween([folder], ['lifted'], ...YEAR)).freezes).toEqual([]);
    await rm(file);
  });

  it.each([
    [
      'an unknown name',
      ['prod-freez'],
      'unknown-calendar',
      'Known calendars: broken, prod-freeze, quarter. Did you mean prod-freeze?',
    ],
    ['a name that would leave the folder', ['../x'], 'unknown-calendar', 'Known calendars'],
    ['a broken file', ['broken'], 'yaml-syntax', 'Fix the YAML'],
  ])('report %s', async (_what, names, code, remedy) => {
    const { problems } = await freezesBetween([folder], names, ...YEAR);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems[0]?.remedy).toContain(remedy);
    expect(problems[0]?.place).toContain(names[0]);
  });

  it('report a duplicate name and a missing folder', async () => {
    const both = [folder, join(folder, 'second')];
    expect((await freezesBetween(both, ['quarter'], ...YEAR)).problems.map(({ code }) => code)).toEqual([
      'duplicate-name',
    ]);
    expect((await listCalendars(both)).problems.map(({ code }) => code)).toEqual(['duplicate-name']);
    const missing = await freezesBetween([join(folder, 'missing')], ['quarter'], ...YEAR);
    expect(missing.problems.map(({ code }) => code)).toEqual(['no-folder', 'not-found']);
  });

  it('report a file that is far too large, and one that cannot be read', async () => {
    await writeFile(join(folder, 'huge.ics'), Buffer.alloc(17 * 1024 * 1024, 'x'));
    await mkdir(join(folder, 'folder.ics'));
    const { problems } = await freezesBetween([folder], ['huge', 'folder'], ...YEAR);
    expect(problems.map(({ code }) => code)).toEqual(['too-large', 'unreadable']);
    await rm(join(folder, 'huge.ics'));
    await rm(join(folder, 'folder.ics'), { recursive: true });
  });
});
