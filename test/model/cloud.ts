/**
 * The abstract cloud: one instance, its cloud jobs, and what readings show of them and when. Written from the API's documentation, not from
 * the product's code.
 */
import type { Action } from '../../src/domain/target/actions.js';
import type { CloudJob } from '../../src/domain/target/cloud-job.js';
import type { FailureName } from '../../src/domain/failures.js';
import type { Observation } from '../../src/domain/target/target.js';
import { EFFECTS, type InstanceState } from '../../src/simulator/effects.js';
import type { Job, Post } from './ground-truth.js';
import type { FaultEffect } from './scenario.js';
import type { World } from './world.js';

/** The only instance. */
export const INSTANCE_ID = 'instance';
/** Our own user, and the user who made everything that is not ours. */
export const OUR_USER = 'us';
const FOREIGN_USER = 'somebody else';

const FAILED_ENDS = ['FAILED', 'PARTIALLY_FAILED', 'CANCELLED', 'ROLLBACKED'];
const TRANSIENT: readonly string[] = Object.values(EFFECTS).map(({ meanwhile }) => meanwhile);

/** True if a cloud job with this end status failed. */
export function hasFailed(endStatus: string): boolean {
  return FAILED_ENDS.includes(endStatus);
}

interface Change {
  readonly atMs: number;
  readonly shownAtMs: number;
  readonly state: InstanceState;
}

/** How a cloud job develops. */
interface Fate {
  idMs: number;
  statusMs: number;
  lastsMs: number;
  status: string;
  instanceStatus?: string | undefined;
  converges: boolean;
  unknownForMs: number;
  withoutTasksForMs: number;
  createdBy: string | null;
}

/** The answer to a POST. */
export type Answer = { readonly job: Job } | { readonly refused: FailureName };

/** The instance can be read at any past time, because the whole past is kept. */
export class Cloud {
  state: InstanceState;
  readonly #changes: Change[];
  readonly #inFlight = new Set<Job>();

  constructor(private readonly world: () => World) {
    const { scenario, time } = world();
    this.state = scenario.cloud.initial;
    this.#changes = [{ atMs: time.nowMs - 1, shownAtMs: time.nowMs - 1, state: this.state }];
  }

  /** Receives one of our POSTs. */
  submit(action: Action, post: Post): Answer {
    const { scenario, dice, truth } = this.world();
    const { busy, wrongState, usualDurationMs, longestLagMs } = scenario.cloud;
    if (this.state.status === 'DELETED') return { refused: 'TargetNotFound' };
    if (busy === 'reject' && this.#inFlight.size > 0) return { refused: 'TargetBusy' };
    const fits = EFFECTS[action.action].acceptedIn.includes(this.#restingStatus());
    if (!fits && wrongState === 'reject') return { refused: 'InvalidStep' };
    const fate: Fate = {
      idMs: dice.chance(0.5) ? 0 : dice.whole(0, longestLagMs),
      statusMs: dice.chance(0.6) ? 0 : dice.whole(0, longestLagMs),
      lastsMs: dice.whole(Math.ceil(usualDurationMs / 4), usualDurationMs * 2),
      status: 'SUCCEEDED',
      converges: true,
      unknownForMs: 0,
      withoutTasksForMs: dice.chance(0.7) ? 0 : dice.whole(0, 3_000),
      createdBy: OUR_USER,
    };
    const effect = this.world().mishaps.at('job');
    if (effect !== null) decide(fate, effect);
    const job = this.#add(action, fate, post, !fits);
    post.job = job;
    truth.count('accepted');
    this.world().mishaps.passed('accepted');
    return { job };
  }

  /** Somebody else acts, whatever is in flight. */
  foreignAction(action: Action, fate: Pick<Fate, 'idMs' | 'statusMs' | 'lastsMs' | 'status'>): Job | null {
    if (this.state.status === 'DELETED') return null;
    const fits = EFFECTS[action.action].acceptedIn.includes(this.#restingStatus());
    const whole = { ...fate, converges: true, unknownForMs: 0, withoutTasksForMs: 0, createdBy: FOREIGN_USER };
    return this.#add(action, whole, null, !fits);
  }

  delete(): void {
    this.#change({ ...this.state, status: 'DELETED', availableReplica: 0 }, 0);
  }

  /** What a reading taken at `atMs`, now or in the past, shows. */
  reading(atMs: number): Observation {
    const { truth, scenario } = this.world();
    const shown = this.#changes.findLast((change) => change.atMs <= atMs && change.shownAtMs <= atMs);
    const { status, version, replica, availableReplica } = shown?.state ?? scenario.cloud.initial;
    const job = truth.jobs.findLast(({ idShownAtMs }) => idShownAtMs <= atMs);
    const { firstJobId } = scenario.cloud;
    return {
      observedAtMs: atMs,
      status,
      version,
      replicaCount: replica,
      availableReplicaCount: availableReplica,
      hosts: null,
      lastJobId: job?.id ?? firstJobId,
      lastJobStatus: job === undefined ? (firstJobId === null ? null : 'SUCCEEDED') : statusAt(job, atMs),
      failDetail: null,
    };
  }

  /** The true state, whatever readings showed. */
  stateAt(atMs: number): InstanceState {
    return this.#changes.findLast((change) => change.atMs <= atMs)?.state ?? this.world().scenario.cloud.initial;
  }

  /** True if something had changed by then that no reading showed yet. */
  isLagging(atMs: number): boolean {
    return this.#changes.some((change) => change.atMs <= atMs && change.shownAtMs > atMs);
  }

  /** A cloud job as the API shows it; `null` if the API does not know it. */
  job(cloudJobId: string, atMs: number): CloudJob | null {
    const job = this.world().truth.jobs.find(({ id }) => id === cloudJobId);
    if (job === undefined || atMs < job.knownAtMs) return null;
    const status = statusAt(job, atMs);
    const tasks = [{ taskId: 'task', name: job.action.action, status, messages: '', createdAtMs: job.acceptedAtMs }];
    return {
      cloudJobId,
      status,
      jobType: 'DAILY_OPERATION',
      instanceId: INSTANCE_ID,
      createdBy: job.createdBy,
      tasks: atMs < job.tasksAtMs ? [] : tasks,
    };
  }

  #add(action: Action, fate: Fate, post: Post | null, isNoop: boolean): Job {
    const { time, truth } = this.world();
    const { nowMs } = time;
    const job: Job = {
      id: `J${truth.jobs.length + 1}`,
      action,
      post,
      createdBy: fate.createdBy,
      acceptedAtMs: nowMs,
      idShownAtMs: nowMs + fate.idMs,
      statusLagMs: fate.statusMs,
      knownAtMs: nowMs + fate.unknownForMs,
      tasksAtMs: nowMs + fate.withoutTasksForMs,
      endsAtMs: nowMs + fate.lastsMs,
      endStatus: fate.status,
      leaves: fate.instanceStatus ?? null,
      converges: fate.converges,
      isNoop,
      before: this.state,
      after: null,
    };
    truth.jobs.push(job);
    this.#inFlight.add(job);
    if (!isNoop) this.#change({ ...this.state, status: EFFECTS[action.action].meanwhile }, fate.statusMs);
    if (Number.isFinite(job.endsAtMs)) time.at(job.endsAtMs, () => this.#end(job));
    return job;
  }

  #end(job: Job): void {
    this.#inFlight.delete(job);
    const { world } = this;
    if (!job.isNoop && this.state.status !== 'DELETED') {
      const after = this.#after(job);
      this.#change(job.leaves === null ? after : { ...after, status: job.leaves }, job.statusLagMs);
    }
    job.after = this.state;
    world().log('cloud', () => `${job.id} (${job.action.action}) ends ${job.endStatus}: ${describe(this.state)}`);
    world().mishaps.passed('jobEnds');
  }

  #after({ action, before, endStatus, converges }: Job): InstanceState {
    const { statusAfterFailure } = this.world().scenario.cloud;
    // If another cloud job has ended meanwhile, its status is the one to return to.
    const resting = TRANSIENT.includes(this.state.status) ? before.status : this.state.status;
    const rested = { ...this.state, status: TRANSIENT.includes(resting) ? 'RUNNING' : resting };
    if (endStatus !== 'SUCCEEDED') return statusAfterFailure === 'FAILED' ? { ...rested, status: 'FAILED' } : rested;
    const { action: name, ...parameters } = action;
    const after = EFFECTS[name].after(rested, parameters);
    return converges ? after : { ...after, availableReplica: 0 };
  }

  #restingStatus(): string {
    const { status } = this.state;
    return TRANSIENT.includes(status) ? 'RUNNING' : status;
  }

  #change(state: InstanceState, lagMs: number): void {
    const { nowMs } = this.world().time;
    this.state = state;
    this.#changes.push({ atMs: nowMs, shownAtMs: nowMs + lagMs, state });
  }
}

function decide(fate: Fate, effect: FaultEffect): void {
  if (effect.kind === 'lags') [fate.idMs, fate.statusMs] = [effect.idMs, effect.statusMs];
  else if (effect.kind === 'ends') [fate.status, fate.instanceStatus] = [effect.status, effect.instanceStatus];
  else if (effect.kind === 'lasts') fate.lastsMs = effect.ms;
  else if (effect.kind === 'doesNotConverge') fate.converges = false;
  else if (effect.kind === 'unknownFor') fate.unknownForMs = effect.ms;
  else if (effect.kind === 'withoutTasksFor') fate.withoutTasksForMs = effect.ms;
  else if (effect.kind === 'withoutCreator') fate.createdBy = null;
}

function statusAt({ acceptedAtMs, endsAtMs, endStatus }: Job, atMs: number): string {
  if (atMs >= endsAtMs) return endStatus;
  return atMs - acceptedAtMs < 200 ? 'SUBMITTED' : 'RUNNING';
}

/** `RUNNING 2/2 1.4.1` */
export function describe({ status, replica, availableReplica, version }: InstanceState): string {
  return `${status} ${availableReplica}/${replica} ${version}`;
}
