/**
 * Applications, components, instances and their cloud jobs. State follows from time: cloud jobs advance when they
 * are read.
 */
import { Clock, seededRandom } from './clock.js';
import { endsAtMs, executionEnd, type ArmedOutcome, type CloudJob } from './cloud-job.js';
import { EFFECTS, type ActionName, type ActionParameters, type InstanceState } from './effects.js';
import { Switches } from './switches.js';

/** What applications, components and instances have in common. */
export interface Named {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
}

/** A component of an application. */
export interface Component extends Named {
  readonly applicationId: string;
}

interface Snapshot {
  readonly version: string;
  readonly createdAtMs: number;
}

/** An instance of a component. */
export interface Instance extends Component {
  readonly componentId: string;
  readonly platformType: string;
  state: InstanceState;
  snapshots: Snapshot[];
  failDetail: string | null;
  /** In the order in which they were accepted. */
  readonly cloudJobs: CloudJob[];
  /** Set by the tester to show another newest cloud job than the true one. */
  shownLastJobId?: string | null | undefined;
}

/** An instance to create. */
export interface Seed {
  readonly application: string;
  readonly component: string;
  readonly name: string;
  readonly platformType?: string | undefined;
  readonly status?: string | undefined;
  readonly version?: string | undefined;
  readonly replica?: number | undefined;
  readonly availableReplica?: number | undefined;
  readonly hosts?: readonly string[] | undefined;
  /** Oldest first. */
  readonly snapshots?: readonly string[] | undefined;
}

/** An action to accept. */
export interface Submission {
  readonly instance: Instance;
  readonly action: ActionName;
  readonly parameters: ActionParameters;
  readonly userId: string;
  readonly byConsole: boolean;
  readonly jobType?: string | undefined;
  readonly visibleLateMs?: number | undefined;
  readonly statusVisibleLateMs?: number | undefined;
  readonly isNoop?: boolean | undefined;
}

const DAY_MS = 86_400_000;
/** Statuses that occur only while a cloud job runs. */
const TRANSIENT = new Set(Object.values(EFFECTS).map(({ meanwhile }) => meanwhile));

/** The simulated cloud. */
export class World {
  readonly clock: Clock;
  readonly applications: Named[] = [];
  readonly components: Component[] = [];
  readonly instances: Instance[] = [];
  readonly cloudJobs = new Map<string, CloudJob>();
  switches: Switches;
  readonly #random: () => number;
  readonly #armed: { instanceId: string; action?: string | undefined; skip: number; outcome: ArmedOutcome }[] = [];

  constructor(options: { seed: number; timeScale: number; switches: Partial<Switches> }) {
    this.clock = new Clock(options.timeScale);
    this.switches = Switches.parse(options.switches);
    this.#random = seededRandom(options.seed);
  }

  /** UUID-shaped, derived from the seed. */
  newId(): string {
    const hex = Array.from({ length: 32 }, () => Math.floor(this.#random() * 16).toString(16)).join('');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  /** Creates an instance, and its application and component if they are missing. */
  seed(seed: Seed): Instance {
    const createdAtMs = this.clock.nowMs - 30 * DAY_MS;
    const application =
      this.applications.find(({ name }) => name === seed.application) ??
      this.#add(this.applications, { id: this.newId(), name: seed.application, createdAtMs });
    const owned = this.components.find(
      ({ name, applicationId }) => name === seed.component && applicationId === application.id,
    );
    const component =
      owned ??
      this.#add(this.components, {
        id: this.newId(),
        name: seed.component,
        applicationId: application.id,
        createdAtMs,
      });
    const replica = seed.replica ?? 1;
    const status = seed.status ?? 'RUNNING';
    const availableReplica = seed.availableReplica ?? (status === 'RUNNING' ? replica : 0);
    const snapshots = (seed.snapshots ?? []).map((version, index) => ({
      version,
      createdAtMs: createdAtMs + index * DAY_MS,
    }));
    return this.#add(this.instances, {
      id: this.newId(),
      name: seed.name,
      applicationId: application.id,
      componentId: component.id,
      platformType: seed.platformType ?? 'cce',
      createdAtMs,
      state: { status, version: seed.version ?? '1.0.0', replica, availableReplica, hosts: seed.hosts ?? [] },
      snapshots,
      failDetail: null,
      cloudJobs: [],
    });
  }

  #add<Item>(list: Item[], item: Item): Item {
    list.push(item);
    return item;
  }

  /** Arms how the cloud job of the n-th matching action from now on goes. */
  arm(instanceId: string, action: string | undefined, nth: number, outcome: ArmedOutcome): void {
    this.#armed.push({ instanceId, action, skip: nth - 1, outcome });
  }

  isBusy(instance: Instance): boolean {
    this.advance();
    return instance.cloudJobs.some((job) => !job.applied);
  }

  /** Ends the cloud jobs in flight on an instance now, with the result they would have had. @returns how many */
  finish(instance: Instance): number {
    this.advance();
    const inFlight = instance.cloudJobs.filter((job) => !job.applied);
    for (const job of inFlight) job.finishedAtMs = this.clock.nowMs;
    this.advance();
    return inFlight.length;
  }

  submit(submission: Submission): CloudJob {
    this.advance();
    const { instance, action, parameters, userId, byConsole } = submission;
    const acceptedAtMs = this.clock.nowMs;
    const armed = this.#takeArmed(instance.id, action);
    const usualMs = this.switches.durationsMs[action] * (1 + this.switches.jitter * (2 * this.#random() - 1));
    const job: CloudJob = {
      id: `JOB${this.newId()}`,
      instanceId: instance.id,
      action,
      parameters,
      userId,
      jobType: submission.jobType ?? this.switches.jobType,
      byConsole,
      acceptedAtMs,
      durationMs: (armed.durationMs ?? usualMs) / this.clock.scale,
      visibleAtMs: acceptedAtMs + (submission.visibleLateMs ?? this.switches.visibleLateMs),
      statusVisibleAtMs: acceptedAtMs + (submission.statusVisibleLateMs ?? 0),
      outcome: armed,
      before: instance.state,
      isNoop: submission.isNoop ?? false,
      applied: false,
    };
    instance.cloudJobs.push(job);
    this.cloudJobs.set(job.id, job);
    if (!job.isNoop) instance.state = { ...instance.state, status: EFFECTS[action].meanwhile };
    return job;
  }

  #takeArmed(instanceId: string, action: string): ArmedOutcome {
    const matching = this.#armed.filter(
      (armed) => armed.instanceId === instanceId && (armed.action ?? action) === action,
    );
    const due = matching.find((armed) => armed.skip === 0);
    for (const armed of matching) armed.skip -= 1;
    if (due !== undefined) this.#armed.splice(this.#armed.indexOf(due), 1);
    return due?.outcome ?? {};
  }

  /** Applies every cloud job that has ended by now, in the order in which they ended. */
  advance(): void {
    const nowMs = this.clock.nowMs;
    const due = [...this.cloudJobs.values()].filter((job) => !job.applied && this.appliesAtMs(job) <= nowMs);
    for (const job of due.sort((left, right) => this.appliesAtMs(left) - this.appliesAtMs(right))) this.#apply(job);
  }

  /** When a cloud job has ended and the instance shows its effect. */
  appliesAtMs(job: CloudJob): number {
    return endsAtMs(job) + (executionEnd(job) === 'SUCCEEDED' ? this.switches.convergeDelayMs / this.clock.scale : 0);
  }

  #apply(job: CloudJob): void {
    job.applied = true;
    const instance = this.instances.find(({ id }) => id === job.instanceId);
    if (instance === undefined) return;
    if (!job.isNoop) this.#change(instance, job);
    job.after = instance.state;
  }

  #change(instance: Instance, job: CloudJob): void {
    const { outcome, before, action, parameters } = job;
    // If another cloud job has ended meanwhile, its status is the one to return to.
    const restingStatus = TRANSIENT.has(instance.state.status) ? before.status : instance.state.status;
    if (executionEnd(job) !== 'SUCCEEDED') {
      const status =
        outcome.instanceStatus ?? (this.switches.statusAfterFailure === 'FAILED' ? 'FAILED' : restingStatus);
      instance.state = { ...instance.state, status };
      return;
    }
    const after = EFFECTS[action].after({ ...instance.state, status: restingStatus }, parameters);
    instance.state = {
      ...after,
      status: outcome.instanceStatus ?? after.status,
      ...(outcome.converges === false ? { availableReplica: 0 } : {}),
    };
    if (action === 'rollback') this.#clearLaterSnapshots(instance, parameters.version);
  }

  /**
   * A snapshot records an instance before an upgrade, so the version that a rollback leaves is removed with the
   * later ones.
   */
  #clearLaterSnapshots(instance: Instance, target: string | undefined): void {
    const kept = instance.snapshots.findIndex(({ version }) => version === target);
    if (this.switches.rollbackClearsLaterSnapshots && kept >= 0)
      instance.snapshots = instance.snapshots.slice(0, kept + 1);
  }
}
