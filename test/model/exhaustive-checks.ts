/** Checks at each place of a run: every course of the site, with the worker lost at different times, and commands to the run at every moment. */
import type { Untouched } from './exhaustive-cases.js';
import { AGAIN_AFTER_MS, commandAt, momentsOf } from './exhaustive-commands.js';
import type { PlayedRun } from './exhaustive-play.js';
import { UNTOUCHED, type SteeredCase, type SteeredGroup } from './exhaustive-steered.js';
import type { PlannedCheck, RunCommand } from './scenario.js';
import type { Machine } from './world.js';

const WITHIN_MS = 20_000;
const STABLE_MS = 5_000;
type Site = PlannedCheck['site'];
type Answer = Site[number]['answers'];

const BAD: readonly Answer[] = ['wrong', 'nothing', 'forbidden'];
/** At once, soon, while it must hold, shortly before and after the end of the time. */
const TIMES_MS = [0, 200, 2_000, STABLE_MS + 1_000, WITHIN_MS - 1_000, WITHIN_MS + 1_000] as const;

/** How the site answers, and what is known of the end: `null` if it depends on when it is asked. */
interface Course {
  readonly name: string;
  readonly site: Site;
  readonly passes: boolean | null;
}

const COURSES: readonly Course[] = [
  { name: 'as wanted', site: [], passes: true },
  ...BAD.flatMap((answers): Course[] => [
    { name: `${answers} always`, site: [{ fromMs: 0, answers }], passes: false },
    ...TIMES_MS.flatMap((fromMs): Course[] => [
      { name: `${answers} from ${fromMs}`, site: [{ fromMs, answers }], passes: null },
      {
        name: `${answers} until ${fromMs}`,
        site: [
          { fromMs: 0, answers },
          { fromMs, answers: 'wanted' },
        ],
        passes: null,
      },
      {
        name: `${answers} for a second from ${fromMs}`,
        site: [
          { fromMs, answers },
          { fromMs: fromMs + 1_000, answers: 'wanted' },
        ],
        passes: null,
      },
    ]),
  ]),
];

const LOST_AT_MS: readonly (readonly number[])[] = [[], [50], [STABLE_MS - 1_000], [1_000, 20_000], [WITHIN_MS - 100]];
/** `before` has no `onFailure`: nothing is begun. */
const AFTER_A_FAILURE: readonly Pick<PlannedCheck, 'before' | 'onFailure'>[] = [
  { before: true, onFailure: 'compensate' },
  { before: false, onFailure: 'compensate' },
  { before: false, onFailure: 'abort' },
  { before: false, onFailure: 'continue' },
];

/** @returns the groups of all places of a run */
export function checksOf({ id, run, played }: Untouched, machine?: Machine): SteeredGroup[] {
  const places = [...run.plan.steps.map((_step, index) => index), run.plan.steps.length];
  return places.flatMap((place) =>
    AFTER_A_FAILURE.filter(({ before }) => !before || place === 0).flatMap((rules) => {
      const name = `${id}/check ${rules.before ? 'before everything' : `before step ${place + 1}`}, ${rules.onFailure}`;
      const base = { run: checking(run, place, rules), faults: [], lines: { [UNTOUCHED]: played.line } };
      return [
        { ...base, id: `${name}/every course`, weight: 1, cases: courses() },
        ...commandsAtEveryMoment(base.run, machine).map((group) => ({ ...group, ...base, id: `${name}/${group.id}` })),
      ];
    }),
  );
}

function checking(run: PlayedRun, at: number, rules: Pick<PlannedCheck, 'before' | 'onFailure'>): PlayedRun {
  const steps = run.plan.steps.map(({ holds, ...step }, index) =>
    holds === false && (index + 1 !== at || rules.before) ? { ...step, holds } : step,
  );
  const times = { withinMs: WITHIN_MS, stableMs: STABLE_MS, timeoutMs: 3_000 };
  const check: PlannedCheck = { kind: 'check', at, ...rules, ...times, site: [], lostAtMs: [] };
  return { ...run, plan: { ...run.plan, steps, asides: [check] } };
}

const BASE = { repeats: null, over: null } as const;

/** One that passes ends as the run without a check, and one that fails for good as any other that does. */
function courses(): SteeredCase[] {
  return COURSES.flatMap(({ name, site, passes }) =>
    LOST_AT_MS.map((lostAtMs): SteeredCase => {
      const own = lostAtMs.length === 0 ? name : `${name}, worker lost at ${lostAtMs.join(' and ')}`;
      const as = passes === null ? null : passes ? UNTOUCHED : own === 'wrong always' ? null : 'wrong always';
      return {
        ...{ ...BASE, name: own, given: { commands: [] }, answers: { site, lostAtMs }, as },
        ...(passes === true ? { isSameEnd: true } : {}),
      };
    }),
  ).toSorted((one, other) => Number(other.name === 'wrong always') - Number(one.name === 'wrong always'));
}

function commandsAtEveryMoment(run: PlayedRun, machine?: Machine): SteeredGroup[] {
  return momentsOf(run, [], machine).map(({ name, atMs, weight }) => {
    const one = (what: string, commands: readonly RunCommand[], isTakenBack: boolean): SteeredCase => ({
      ...{ ...BASE, name: what, given: { commands }, as: isTakenBack ? UNTOUCHED : null },
      ...(isTakenBack ? { isSameEnd: true } : {}),
    });
    const pause = [commandAt('pause', atMs), commandAt('resume', atMs + 30_000)];
    const abort = commandAt('abort', atMs);
    return {
      ...{ id: name, run, faults: [], weight, lines: {} },
      cases: [
        one('pause', pause, true),
        one(
          'pause, again',
          pause.map((command) => ({ ...command, againAfterMs: 0 })),
          true,
        ),
        one('abort', [abort], false),
        ...AGAIN_AFTER_MS.map((againAfterMs) =>
          one(`abort, again after ${againAfterMs} ms`, [{ ...abort, againAfterMs }], false),
        ),
        one('pause, then abort', [commandAt('pause', atMs), commandAt('abort', atMs + 30_000)], false),
      ],
    };
  });
}
