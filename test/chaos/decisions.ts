/** Which accepted POST belongs to which decision: derived from times and parameters, and compared with the claims of reports. */
import type { Limits } from '../../src/domain/once/limits.js';
import type { StepReport } from '../../src/domain/report/report.js';
import type { AcceptedAction } from '../support/simulator.js';
import { CLOCK_MS, Disturbances } from './disturbances.js';
import type { Decision, Evidence, HolderEvidence, SceneEvidence } from './evidence.js';

/** A decision as one execution scheduled it, with what that execution reported about it. */
export interface Scheduling {
  readonly holder: HolderEvidence;
  readonly decision: Decision;
  readonly step: StepReport | null;
}

/** One decision to act. A workflow reset that schedules it again with the same baseline does not make a second one. */
export interface TrackedDecision {
  readonly key: string;
  readonly stepId: string;
  readonly isStateLike: boolean;
  readonly schedulings: readonly [Scheduling, ...Scheduling[]];
}

/** A scene whose accepted POSTs are assigned to decisions. */
export interface SceneRecord {
  readonly scene: SceneEvidence;
  readonly limits: Limits;
  readonly disturbances: Disturbances;
  readonly decisions: readonly TrackedDecision[];
  readonly byConsole: readonly AcceptedAction[];
  readonly ours: readonly AcceptedAction[];
  /** The decision of each own cloud job, by cloud job id. A second send beyond the visibility window has its decision too. */
  readonly decisionOf: ReadonlyMap<string, TrackedDecision>;
  /** Own cloud jobs without a decision: sent twice, or for no reason. */
  readonly unmatched: readonly AcceptedAction[];
}

export function recordOf(scene: SceneEvidence, evidence: Evidence): SceneRecord {
  const { limits } = evidence;
  const disturbances = new Disturbances([...evidence.disturbances, ...scene.disturbances], limits);
  const decisions = trackedDecisions(scene);
  const ours = scene.accepted.filter(({ byConsole }) => !byConsole);
  const byConsole = scene.accepted.filter((job) => job.byConsole);
  const matching = new Matching(decisions, disturbances, limits);
  matching.claim(ours);
  matching.match(ours);
  const unmatched = matching.allowSecondSends(ours);
  return { scene, limits, disturbances, decisions, byConsole, ours, decisionOf: matching.decisionOf, unmatched };
}

/**
 * `decidedInRunId`, step and baseline: schedulings with the same key are one decision. So is the same retry: within one history, a step is
 * scheduled again only because an operator decided so.
 */
function keyOf({ request }: Decision, retries: number): string {
  return JSON.stringify([request.decidedInRunId, request.stepId, request.before.lastJobId, retries]);
}

function trackedDecisions(scene: SceneEvidence): readonly TrackedDecision[] {
  const found = new Map<string, TrackedDecision>();
  for (const holder of scene.holders) {
    for (const [index, decision] of holder.decisions.entries()) {
      const { stepId, action } = decision.request;
      const retries = holder.decisions.slice(0, index).filter(({ request }) => request.stepId === stepId).length;
      const key = keyOf(decision, retries);
      const scheduling: Scheduling = { holder, decision, step: stepReported(holder, stepId) };
      const schedulings: TrackedDecision['schedulings'] = [...(found.get(key)?.schedulings ?? []), scheduling] as [
        Scheduling,
      ];
      // Restart is the only action that names no end state; repeated here to be independent of the product's table.
      found.set(key, { key, stepId, isStateLike: action.action !== 'restart', schedulings });
    }
  }
  return [...found.values()].map((decision) => withLaterSettlings(decision, scene.holders));
}

/** An execution that was reset to before a step, and must end, does not schedule the step again. It only settles the step and reports the result. */
function withLaterSettlings(tracked: TrackedDecision, holders: readonly HolderEvidence[]): TrackedDecision {
  const { stepId, schedulings } = tracked;
  const last = schedulings.at(-1) ?? schedulings[0];
  const laterSettlings = holders.slice(holders.indexOf(last.holder) + 1).flatMap((holder): Scheduling[] => {
    const step = stepReported(holder, stepId);
    const isItsOwn = holder.decisions.some(({ request }) => request.stepId === stepId);
    const isReset = holder.originalRunId === last.holder.originalRunId;
    return !isReset || isItsOwn || step === null || step.sent === 'no' ? [] : [{ ...last, holder, step }];
  });
  return { ...tracked, schedulings: [...schedulings, ...laterSettlings] };
}

function stepReported({ report }: HolderEvidence, stepId: string): StepReport | null {
  return [...(report?.steps ?? []), ...(report?.compensations ?? [])].find(({ id }) => id === stepId) ?? null;
}

/** The final result of a decision, from the execution that reported it. */
function lastStep({ schedulings }: TrackedDecision): StepReport | null {
  return schedulings.findLast(({ step }) => step !== null)?.step ?? null;
}

/** True if this cloud job does what the decision asked for. */
export function doesWhatWasAsked(post: AcceptedAction, decision: TrackedDecision): boolean {
  const { action, ...parameters } = decision.schedulings[0].decision.request.action;
  return post.action === action && sameParameters(post.parameters, parameters);
}

function sameParameters(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return names.every((name) => JSON.stringify(left[name]) === JSON.stringify(right[name]));
}

/**
 * Exact intervals first: lateness explains a POST only if nothing else does. Decisions reported as not sent come last, because such a match
 * refutes the report.
 */
const PREFERENCES = ['exact', 'late', 'evenIfReportedUnsent'] as const;
type Preference = (typeof PREFERENCES)[number];

class Matching {
  readonly decisionOf = new Map<string, TrackedDecision>();
  readonly #postOf = new Map<string, AcceptedAction>();
  readonly #claimed = new Set<string>();

  constructor(
    private readonly decisions: readonly TrackedDecision[],
    private readonly disturbances: Disturbances,
    private readonly limits: Limits,
  ) {}

  /** A cloud job that a report claims belongs to that decision, if that is possible at all. */
  claim(posts: readonly AcceptedAction[]): void {
    // The newest decision about a step first: a retry reports what it sent itself.
    for (const preference of ['exact', 'late'] as const)
      for (const decision of this.decisions.toReversed()) {
        const claimedId = lastStep(decision)?.cloudJobId;
        const post = posts.find(({ cloudJobId }) => cloudJobId === claimedId);
        if (post === undefined || this.decisionOf.has(post.cloudJobId)) continue;
        if (this.#claimed.has(decision.key) || !this.#canBe(post, decision, preference)) continue;
        this.#assign(post, decision);
        this.#claimed.add(decision.key);
      }
  }

  /** Maximum bipartite matching (augmenting paths) of all others. */
  match(posts: readonly AcceptedAction[]): void {
    for (const preference of PREFERENCES) {
      for (const post of posts) if (!this.decisionOf.has(post.cloudJobId)) this.#augment(post, preference, new Set());
    }
  }

  /** Beyond the visibility window an action that names an end state may be sent once more, any other never. */
  allowSecondSends(posts: readonly AcceptedAction[]): readonly AcceptedAction[] {
    const sentTwice = new Set<string>();
    return posts.filter((post) => {
      if (this.decisionOf.has(post.cloudJobId)) return false;
      const decision = this.decisions.find((candidate) => {
        const first = this.#postOf.get(candidate.key);
        const isBeyond = [post, first].some((job) => job !== undefined && this.disturbances.areBeyondTheWindow(job));
        return (
          first !== undefined &&
          isBeyond &&
          candidate.isStateLike &&
          !sentTwice.has(candidate.key) &&
          this.#canBe(post, candidate, 'late')
        );
      });
      if (decision === undefined) return true;
      sentTwice.add(decision.key);
      this.decisionOf.set(post.cloudJobId, decision);
      return false;
    });
  }

  #augment(post: AcceptedAction, preference: Preference, visited: Set<string>): boolean {
    for (const decision of this.decisions) {
      if (visited.has(decision.key) || this.#claimed.has(decision.key)) continue;
      if (!this.#canBe(post, decision, preference)) continue;
      visited.add(decision.key);
      const other = this.#postOf.get(decision.key);
      if (other !== undefined && !this.#augment(other, preference, visited)) continue;
      this.#assign(post, decision);
      return true;
    }
    return false;
  }

  #assign(post: AcceptedAction, decision: TrackedDecision): void {
    this.decisionOf.set(post.cloudJobId, decision);
    this.#postOf.set(decision.key, post);
  }

  #canBe(post: AcceptedAction, decision: TrackedDecision, preference: Preference): boolean {
    if (!doesWhatWasAsked(post, decision)) return false;
    if (preference !== 'evenIfReportedUnsent' && lastStep(decision)?.sent === 'no') return false;
    return decision.schedulings.some((scheduling) => {
      const { scheduledAtMs } = scheduling.decision;
      const untilMs = endOf(scheduling) + (preference === 'exact' ? 0 : this.#latenessMs(scheduling));
      return post.atMs >= scheduledAtMs - CLOCK_MS && post.atMs <= untilMs + CLOCK_MS;
    });
  }

  /** How long after its decision's end a POST may still be accepted. */
  #latenessMs(scheduling: Scheduling): number {
    const { postTimeoutMs, visibilityWindowMs, lateStartMs, heartbeatTimeoutMs } = this.limits;
    const { scheduledAtMs, endedAtMs } = scheduling.decision;
    const closedOver = endedAtMs === null;
    const alive = closedOver || this.disturbances.leaveAnAttemptAlive(scheduledAtMs, endOf(scheduling));
    return visibilityWindowMs + (alive ? lateStartMs + heartbeatTimeoutMs : postTimeoutMs);
  }
}

function endOf({ holder, decision }: Scheduling): number {
  return decision.endedAtMs ?? holder.closedAtMs ?? Number.POSITIVE_INFINITY;
}

/** The execution that sent it: the first that had scheduled the decision and was open then, or else the last one begun before. */
export function holderOf(post: AcceptedAction, { schedulings }: TrackedDecision): HolderEvidence {
  const open = schedulings.find(({ holder }) => post.atMs <= (holder.closedAtMs ?? Number.POSITIVE_INFINITY));
  return (open ?? schedulings.findLast(({ decision }) => decision.scheduledAtMs <= post.atMs) ?? schedulings[0]).holder;
}

/** Own cloud jobs of decisions that this execution scheduled, in order. */
export function postsOf(holder: HolderEvidence, { ours, decisionOf }: SceneRecord): readonly AcceptedAction[] {
  return ours.filter(({ cloudJobId }) =>
    decisionOf.get(cloudJobId)?.schedulings.some((scheduling) => scheduling.holder === holder),
  );
}

/** Cloud jobs that this execution did not decide: the console's, another run's, or those without a decision. */
export function foreignTo(holder: HolderEvidence, record: SceneRecord): readonly AcceptedAction[] {
  const own = new Set(postsOf(holder, record));
  return record.scene.accepted.filter((job) => !own.has(job));
}

/** Describes a POST for the text of a violation. */
export function describePost({ action, cloudJobId, atMs }: AcceptedAction): string {
  return `${action} ${cloudJobId} (accepted at ${timeOf(atMs)})`;
}

export function timeOf(atMs: number): string {
  return new Date(atMs).toISOString();
}
