/** What a reset replays must ask for the same as its history shows: Temporal fails the task of a workflow that does not, again and again. */
import { expect, it } from 'vitest';
import * as product from '../../src/domain/once/next.js';
import { LIMITS } from './draw-mishaps.js';
import { drawOperated } from './operated.js';
import { fault, slow, timed } from './plot-parts.js';
import { playScenario, Stage } from './play.js';
import type { OperatorMove, PlannedAction, Scenario } from './scenario.js';

const KEPT_WITH_ITS_UNDO = { kind: 'resetWorkflow', keep: 99, rescheduled: true } as const;
const LATE_MS = 60_000;

/** Stop and start; the start is not begun, and the reset comes while the stop is undone. */
function undoing(
  change: Partial<Pick<Scenario, 'faults' | 'disruptions'>>,
  operator?: readonly OperatorMove[],
): Scenario {
  const step = (action: 'stop' | 'start'): PlannedAction => ({
    action: { action },
    deadlineMs: 90_000,
    stableMs: 0,
    onFailure: operator === undefined ? 'compensate' : 'pause',
    compensation: { kind: 'default' },
  });
  const run = {
    steps: [step('stop'), step('start')],
    onCancel: 'compensate',
    deadlineMs: LATE_MS,
    startsAfterMs: 0,
  } as const;
  return {
    noise: 1,
    limits: LIMITS,
    cloud: {
      initial: { status: 'RUNNING', version: '1.4.1', replica: 2, availableReplica: 2, hosts: [] },
      firstJobId: 'J0',
      busy: 'reject',
      wrongState: 'reject',
      statusAfterFailure: 'before',
      ownUserKnown: true,
      usualDurationMs: 4_000,
      longestLagMs: 0,
    },
    temporal: { attemptAfterReset: 1, clockSkewMs: 0 },
    runs: [{ ...run, ...(operator === undefined ? {} : { operator }) }],
    faults: [],
    disruptions: [timed('accepted', 2, 500, KEPT_WITH_ITS_UNDO)],
    ...change,
  };
}

/** The workflow receives the result of the stop when the time of the run is over. */
const RESULT_LATE = { faults: [fault('task', 1, slow(LATE_MS))] };

it.each<readonly [string, Scenario]>([
  ['whose time was over before a step', undoing(RESULT_LATE)],
  [
    'that was cancelled before a step',
    undoing({
      disruptions: [timed('accepted', 1, 10, { kind: 'cancel' }), timed('accepted', 2, 500, KEPT_WITH_ITS_UNDO)],
    }),
  ],
  ['with a step that no one decided about', undoing(RESULT_LATE, [{ afterMs: 10, command: null }])],
])('a run %s is reset in the middle of its undo', (_name, scenario) => {
  const played = playScenario(scenario);
  expect(played.counts['disruption resetWorkflow']).toBe(1);
  expect(played.broken).toEqual([]);
});

/** They made the model throw, because a replay after a reset settled a step that the run before had not begun. */
const SEEDS = [1_773, 7_597, 26_706, 105_505, 109_382, 141_367, 158_224, 195_663, 220_145];

it.each(SEEDS)('the operated scenario of seed %d replays as its history shows', (seed) => {
  const { broken } = new Stage(drawOperated(seed), product, null).play();
  expect(broken.filter(({ promise }) => promise === 'contract')).toEqual([]);
});
