/** Scenarios with approvals, checks and resumed runs at random moments, beside every mishap. */
import type { ApprovalRules } from '../../src/domain/plan/plan.js';
import { Dice } from '../chaos/dice.js';
import { drawOperated } from './operated.js';
import { drawScenario } from './draw-scenario.js';
import type {
  PlannedAside,
  PlannedCheck,
  PlannedRun,
  PlannedVote,
  Resuming,
  RunCommand,
  Scenario,
} from './scenario.js';
import { drawCommands } from './steered.js';

/** The scenario of a seed, with people who approve, checks, and runs that resume the one before; its own dice, so that it stays the same otherwise. */
export function drawAttended(seed: number): Scenario {
  const dice = new Dice(seed + 3_000_000_019);
  const scenario = dice.chance(0.3) ? drawOperated(seed) : drawScenario(seed);
  const [first, ...others] = scenario.runs;
  if (first === undefined) return scenario;
  const attended = withAsides(first, dice);
  const resumes = dice.chance(0.6) ? drawResumes(attended, dice) : [];
  return { ...scenario, runs: [attended, ...resumes, ...others] };
}

function withAsides(run: PlannedRun, dice: Dice): PlannedRun {
  const count = dice.whole(0, 2);
  const asides = dice.times(count, (): PlannedAside =>
    dice.chance(0.5) ? drawApproval(run, dice) : drawCheck(run, dice),
  );
  const isGuarded = dice.chance(asides.some(({ kind }) => kind === 'approval') ? 0.4 : 0.15);
  const asks = isGuarded || asides.some(({ kind }) => kind === 'approval');
  // A step that an approval or a check follows is held.
  const steps = run.steps.map((step, index) => {
    const isFollowed = asides.some(({ at, ...aside }) => at === index + 1 && !('before' in aside && aside.before));
    const { holds, ...rest } = step;
    return holds === undefined || isFollowed ? rest : step;
  });
  return {
    ...{ ...run, steps, asides, commands: drawnCommands(dice) },
    ...(isGuarded ? { approval: drawRules(dice) } : {}),
    ...(asks ? { votes: drawVotes(dice), ...(dice.chance(0.3) ? { isSigned: true } : {}) } : {}),
  };
}

/** At any moment, or while people are asked. */
function drawnCommands(dice: Dice): readonly RunCommand[] {
  if (dice.chance(0.25)) return drawCommands(dice);
  if (dice.chance(0.6)) return [];
  const common = { since: 'asked', againAfterMs: null, passedOnMs: dice.one([1, 500]) } as const;
  return [
    { ...common, command: 'pause', afterMs: dice.whole(0, 2_000) },
    { ...common, command: dice.one(['resume', 'resume', 'abort']), afterMs: 100_000 },
  ];
}

function drawRules(dice: Dice): ApprovalRules {
  const expiresMs = dice.one([10_000, 60_000, 600_000]);
  return { roles: [], need: dice.whole(1, 2), notRequester: dice.chance(0.8), expiresMs };
}

function drawApproval({ steps }: PlannedRun, dice: Dice): PlannedAside {
  const onFailure = dice.one(['compensate', 'compensate', 'abort'] as const);
  return { kind: 'approval', at: dice.whole(0, steps.length), onFailure, rules: drawRules(dice) };
}

function drawVotes(dice: Dice): readonly PlannedVote[] {
  return dice.times(dice.whole(1, 5), (): PlannedVote => {
    const actor = dice.one(['bob', 'bob', 'cyd', 'cyd', 'ann', ' Bob']);
    return {
      command: dice.chance(0.8) ? 'approve' : 'reject',
      actor,
      since: dice.chance(0.85) ? 'asked' : 'begin',
      afterMs: dice.one([0, 10, dice.whole(0, 1_000), dice.whole(0, 12_000), dice.whole(0, 90_000), 60_000]),
      againAfterMs: dice.chance(0.4) ? dice.one([0, 5, 100, 5_000]) : null,
      passedOnMs: dice.one([1, 1, 50, 5_000, 9_000, 20_000]),
      ...(dice.chance(0.1) ? { isOfAnotherPlan: true } : {}),
      ...(dice.chance(0.9) ? { token: drawToken(actor, dice) } : {}),
    };
  });
}

function drawToken(actor: string, dice: Dice): NonNullable<PlannedVote['token']> {
  const proves = dice.chance(0.9) ? actor : null;
  const verifyMs = dice.one([1, 50, 3_000]);
  return { proves, verifyMs, ...(dice.chance(0.15) ? { isLostOnTarget: true } : {}) };
}

function drawCheck({ steps }: PlannedRun, dice: Dice): PlannedCheck {
  const before = dice.chance(0.4);
  const withinMs = dice.one([1_000, 20_000, 120_000]);
  return {
    kind: 'check',
    at: dice.whole(0, steps.length),
    before,
    onFailure: before ? 'compensate' : dice.one(['compensate', 'abort', 'continue', 'pause']),
    withinMs,
    stableMs: dice.one([0, 2_000, 10_000]),
    timeoutMs: 5_000,
    site: dice
      .times(dice.whole(0, 4), () => ({
        fromMs: dice.one([0, dice.whole(0, 5_000), dice.whole(0, withinMs * 2)]),
        answers: dice.one(['wanted', 'wanted', 'wrong', 'nothing', 'forbidden'] as const),
      }))
      .toSorted((one, other) => one.fromMs - other.fromMs),
    lostAtMs: dice.times(dice.one([0, 0, 0, 1, 2]), () => dice.whole(0, 20_000)),
  };
}

/** One or two runs that resume the first, or one another. */
function drawResumes(run: PlannedRun, dice: Dice): readonly PlannedRun[] {
  return dice.times(dice.whole(1, 2), () => {
    const resumes: Resuming = {
      plannedMs: dice.one([1, 1_000, 60_000]),
      ...(dice.chance(0.3) ? { isTwin: true } : {}),
    };
    const startsAfterMs = dice.one([10, 5_000, 31_000, 120_000]);
    const { votes: _votes, ...rest } = run;
    return { ...rest, startsAfterMs, resumes, commands: [], votes: dice.chance(0.8) ? APPROVES : drawVotes(dice) };
  });
}

const APPROVES: readonly PlannedVote[] = ['bob', 'cyd'].map((actor) => ({
  ...{ command: 'approve', actor, since: 'asked', afterMs: 1_000, againAfterMs: null, passedOnMs: 1 },
  token: { proves: actor, verifyMs: 10 },
}));
