// The works of side-by-side.mjs. Sizes are those of the whole table; `--size` scales the number of runs.

const RECOVER = {
  runbook: 'recover',
  steps: [{ action: 'stop' }, { action: 'rollback', parameters: { version: '1' } }, { action: 'start' }],
};
const RESTART = { runbook: 'restart', steps: [{ action: 'restart' }] };
/** So that nothing but following is measured: bare Temporal holds nothing either. The work `shipped` is about holding. */
const SHORT_HOLD = 'within=20s,stable=200ms';

/** What an operator sets who has 2,000 steps and 700 MB: V8 and the allocator of the C library keep less, and workflows that wait are replayed when their step ends. */
const SMALL_WORKER = {
  NODE_OPTIONS: '--max-old-space-size=400',
  MALLOC_ARENA_MAX: '2',
  RUNBOOK_CACHED_WORKFLOWS: '400',
  RUNBOOK_WAITING_STEPS: '2000',
};

/**
 * - `jobMs`: how long each cloud job takes.
 * - `perSecond`: runs begun a second; `null`: all at once.
 * - `warmUp`: runs before the measured ones, so that 30 jobs of each action are learned. Those without it begin with nothing known.
 * - `rounds`: further rounds of the same, on our side alone: the first is cold, the last knows what the others took. 20 runs are 20 cloud
 *   jobs of each action, so 30 are learned in the third.
 * - `verify`: `RUNBOOK_VERIFY`; `null`: as shipped.
 * - `hasBare`: whether bare Temporal can do it, and is worth the time.
 * - `sizes`: of our worker; `null`: by the memory of the machine, which has more than a container.
 * - `isLight`: it needs so little of the machine that the sides may run at the same time.
 */
export const WORKS = {
  steady: work({ ...RECOVER, jobMs: 2_000, runs: 50, perSecond: 5, warmUp: 30 }),
  burst2: work({ ...RECOVER, jobMs: 2_000, runs: 500, warmUp: 30 }),
  burst20: work({ ...RECOVER, jobMs: 20_000, runs: 500, rounds: 2 }),
  shipped: work({ ...RECOVER, jobMs: 20_000, runs: 20, rounds: 3, verify: null, hasBare: false, isLight: true }),
  waiting: work({
    ...RESTART,
    jobMs: 7_200_000,
    runs: 2_000,
    perSecond: 8,
    sizes: SMALL_WORKER,
    isEndless: true,
    hasBare: false,
  }),
};

function work(given) {
  return {
    perSecond: null,
    warmUp: 0,
    rounds: 1,
    // Enough where the machine is quiet: the whole table takes twenty minutes.
    repetitions: 1,
    verify: SHORT_HOLD,
    hasBare: true,
    sizes: null,
    isLight: false,
    isEndless: false,
    ...given,
  };
}
