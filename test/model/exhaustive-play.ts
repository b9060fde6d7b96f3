/** Plays one run of the exhaustive suite: nothing is left to chance, and the n-th request is struck by what the case says. */
import * as product from '../../src/domain/once/next.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout } from '../../src/domain/once/limits.js';
import type { InstanceState } from '../../src/simulator/effects.js';
import { outcomeLine } from '../chaos/exhaustive-line.js';
import { Dice } from '../chaos/dice.js';
import type { StruckSite } from './exhaustive-faults.js';
import type { Broken } from './invariants.js';
import { Mishaps } from './mishaps.js';
import { Stage } from './play.js';
import type { Mischief, PlannedRun, Scenario, Site } from './scenario.js';
import type { Transcript } from './transcript.js';
import type { Machine } from './world.js';

/** Cloud jobs last a quarter of it: the first poll, after a tenth, finds them under way, and the second ended. */
const USUAL_DURATION_MS = 20_000;

/** A run that a case is played on. */
export interface PlayedRun {
  readonly plan: PlannedRun;
  readonly initial: InstanceState;
  /** Cloud jobs that go wrong in each of its cases, by their number; 1 for the first. */
  readonly armed: ReadonlyMap<number, Mischief>;
}

/** What goes wrong at the request with this number; 1 for the first of the run. */
export interface Strike {
  readonly order: number;
  readonly site: StruckSite;
  readonly what: Mischief;
}

/** A request as it was made, or a cloud job that was accepted. */
export interface Asked {
  readonly site: StruckSite;
  /** The activity: `observation`, `1-stop`, `settle-1-stop`, `undo-1-stop`. */
  readonly by: string;
  /** Of the machine. */
  readonly phase: string;
}

export interface PlayedCase {
  readonly line: string;
  readonly asked: readonly Asked[];
  readonly broken: readonly Broken[];
}

/** @param transcript where one is wanted */
export function playCase(
  run: PlayedRun,
  strikes: readonly Strike[],
  machine: Machine = product,
  transcript: Transcript | null = null,
): PlayedCase {
  const requests = new CountedRequests(run, strikes);
  const stage = new Stage(scenarioOf(run, strikes), machine, transcript, { dice: new NoDice(0), mishaps: requests });
  requests.watch(stage);
  const { broken } = stage.play();
  return { line: lineOf(stage), asked: requests.asked, broken };
}

function scenarioOf({ plan, initial }: PlayedRun, strikes: readonly Strike[]): Scenario {
  const limits = withHeartbeatTimeout(DEFAULT_LIMITS);
  return {
    noise: 0,
    limits,
    cloud: {
      initial,
      firstJobId: 'J0',
      // A second POST is never refused, so that none is overlooked.
      busy: 'accept',
      wrongState: 'noop',
      statusAfterFailure: 'before',
      ownUserKnown: true,
      usualDurationMs: USUAL_DURATION_MS,
      longestLagMs: limits.visibilityWindowMs,
    },
    temporal: { attemptAfterReset: 1, clockSkewMs: 0 },
    runs: [plan],
    // For the promises, which ask what went wrong; `CountedRequests` strikes.
    faults: strikes.map(({ site, order, what }) => ({ site, nth: order, times: 1, what })),
    blows: [],
  };
}

/** The likelier side of each coin, and the least of each number: every run takes the same course. */
class NoDice extends Dice {
  override whole(from: number): number {
    return from;
  }

  override chance(probability: number): boolean {
    return probability >= 0.5;
  }
}

const COUNTED: readonly Site[] = ['observe', 'read', 'poll', 'inspect', 'connect', 'post', 'job'];

function isCounted(site: Site): site is StruckSite {
  return COUNTED.includes(site);
}

/** Counts requests over the whole run, whatever they ask. */
class CountedRequests extends Mishaps {
  readonly asked: Asked[] = [];
  readonly #strikes: ReadonlyMap<number, Mischief>;
  readonly #armed: PlayedRun['armed'];
  #cloudJobs = 0;
  #stage: Stage | null = null;

  constructor({ armed }: PlayedRun, strikes: readonly Strike[]) {
    super({ faults: [], blows: [] }, () => {});
    this.#armed = armed;
    this.#strikes = new Map(strikes.map(({ order, what }) => [order, what]));
  }

  watch(stage: Stage): void {
    this.#stage = stage;
  }

  override at(site: Site): Mischief | null {
    if (!isCounted(site)) return null;
    const activity = this.#stage?.holder?.activity ?? null;
    const attempt = this.#stage?.world.server.attempts.at(-1);
    const by = site === 'observe' ? 'observation' : (activity?.request.name ?? 'nobody');
    this.asked.push({ site, by, phase: attempt?.state.phase.name ?? 'observation' });
    const struck = this.#strikes.get(this.asked.length) ?? null;
    const armed = site === 'job' ? this.#armed.get(++this.#cloudJobs) : undefined;
    return struck ?? armed ?? null;
  }
}

function lineOf({ world, holder }: Stage): string {
  const report = holder?.holder.report ?? null;
  if (report === null) return 'NO REPORT';
  const { failure, steps, compensations } = report;
  const posts = world.chronicle.jobs.flatMap(({ post, action }) => (post === null ? [] : [action.action]));
  const named = {
    ...report,
    failure: failure ?? undefined,
    steps: steps.map((step) => ({ ...step, id: plainId(step.id) })),
    compensations: compensations.map((step) => ({ ...step, id: plainId(step.id) })),
    remaining: report.remaining.map((effect) => ({ ...effect, stepId: plainId(effect.stepId) })),
  };
  return outcomeLine(named, posts, world.cloud.state);
}

/** `undo-1-stop` → `undo-stop`: each action comes once in these runs. */
export function plainId(id: string): string {
  return id.replace(/\d+-/, '');
}
