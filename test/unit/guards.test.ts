/** Guards of runbooks and starts: the plan derived from them, and every problem with its place. */
import { describe, expect, it } from 'vitest';
import { planGuards } from '../../src/activities/plan-guards.js';
import { readStartArguments } from '../../src/domain/plan/start-arguments.js';
import { calendarsIn } from '../../src/calendars/calendars.js';
import { parseRunbook } from '../../src/runbooks/catalogue.js';
import type { StartArguments } from '../../src/domain/contract.js';
import type { Problem } from '../../src/domain/failures.js';
import type { Runbook } from '../../src/domain/runbook/runbook.js';

const given = (more: object) => readStartArguments({ targets: ['a/b/c'], ...more }).problems;
const places = (problems: readonly Problem[]) => problems.map(({ place }) => place);
const runbook = (guards: string) => parseRunbook(`name: x\ntitle: t\nguards: ${guards}\nsteps: []\n`, 'x.yaml');

async function planned(guards: string, start: Partial<StartArguments>, directories: readonly string[] = []) {
  const problems: Problem[] = [];
  const freezesOfNames = async (names: readonly string[]) => ({
    freezes: names.map((calendar) => ({ calendar, name: 'f', fromMs: 1, toMs: 2 })),
    problems: [],
  });
  const real = calendarsIn(directories);
  const calendars = directories.length === 0 ? { ...real, freezesBetween: freezesOfNames } : real;
  const found = await planGuards(runbook(guards) as Runbook, { targets: [], ...start }, calendars, 0, problems);
  return { found, problems };
}

describe('start arguments', () => {
  it.each([
    [
      'an unknown key of the window',
      { window: { duration: '2h', cutof: '1m' } },
      'window.cutof',
      'Did you mean cutoff?',
    ],
    ['no duration', { window: {} }, 'window.duration', ''],
    ['a duration of nothing', { window: { duration: '0s' } }, 'window.duration', ''],
    ['a negative cut-off', { window: { duration: '2h', cutoff: '-1m' } }, 'window.cutoff', ''],
    ['an opening without offset', { window: { duration: '2h', opensAt: '2026-12-01T02:30:00' } }, 'window.opensAt', ''],
    ['a 30th of February', { window: { duration: '2h', opensAt: '2026-02-30T02:30:00Z' } }, 'window.opensAt', ''],
    [
      'a fit that is neither true nor false',
      { window: { duration: '2h', fit: 'no' } },
      'window.fit',
      'Write true or false',
    ],
    ['a wait of more than a week', { waitAtMost: '8d' }, 'waitAtMost', ''],
    ['a calendar without a name', { freeze: [''] }, 'freeze.0', ''],
  ])('report %s with its place', (_what, more, place, remedy) => {
    const problems = given(more);
    expect(places(problems)).toEqual([place]);
    expect(problems[0]?.remedy).toContain(remedy);
  });
});

describe('guards of a runbook file', () => {
  it.each([
    ['{ window: { cutof: 1m } }', ['x.yaml:3:21 guards.window.cutof']],
    ['{ window: { cutoff: soon } }', ['x.yaml:3:29 guards.window.cutoff']],
    ['{ window: { fit: 12 } }', ['x.yaml:3:26 guards.window.fit']],
    ["{ freeze: [''] }", ['x.yaml:3:20 guards.freeze.0']],
    ['{ freeze: [a, b, a] }', ['x.yaml:3:26 guards.freeze.2']],
    ['{ waitAtMost: 8d }', ['x.yaml:3:23 guards.waitAtMost']],
    ['{ windows: {} }', ['x.yaml:3:11 guards.windows']],
    ['4h', ['x.yaml:3:9 guards']],
    ['{}', ['x.yaml:3:9 guards']],
    ['{ window: {}, freeze: [] }', ['x.yaml:3:19 guards.window', 'x.yaml:3:31 guards.freeze']],
  ])('%s are reported with their place', (guards, wanted) => {
    expect(places(runbook(guards) as Problem[])).toEqual(wanted);
  });

  it.each([
    '{ waitAtMost: 4h }',
    '{ window: { cutoff: 30m } }',
    '{ window: { fit: false } }',
    '{ waitAtMost: 0s, window: { cutoff: 0s } }',
  ])('%s may apply to the window or the freezes of a start, so they are accepted', (guards) => {
    expect(runbook(guards)).toMatchObject({ name: 'x' });
  });
});

describe('the guards of a plan', () => {
  it('are none without window and freeze', async () => {
    expect(await planned('{ window: { cutoff: 30m }, waitAtMost: 4h }', {})).toEqual({
      found: undefined,
      problems: [],
    });
  });

  it('combine the calendars; otherwise the start overrides the runbook', async () => {
    const start = {
      freeze: ['b', 'c'],
      waitAtMost: '1h',
      window: { duration: '2h', opensAt: '2026-12-01T02:30:00+01:00' },
    };
    const { found, problems } = await planned('{ window: { cutoff: 30m }, freeze: [a, b], waitAtMost: 4h }', start);
    expect(problems).toEqual([]);
    expect(found).toMatchObject({
      window: { opensAtMs: Date.parse('2026-12-01T01:30:00Z'), durationMs: 7_200_000, cutoffMs: 1_800_000 },
      freeze: ['a', 'b', 'c'],
      waitAtMostMs: 3_600_000,
      coming: [{ calendar: 'a', name: 'f', fromMs: 1, toMs: 2 }],
    });
  });

  it.each<[string, boolean | undefined, false | undefined]>([
    ['{}', undefined, undefined],
    ['{}', false, false],
    ['{ fit: false }', undefined, false],
    ['{ fit: false }', true, undefined],
    ['{ fit: true }', false, false],
  ])(
    'require that targets fit, unless the runbook (%s) or the start (%s) switches that off',
    async (window, fit, expected) => {
      const given = { duration: '2h', ...(fit === undefined ? {} : { fit }) };
      const { found } = await planned(`{ window: ${window}, waitAtMost: 4h }`, { window: given });
      expect(found?.window?.fit).toBe(expected);
    },
  );

  it.each([
    ['{ waitAtMost: 1h }', { duration: '30m', cutoff: '30m' }, 'window.cutoff'],
    ['{ window: { cutoff: 1h } }', { duration: '30m' }, 'window.duration'],
  ])('must leave a part of the window', async (guards, window, place) => {
    expect(places((await planned(guards, { window })).problems)).toEqual([place]);
  });

  it('refuse an unreadable folder of calendars, unless the run may wait for it', async () => {
    const unreadable = ['/no/such/folder'];
    const hurried = await planned('{ freeze: [a], waitAtMost: 4h }', { waitAtMost: '0s' }, unreadable);
    expect(hurried.problems.map(({ code }) => code)).toEqual(['no-folder', 'not-found']);
    expect(hurried.found).toMatchObject({ waitAtMostMs: null });
    const patient = await planned('{ freeze: [a], waitAtMost: 4h }', {}, unreadable);
    expect(patient.problems).toEqual([]);
    expect(patient.found?.unreadable).toMatchObject([
      expect.stringContaining('/no/such/folder'),
      expect.stringContaining('calendar a'),
    ]);
  });
});
