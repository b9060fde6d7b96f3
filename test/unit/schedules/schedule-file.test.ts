/** Invalid schedule files of every kind: each problem has a place, what was found and a remedy, and all are reported at once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { findRunbook } from '../../../src/runbooks/catalogue.js';
import { LONGEST_WAIT_REMEDY } from '../../../src/domain/gates/gates.js';
import { parseSchedules } from '../../../src/schedules/read-schedules.js';

const read = (text: string, calendars: readonly string[] | null = null) =>
  parseSchedules(text, 'x.yaml', { findRunbook: (name) => findRunbook([], name), calendars });
const problemsOf = async (text: string, calendars: readonly string[] | null = null) => {
  const found = await read(text, calendars);
  return Array.isArray(found) ? found : [];
};

/** A valid entry without the given key, plus the given lines. */
function withEntry(lines: string, less = ''): string {
  const right = [
    'runbook: restart',
    'targets: [shop/checkout/prod-1]',
    'cron: 30 2 * * *',
    'timezone: Europe/Berlin',
    'window: 1h',
  ].filter((line) => less === '' || !line.startsWith(`${less}:`));
  const all = [...right, ...lines.split('\n').filter((line) => line !== '')];
  return `owner: team\nschedules:\n  nightly:\n${all.map((line) => `    ${line}\n`).join('')}`;
}

describe('a schedule file', () => {
  it('that is valid is read, and normalized', async () => {
    expect(await read(withEntry('cron: "30  2 * * *"', 'cron'))).toMatchObject({
      owner: 'team',
      schedules: [{ id: 'team/nightly', entry: { cron: '30 2 * * *', overlap: 'skip' } }],
    });
    expect(await problemsOf('owner: team\nschedules: {}\n')).toEqual([]);
  });

  it.each([
    ['an empty file', '', 'empty', 'x.yaml:1:1', 'empty'],
    ['no keys', '- a\n', 'not-a-schedule-file', 'x.yaml:1:1', 'no keys'],
    ['no owner', 'schedules: {}\n', 'missing', 'x.yaml:1:1 owner', '"owner" is missing'],
    ['an owner that is not a name', 'owner: My Team\nschedules: {}\n', 'invalid-value', 'x.yaml:1:8 owner', 'My Team'],
    ['an invalid name', 'owner: t\nschedules:\n  A/b: {}\n', 'invalid-name', 'x.yaml:3:3 schedules.A/b', 'A/b'],
    [
      'a name that every object has',
      'owner: t\nschedules:\n  __proto__: {}\n',
      'invalid-name',
      'x.yaml:3:3',
      '__proto__',
    ],
    ['an unknown key', withEntry('windw: 1h'), 'unknown-key', 'x.yaml:9:5 schedules.nightly.windw', 'windw'],
    ['a missing key', withEntry('', 'window'), 'missing', 'x.yaml:4:5 schedules.nightly.window', 'missing'],
    ['a wrong duration', withEntry('window: 1 hour', 'window'), 'invalid-value', 'x.yaml:8:13', '1 hour'],
    ['neither cron nor calendar', withEntry('', 'cron'), 'cron-or-calendar', 'x.yaml:4:5 schedules.nightly', 'neither'],
    ['both of them', withEntry('calendar: { hour: 2 }'), 'cron-or-calendar', 'x.yaml:9:5', 'both'],
    ['a wrong cron', withEntry('cron: 30 25 * * *', 'cron'), 'invalid-cron', 'x.yaml:8:11', 'the hour "25"'],
    [
      'a cron step beyond its field',
      withEntry('cron: "*/90 * * * *"', 'cron'),
      'invalid-cron',
      'x.yaml:8:11',
      '90 minutes',
    ],
    [
      'a calendar step beyond its field',
      withEntry('calendar: { hour: { start: 0, end: 23, step: 36 } }', 'cron'),
      'unreachable-step',
      'x.yaml:8:23 schedules.nightly.calendar.hour',
      '36 hours',
    ],
    [
      'a calendar step of days by name',
      withEntry('calendar: { dayOfWeek: { start: MONDAY, end: FRIDAY, step: 5 } }', 'cron'),
      'unreachable-step',
      'x.yaml:8:28',
      'MONDAY alone',
    ],
    [
      'a day that no month has',
      withEntry('cron: 0 2 30 2 *', 'cron'),
      'never-starts',
      'x.yaml:8:11',
      'no day of any year',
    ],
    [
      'a year that is over',
      withEntry('calendar: { year: 2020 }', 'cron'),
      'never-starts',
      'x.yaml:8:15 schedules.nightly.calendar',
      '2020-12-31',
    ],
    ['a cron of six fields', withEntry('cron: 0 30 2 * * *', 'cron'), 'invalid-cron', 'x.yaml:8:11', '6 fields'],
    ['a wrong calendar value', withEntry('calendar: { hour: 24 }', 'cron'), 'invalid-value', 'x.yaml:8:23', '24'],
    ['a wrong day', withEntry('calendar: { dayOfWeek: [MON] }', 'cron'), 'invalid-value', 'x.yaml:8:28', 'MON'],
    [
      'a reversed range',
      withEntry('calendar: { hour: { start: 5, end: 2 } }', 'cron'),
      'invalid-range',
      'x.yaml:8:23',
      'from 5 to 2',
    ],
    [
      'an unknown zone',
      withEntry('timezone: Europe/Berlim', 'timezone'),
      'unknown-time-zone',
      'x.yaml:8:15',
      'Europe/Berlim',
    ],
    [
      'a zone in lower case',
      withEntry('timezone: europe/berlin', 'timezone'),
      'unknown-time-zone',
      'x.yaml:8:15',
      'europe/berlin',
    ],
    [
      'an offset instead of a zone',
      withEntry('timezone: "+01:00"', 'timezone'),
      'unknown-time-zone',
      'x.yaml:8:15',
      '+01:00',
    ],
    [
      'jitter and cut-off that fill the window',
      withEntry('jitter: 30m\ncutoff: 30m'),
      'no-time-left',
      'x.yaml:8:13',
      'jitter of 30m and the cut-off of 30m',
    ],
    ['a window that is too short', withEntry('window: 5s', 'window'), 'window-too-short', 'x.yaml:8:13', '5s'],
    ['a target twice', withEntry('targets: [a/b/c, a/b/c]', 'targets'), 'duplicate-target', 'x.yaml:8:22', 'a/b/c'],
    ['a target of another form', withEntry('targets: [prod-1]', 'targets'), 'invalid-value', 'x.yaml:8:15', 'prod-1'],
    ['no targets', withEntry('targets: []', 'targets'), 'invalid-value', 'x.yaml:8:14', '[]'],
    ['an unknown runbook', withEntry('runbook: restrat', 'runbook'), 'unknown-runbook', 'x.yaml:8:14', 'restrat'],
    [
      'a wrong input',
      withEntry('runbook: scale\ninputs: { replica: many }', 'runbook'),
      'invalid-input',
      'x.yaml:9:24',
      'many',
    ],
    ['a missing input', withEntry('runbook: scale', 'runbook'), 'invalid-input', 'x.yaml:4:5', 'missing'],
    ['an unknown input', withEntry('inputs: { vresion: 1 }'), 'invalid-input', 'x.yaml:9:24', 'vresion'],
    [
      'too many targets',
      withEntry(`targets: [${Array.from({ length: 101 }, (_x, i) => `a/b/c${i}`).join(', ')}]`, 'targets'),
      'invalid-value',
      'x.yaml:8:14',
      'c0',
    ],
    [
      'a wait that would make every start be refused',
      withEntry('freeze: [prod]\nwaitAtMost: 8d'),
      'invalid-value',
      'x.yaml:10:17',
      '8d',
    ],
    [
      'a calendar name that no start would accept',
      withEntry(`freeze: [${'x'.repeat(201)}]`),
      'invalid-value',
      'x.yaml:9:14',
      'xxx',
    ],
    [
      'a wait for nothing',
      withEntry('waitAtMost: 1h'),
      'nothing-to-wait-for',
      'x.yaml:9:5',
      'neither the schedule nor',
    ],
    [
      'an empty list of calendars and a wait',
      withEntry('freeze: []\nwaitAtMost: 1h'),
      'nothing-to-wait-for',
      'x.yaml:10:5',
      'neither the schedule nor',
    ],
    [
      'a day of the month and a day of the week',
      withEntry('cron: 30 2 1-7 * mon', 'cron'),
      'invalid-cron',
      'x.yaml:8:11',
      'both the day of month "1-7" and the day of week "mon"',
    ],
    ['an invalid overlap', withEntry('overlap: allow-all'), 'invalid-value', 'x.yaml:9:14', 'allow-all'],
  ])('with %s is reported with the place', async (_case, text, code, place, found) => {
    const problems = await problemsOf(text);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems[0]?.place).toContain(place);
    expect(`${problems[0]?.place} ${problems[0]?.found}`).toContain(found);
    expect(problems[0]?.remedy.length).toBeGreaterThan(5);
  });

  it('suggests what was probably meant', async () => {
    const remedies = async (text: string) => (await problemsOf(text)).map(({ remedy }) => remedy).join();
    expect(await remedies(withEntry('windw: 1h'))).toContain('window is there already');
    expect(await remedies(withEntry('windw: 1h', 'window'))).toBe('Did you mean window? Otherwise remove it');
    expect(await remedies(withEntry('runbook: restrat', 'runbook'))).toContain('Did you mean restart');
    expect(await remedies(withEntry('timezone: Europe/Berlim', 'timezone'))).toContain('Did you mean Europe/Berlin');
    expect(await remedies(withEntry('calendar: { hour: 24 }', 'cron'))).toContain('a number from 0 to 23');
    // The same text with which a start is refused.
    expect(await remedies(withEntry('freeze: [prod]\nwaitAtMost: 8d'))).toContain(LONGEST_WAIT_REMEDY);
  });

  it('with more targets than the runbook allows is reported', async () => {
    const targets = Array.from({ length: 21 }, (_item, index) => `shop/checkout/prod-${index}`);
    const [problem] = await problemsOf(withEntry(`targets: [${targets.join(', ')}]`, 'targets'));
    expect(problem).toMatchObject({ code: 'too-many-targets', place: 'x.yaml:8:14 schedules.nightly.targets' });
    expect(problem?.found).toContain('21 targets are named, and restart takes at most 20');
  });

  it('with an unknown calendar is reported if the calendars are known', async () => {
    const text = withEntry('freeze: [prod-freze]');
    expect(await problemsOf(text)).toEqual([]);
    expect(await problemsOf(text, ['prod-freeze'])).toMatchObject([
      { code: 'unknown-calendar', remedy: expect.stringContaining('Did you mean prod-freeze') as string },
    ]);
  });

  it('has every problem of every entry reported at once, in the order of the file', async () => {
    const text = [
      'owner: Team',
      'schedules:',
      '  one:',
      '    runbook: nothing',
      '    targets: [a/b/c, a/b/c]',
      '    cron: 99 99 * * *',
      '    timezone: Moon/Base',
      '    window: 1s',
      '  two:',
      '    runbook: restart',
      '    windwo: 1h',
    ].join('\n');
    const problems = await problemsOf(text);
    const lines = problems.map(({ place }) => Number(place.split(':')[1]));
    expect(lines).toEqual([...lines].sort((left, right) => left - right));
    expect(new Set(problems.map(({ code }) => code))).toEqual(
      new Set([
        'invalid-value',
        'cron-or-calendar',
        'unknown-runbook',
        'duplicate-target',
        'invalid-cron',
        'unknown-time-zone',
        'window-too-short',
        'missing',
        'unknown-key',
      ]),
    );
  });
});

describe('an entry whose shape has faults', () => {
  const problemsIn = async (lines: string[]) =>
    (await problemsOf(`owner: team\nschedules:\n  nightly:\n${lines.map((line) => `    ${line}\n`).join('')}`))
      .map(({ place, code }) => `${place.split(' ')[1]?.replace('schedules.nightly', '*')} ${code}`)
      .sort();

  it('has its other faults reported at the same time', async () => {
    expect(
      await problemsIn(['targets: [x]', 'window: 5', 'cron: "* * *"', 'timezone: Mars/X', 'runbook: nope']),
    ).toEqual([
      '*.cron invalid-cron',
      '*.runbook unknown-runbook',
      '*.targets.0 invalid-value',
      '*.timezone unknown-time-zone',
      '*.window invalid-value',
    ]);
    expect(await problemsIn(['targets: [x]', 'window: 2h', 'timezone: UTC', 'runbook: restart'])).toEqual([
      '* cron-or-calendar',
      '*.targets.0 invalid-value',
    ]);
    expect(
      await problemsIn([
        'targets: [a/b/c]',
        'cron: "* * *"',
        'timezone: Mars/X',
        'runbook: scale',
        'inputs: { replica: 0 }',
      ]),
    ).toEqual([
      '*.cron invalid-cron',
      '*.inputs.replica invalid-input',
      '*.timezone unknown-time-zone',
      '*.window missing',
    ]);
  });

  it('has no problems reported that only follow from them', async () => {
    const right = ['targets: [a/b/c]', 'window: 2h', 'timezone: UTC', 'runbook: restart'];
    expect(await problemsIn([...right, 'cron: 5'])).toEqual(['*.cron invalid-value']);
    expect(await problemsIn([...right, 'corn: 30 2 * * *'])).toEqual(['*.corn unknown-key']);
    expect(await problemsIn([...right, 'hour: 2'])).toEqual(['*.hour unknown-key']);
    expect(await problemsIn([...right, 'calendar: { hour: 25 }'])).toEqual(['*.calendar.hour invalid-value']);
    expect(await problemsIn([...right, 'cron: 30 2 * * *', 'freeze: prod', 'waitAtMost: 1h'])).toEqual([
      '*.freeze invalid-value',
    ]);
    expect(await problemsIn([...right.slice(0, 3), 'cron: 30 2 * * *', 'runbook: 5'])).toEqual([
      '*.runbook invalid-value',
    ]);
  });

  it('is checked even under an invalid name', async () => {
    const text = withEntry('window: 5\ntimezone: Mars/X', 'window')
      .replace('nightly', 'Nightly/1')
      .replace('    timezone: Europe/Berlin\n', '');
    expect((await problemsOf(text)).map(({ code }) => code).sort()).toEqual([
      ...['invalid-name', 'invalid-value', 'unknown-time-zone'],
    ]);
  });

  it('names the place of a wrong input once', async () => {
    const [problem] = await problemsOf(withEntry('runbook: scale\ninputs: { replica: many }', 'runbook'));
    expect(problem?.found).toBe('"many" is not an integer');
    expect(problem?.remedy).toMatch(/^Give 1 or more/);
  });

  it('whose jitter alone fills the window has a problem that names only the jitter', async () => {
    const [problem] = await problemsOf(withEntry('jitter: 3h'));
    expect(problem?.found).toBe('the jitter of 3h leaves nothing of the window of 1h');
  });
});

describe('any value under any key', () => {
  const anyValue = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(
      null,
      '',
      [],
      {},
      '* * * * *',
      '@every 1s',
      'x'.repeat(5_000),
      '99999999d',
      Number.NaN,
      -0,
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );
  const keys = [
    'runbook',
    'targets',
    'inputs',
    'cron',
    'calendar',
    'timezone',
    'jitter',
    'window',
    'cutoff',
    'fit',
    'overlap',
    'freeze',
    'waitAtMost',
    'reason',
  ];

  it('is read, or has problems that can be acted on', async () => {
    const entry = fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 8 })), anyValue, {
      maxKeys: 6,
    });
    const base = parse(withEntry('')) as { schedules: { nightly: object } };
    await fc.assert(
      fc.asyncProperty(entry, async (damage) => {
        const text = stringify({ ...base, schedules: { nightly: { ...base.schedules.nightly, ...damage } } });
        for (const { found, remedy, place } of await problemsOf(text)) {
          expect(found.length * remedy.length * place.length).toBeGreaterThan(0);
          expect(`${place}${found}${remedy}`.length).toBeLessThan(3_000);
        }
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});
