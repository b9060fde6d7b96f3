/**
 * Approvals of the run and of a step at each place: every vote at every moment that matters, each also repeated, every two of them, beside
 * commands to the run, and at every moment of the run. How each ends is derived here a second time.
 */
import type { ApprovalRules } from '../../src/domain/plan/plan.js';
import type { ApprovalCommandName } from '../../src/domain/steering/command-names.js';
import { REQUESTER } from './approving-run.js';
import type { Untouched } from './exhaustive-cases.js';
import { AGAIN_AFTER_MS, commandAt, momentsOf } from './exhaustive-commands.js';
import type { PlayedRun } from './exhaustive-play.js';
import { UNTOUCHED, type SteeredCase, type SteeredGroup } from './exhaustive-steered.js';
import type { PlannedRun, PlannedVote, RunCommand } from './scenario.js';
import type { Machine } from './world.js';

const EXPIRES_MS = 60_000;
/** How long a target waits for votes that the run took in time. Repeated here to be independent of the product. */
const GRACE_MS = 10_000;
/** By then the run knows that a step asks. */
const KNOWN_AFTER_MS = 100;

/** After the approval was asked for: before the run knows, soon, while it lasts, just before its end, at its end, and after it. */
const MOMENTS_MS = [
  0,
  KNOWN_AFTER_MS,
  1_000,
  EXPIRES_MS - 1,
  EXPIRES_MS,
  EXPIRES_MS + 5_000,
  EXPIRES_MS + GRACE_MS + 1_000,
];
/** One that comes far too early or too late changes nothing for the other. */
const MOMENTS_OF_PAIRS_MS = MOMENTS_MS.slice(1, -1);
/** At once; within and beyond what a target waits for. */
const PASSED_ON_MS = [1, 9_000, 20_000] as const;

type Given = Pick<PlannedVote, 'command' | 'actor' | 'isOfAnotherPlan'>;
const VOTES: readonly Given[] = [
  { command: 'approve', actor: 'bob' },
  { command: 'approve', actor: ' Bob' },
  { command: 'approve', actor: 'cyd' },
  { command: 'approve', actor: REQUESTER },
  { command: 'approve', actor: 'dan', isOfAnotherPlan: true },
  { command: 'reject', actor: 'cyd' },
];

/** `null`: the whole run is asked. */
type Place = number | null;

interface Asked {
  readonly id: string;
  readonly run: PlayedRun;
  readonly place: Place;
  readonly need: number;
  readonly isSigned: boolean;
}

/** @returns the groups of all places of a run */
export function approvalsOf({ id, run, played }: Untouched, machine?: Machine): SteeredGroup[] {
  const places: readonly Place[] = [null, ...run.plan.steps.map((_step, index) => index), run.plan.steps.length];
  // What comes before and after it makes no difference to a token, so that the shorter run is enough.
  const signed = run.plan.steps.length === 1 ? [false, true] : [false];
  return places.flatMap((place) =>
    // For the longer run it is enough to need two people where the run itself asks, and a step that others came before.
    (signed.length === 1 && place !== null && place !== 1 ? [1] : [1, 2]).flatMap((need) =>
      signed.flatMap((isSigned) => {
        const name = `${id}/${place === null ? 'approval of the run' : `approval before step ${place + 1}`}, need ${need}`;
        const asked = {
          id: isSigned ? `${name}, signed` : name,
          run: asking(run, place, need, isSigned),
          place,
          need,
          isSigned,
        };
        const groups = [
          groupOf(asked, 'every vote', [
            ...[...ends(), ...singleVotes(asked)],
            ...[...pairsOfVotes(asked), ...besideCommands(asked)],
          ]),
          // What the rules decide about a token is decided by the same rules about a name.
          ...(need === 2 || isSigned ? [] : atEveryMoment(asked, machine)),
        ];
        return groups.map((group) => ({ ...group, lines: { [UNTOUCHED]: played.line } }));
      }),
    ),
  );
}

function asking(run: PlayedRun, place: Place, need: number, isSigned: boolean): PlayedRun {
  const rules: ApprovalRules = { roles: [], need, notRequester: true, expiresMs: EXPIRES_MS };
  const steps = run.plan.steps.map(({ holds, ...step }, index) =>
    holds === false && index + 1 !== place ? { ...step, holds } : step,
  );
  const signed = isSigned ? { isSigned: true as const } : {};
  if (place === null) return { ...run, plan: { ...run.plan, ...signed, approval: rules } };
  const asides = [{ kind: 'approval', at: place, onFailure: 'compensate', rules } as const];
  return { ...run, plan: { ...run.plan, steps, asides, ...signed } };
}

function groupOf({ id, run }: Pick<Asked, 'id' | 'run'>, name: string, cases: readonly SteeredCase[]): SteeredGroup {
  return { id: `${id}/${name}`, run, faults: [], weight: 1, lines: {}, cases };
}

const BASE = { repeats: null, over: null } as const;

/** How an approval ends: what every other case is compared with. */
function ends(): SteeredCase[] {
  const now = (command: ApprovalCommandName, actor: string) => voteAt({ command, actor }, 1_000);
  return [
    {
      ...BASE,
      name: 'approved',
      given: given([now('approve', 'bob'), now('approve', 'cyd')]),
      as: UNTOUCHED,
      isSameEnd: true,
    },
    { ...BASE, name: 'rejected', given: given([now('reject', 'bob')]), as: null },
    { ...BASE, name: 'expired', given: given([]), as: null },
    { ...BASE, name: 'aborted', given: given([], [commandAfterAsked('abort', 30_000)]), as: null },
  ];
}

function given(
  votes: readonly PlannedVote[],
  commands: readonly RunCommand[] = [],
): Pick<PlannedRun, 'commands' | 'votes'> {
  return { votes, commands };
}

function commandAfterAsked(command: RunCommand['command'], afterMs: number): RunCommand {
  return { ...commandAt(command, afterMs), since: 'asked' };
}

function voteAt(vote: Given, afterMs: number, more: Partial<PlannedVote> = {}): PlannedVote {
  return {
    ...{ ...vote, since: 'asked', afterMs, againAfterMs: null, passedOnMs: PASSED_ON_MS[0] },
    ...{ token: { proves: vote.actor, verifyMs: 1 }, ...more },
  };
}

function describe({ command, actor, isOfAnotherPlan, afterMs, passedOnMs, againAfterMs }: PlannedVote): string {
  const late = passedOnMs === PASSED_ON_MS[0] ? '' : `, passed on after ${passedOnMs} ms`;
  const again = againAfterMs === null ? '' : `, again after ${againAfterMs} ms`;
  return `${command} of "${actor}"${isOfAnotherPlan === true ? ' for another plan' : ''} at ${afterMs}${late}${again}`;
}

function singleVotes(asked: Asked): SteeredCase[] {
  return VOTES.flatMap((vote) =>
    MOMENTS_MS.flatMap((afterMs) =>
      PASSED_ON_MS.flatMap((passedOnMs) => {
        const once = voteAt(vote, afterMs, { passedOnMs });
        const again = AGAIN_AFTER_MS.map((againAfterMs) => ({ ...once, againAfterMs }));
        return [once, ...again].map((one) => voted(asked, [one]));
      }),
    ),
  );
}

function pairsOfVotes(asked: Asked): SteeredCase[] {
  const all = VOTES.flatMap((vote) => MOMENTS_OF_PAIRS_MS.map((afterMs) => voteAt(vote, afterMs)));
  return all.flatMap((first) =>
    all
      .filter(({ afterMs }) => afterMs >= first.afterMs)
      .flatMap((second) => [
        voted(asked, [first, second]),
        // The second one overtakes the first.
        ...(asked.isSigned || asked.place === null
          ? []
          : [voted(asked, [{ ...first, passedOnMs: PASSED_ON_MS[1] }, second])]),
        ...(first.afterMs === second.afterMs ? [voted(asked, [{ ...first, againAfterMs: 0 }, second])] : []),
      ]),
  );
}

function voted(asked: Asked, votes: readonly PlannedVote[]): SteeredCase {
  return { ...BASE, name: votes.map(describe).join(' + '), given: given(votes), as: endOf(asked, votes) };
}

/** How the votes end an approval, derived a second time. */
function endOf({ place, need, isSigned }: Asked, votes: readonly PlannedVote[]): 'approved' | 'rejected' | 'expired' {
  const proofMs = isSigned ? 1 : 0;
  const knownMs = place === null ? 0 : KNOWN_AFTER_MS;
  const people = new Set<string>();
  let isOver = false;
  const arrived: { readonly command: ApprovalCommandName; readonly atMs: number }[] = [];
  const sorted = votes
    .flatMap((vote) => [
      vote,
      ...(vote.againAfterMs === null ? [] : [{ ...vote, afterMs: vote.afterMs + vote.againAfterMs }]),
    ])
    .toSorted((one, other) => one.afterMs - other.afterMs);
  for (const { command, actor, afterMs, isOfAnotherPlan, passedOnMs } of sorted) {
    const name = actor.trim().toLowerCase();
    const isIn = afterMs >= knownMs && afterMs + proofMs < EXPIRES_MS && isOfAnotherPlan !== true && !isOver;
    if (!isIn || (command === 'approve' && (name === REQUESTER || people.has(name)))) continue;
    if (command === 'approve') people.add(name);
    isOver = command === 'reject' || people.size >= need;
    arrived.push({ command, atMs: afterMs + proofMs + (place === null ? 0 : passedOnMs) });
  }
  const untilMs = place === null ? EXPIRES_MS : EXPIRES_MS + GRACE_MS;
  const counted = arrived.filter(({ atMs }) => atMs < untilMs);
  if (counted.some(({ command }) => command === 'reject')) return 'rejected';
  return counted.length >= need ? 'approved' : 'expired';
}

/** A pause that is taken back changes nothing, and an abort before the end of the approval ends it. */
function besideCommands(asked: Asked): SteeredCase[] {
  const approve = [
    voteAt({ command: 'approve', actor: 'bob' }, 2_000),
    voteAt({ command: 'approve', actor: 'cyd' }, 2_000),
  ];
  const reject = [voteAt({ command: 'reject', actor: 'bob' }, 2_000)];
  return [0, 1_000, 2_000, 2_001, 3_000].flatMap((atMs) =>
    [approve, reject].flatMap((votes) => {
      const what = votes[0]?.command ?? '';
      const as = endOf(asked, votes);
      const pause = [commandAfterAsked('pause', atMs), commandAfterAsked('resume', atMs + 30_000)];
      const again = pause.map((command) => ({ ...command, againAfterMs: 0 }));
      const abort = commandAfterAsked('abort', atMs);
      return [
        { ...BASE, name: `pause at ${atMs} + ${what}`, given: given(votes, pause), as },
        { ...BASE, name: `pause at ${atMs}, again + ${what}`, given: given(votes, again), as },
        {
          ...BASE,
          name: `abort at ${atMs} + ${what}`,
          given: given(votes, [abort]),
          as: atMs < 2_000 ? 'aborted' : null,
        },
        {
          ...BASE,
          name: `pause at ${atMs}, abort + ${what}`,
          given: given(votes, [commandAfterAsked('pause', atMs), commandAfterAsked('abort', atMs + 30_000)]),
          as: null,
        },
      ];
    }),
  );
}

/** Votes and commands at every moment of the run, whatever it does then. */
function atEveryMoment(asked: Asked, machine?: Machine): SteeredGroup[] {
  const { run } = asked;
  const approves = given([voteAt({ command: 'approve', actor: 'bob' }, 1_000)]);
  return momentsOf({ ...run, plan: { ...run.plan, ...approves } }, [], machine).map(({ name, atMs, weight }) => {
    const now = (command: ApprovalCommandName, actor: string) => voteAt({ command, actor }, atMs, { since: 'begin' });
    const approve = now('approve', 'bob');
    const reject = now('reject', 'cyd');
    const one = (what: string, votes: readonly PlannedVote[], commands: readonly RunCommand[] = []): SteeredCase => ({
      ...{ ...BASE, name: what, given: given(votes, commands), as: null },
    });
    const approvedLater = { ...approves.votes?.[0], afterMs: 40_000 } as PlannedVote;
    return {
      ...groupOf({ id: `${asked.id}/${name}`, run }, 'at this moment', [
        ...[approve, reject].flatMap((vote) => [
          one(vote.command, [vote]),
          ...AGAIN_AFTER_MS.map((againAfterMs) =>
            one(`${vote.command}, again after ${againAfterMs} ms`, [{ ...vote, againAfterMs }]),
          ),
          one(`${vote.command}, approved later`, [vote, approvedLater]),
          one(`${vote.command} + abort`, [vote], [commandAt('abort', atMs)]),
          one(`${vote.command} + pause`, [vote], [commandAt('pause', atMs), commandAt('resume', atMs + 30_000)]),
        ]),
        one('approve + reject', [approve, reject]),
        one('reject + approve', [reject, approve]),
        one(
          'approved + pause',
          [...(approves.votes ?? [])],
          [commandAt('pause', atMs), commandAt('resume', atMs + 30_000)],
        ),
        one('approved + abort', [...(approves.votes ?? [])], [commandAt('abort', atMs)]),
      ]),
      weight,
    };
  });
}
