/** Plays one run of the exhaustive suite: nothing is random, and the case decides which requests are hit. */
import * as product from '../../src/domain/once/next.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout } from '../../src/domain/once/limits.js';
import type { InstanceState } from '../../src/simulator/effects.js';
import { outcomeLine } from '../chaos/exhaustive-line.js';
import { Dice } from '../chaos/dice.js';
import type { FaultSite } from './exhaustive-faults.js';
import type { Counts } from './ground-truth.js';
import type { Broken } from './invariants.js';
import type { Polls } from './polls.js';
import { Mishaps } from './mishaps.js';
import { Stage } from './play.js';
import type { FaultEffect, PlannedRun, Scenario, Site } from './scenario.js';
import type { Transcript } from './transcript.js';
import { BEGIN_MS } from './virtual-time.js';
import type { Machine } from './world.js';

/** Cloud jobs last a quarter of it: the first poll finds them in flight, and the second finds them ended. */
const USUAL_DURATION_MS = 20_000;
const FIRST_POLL_MS = 2_000;
const BETWEEN_POLLS_MS = 8_000;

const seldom: Polls = ({ sinceMs, polls }, nowMs) => sinceMs + FIRST_POLL_MS + polls * BETWEEN_POLLS_MS - nowMs;

/** The run that a case is played on. */
export interface PlayedRun {
  readonly plan: PlannedRun;
  readonly initial: InstanceState;
  /** Cloud jobs that fail in each of its cases, by number; 1 is the first. */
  readonly armed: ReadonlyMap<number, FaultEffect>;
  /** Runs that follow it. */
  readonly more?: readonly PlannedRun[];
}

/** The fault of the request with this number; 1 is the first request of the run. */
export interface InjectedFault {
  readonly order: number;
  readonly site: FaultSite;
  readonly what: FaultEffect;
}

/** A request that was made, or a cloud job that was accepted. */
export interface Asked {
  readonly site: FaultSite;
  /** The activity: `observation`, `1-stop`, `settle-1-stop`, `undo-1-stop`. */
  readonly by: string;
  /** The phase of the machine. */
  readonly phase: string;
  /** Since the run began, milliseconds. */
  readonly atMs: number;
}

export interface PlayedCase {
  readonly line: string;
  readonly asked: readonly Asked[];
  readonly broken: readonly Broken[];
  /** How often each kind of thing happened. */
  readonly counts: Counts;
  /** When steps began to wait for a decision, milliseconds since the run began. */
  readonly blocks: readonly { readonly step: string; readonly atMs: number }[];
  /** When runs were planned that resume another one and were not refused, milliseconds since the first run began. */
  readonly resumedAtMs: readonly number[];
  /** The step of each POST, and when it was sent, milliseconds since the run began. */
  readonly sent: readonly { readonly step: string; readonly atMs: number }[];
}

/** @param transcript collects the lines, if not `null` */
export function playCase(
  run: PlayedRun,
  faults: readonly InjectedFault[],
  machine: Machine = product,
  transcript: Transcript | null = null,
): PlayedCase {
  const requests = new CountedRequests(run, faults);
  const stage = new Stage(scenarioOf(run, faults), machine, transcript, {
    dice: new NoDice(0),
    mishaps: requests,
    polls: seldom,
  });
  requests.watch(stage);
  const { broken, counts } = stage.play();
  const { blocks, posts, resumes } = stage.world.truth;
  return {
    ...{ line: lineOf(stage), asked: requests.asked, broken, counts },
    blocks: blocks.map(({ step, atMs }) => ({ step, atMs: atMs - BEGIN_MS })),
    resumedAtMs: resumes.flatMap(({ atMs, refused }) => (refused === null ? [atMs - BEGIN_MS] : [])),
    sent: posts.map(({ decision, sentAtMs }) => ({ step: decision.stepId, atMs: sentAtMs - BEGIN_MS })),
  };
}

function scenarioOf({ plan, initial, more = [] }: PlayedRun, faults: readonly InjectedFault[]): Scenario {
  const limits = withHeartbeatTimeout(DEFAULT_LIMITS);
  return {
    noise: 0,
    limits,
    cloud: {
      initial,
      firstJobId: 'J0',
      // A second POST is never refused, so that every one is counted.
      busy: 'accept',
      wrongState: 'noop',
      statusAfterFailure: 'before',
      ownUserKnown: true,
      usualDurationMs: USUAL_DURATION_MS,
      longestLagMs: limits.visibilityWindowMs,
    },
    temporal: { attemptAfterReset: 1, clockSkewMs: 0 },
    runs: [plan, ...more],
    // Only for the promises, which ask what went wrong; `CountedRequests` injects the faults.
    faults: faults.map(({ site, order, what }) => ({ site, nth: order, times: 1, what })),
    disruptions: [],
  };
}

/** Always draws the likelier side of each coin and the smallest number, so that every run takes the same course. */
class NoDice extends Dice {
  override whole(from: number): number {
    return from;
  }

  override chance(probability: number): boolean {
    return probability >= 0.5;
  }
}

const COUNTED: readonly Site[] = ['observe', 'read', 'poll', 'inspect', 'connect', 'post', 'job'];

function isCounted(site: Site): site is FaultSite {
  return COUNTED.includes(site);
}

/** Counts requests over the whole run, whatever their kind. */
class CountedRequests extends Mishaps {
  readonly asked: Asked[] = [];
  readonly #faults: ReadonlyMap<number, FaultEffect>;
  readonly #armed: PlayedRun['armed'];
  #cloudJobs = 0;
  #stage: Stage | null = null;

  constructor({ armed }: PlayedRun, faults: readonly InjectedFault[]) {
    super({ faults: [], disruptions: [] }, () => {});
    this.#armed = armed;
    this.#faults = new Map(faults.map(({ order, what }) => [order, what]));
  }

  watch(stage: Stage): void {
    this.#stage = stage;
  }

  override at(site: Site): FaultEffect | null {
    if (!isCounted(site)) return null;
    const activity = this.#stage?.holder?.activity ?? null;
    const attempt = this.#stage?.world.server.attempts.at(-1);
    const by = site === 'observe' ? 'observation' : (activity?.request.name ?? 'none');
    const atMs = (this.#stage?.world.time.nowMs ?? BEGIN_MS) - BEGIN_MS;
    this.asked.push({ site, by, phase: attempt?.state.phase.name ?? 'observation', atMs });
    const effect = this.#faults.get(this.asked.length) ?? null;
    const armed = site === 'job' ? this.#armed.get(++this.#cloudJobs) : undefined;
    return effect ?? armed ?? null;
  }
}

function lineOf({ world, holder }: Stage): string {
  const report = holder?.holder.report ?? null;
  if (report === null) return 'NO REPORT';
  const { failure, steps, compensations } = report;
  const posts = world.truth.jobs.flatMap(({ post, action }) => (post === null ? [] : [action.action]));
  const named = {
    ...report,
    failure: failure ?? undefined,
    steps: steps.map((step) => ({ ...step, id: plainId(step.id) })),
    compensations: compensations.map((step) => ({ ...step, id: plainId(step.id) })),
    remaining: report.remaining.map((effect) => ({ ...effect, stepId: plainId(effect.stepId) })),
  };
  return outcomeLine(named, posts, world.cloud.state);
}

/** `undo-1-stop` → `undo-stop`: each action occurs once in these runs. */
export function plainId(id: string): string {
  return id.replace(/\d+-/, '');
}
