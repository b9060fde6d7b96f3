/** The plan: everything a run will do, with literal values, recorded in history before anything is sent. */
import type { Action } from '../target/actions.js';
import type { HttpCheck } from '../checks/check.js';
import type { Freeze, Window } from '../gates/gates.js';
import type { PlannedWebhook } from '../notifications/planned-webhooks.js';
import type { UsualDuration } from '../durations/usual-duration.js';
import type { Limits } from '../once/limits.js';
import type { Outcome } from '../report/report.js';
import type { Observation, Target } from '../target/target.js';

/** Incremented when the interpreter must treat older plans differently. */
export const PLAN_VERSION = 1;

/** What to do when a step does not succeed. */
export type OnFailure = 'compensate' | 'abort' | 'continue' | 'pause';

/** What to do when the run is cancelled. */
export type OnCancel = 'compensate' | 'stop-after-step' | 'leave';

/** How a step's effect is undone. `default`: by the action table, from the state captured before. */
export type PlannedCompensation =
  | { readonly kind: 'default' }
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'irreversible'; readonly reason: string }
  | { readonly kind: 'action'; readonly action: Action };

/** One action of a target. */
export interface ActionStep {
  readonly kind: 'action';
  readonly id: string;
  readonly action: Action;
  /** Limit for send, follow and verify together. */
  readonly deadlineMs: number;
  /** The desired state must be reached within `withinMs` after the cloud job's end and, unless `holds` is `false`, hold for `stableMs`. */
  readonly verify: { readonly withinMs: number; readonly stableMs: number };
  /**
   * `false`: another action follows directly, so the desired state must be reached and need not hold. Absent: it must
   * hold for `verify.stableMs`.
   */
  readonly holds?: false;
  /** Usual time from the POST to the end of the cloud job. Determines when to poll, never the result. */
  readonly usualDurationMs: number;
  readonly onFailure: OnFailure;
  readonly compensation: PlannedCompensation;
  /** For people: what was resolved, such as `previous: 1.4.1 → 1.4.0`. */
  readonly note?: string | undefined;
  /**
   * Nothing is sent if the instance differs from this once the lease is held, because time has passed since
   * planning.
   */
  readonly expects?: ExpectedCounts | undefined;
}

/** The replica counts that a step relies on, and the newest cloud job. */
export interface ExpectedCounts {
  /** Empty: it does not rely on the count. */
  readonly replicaCounts: readonly number[];
  /**
   * The newest cloud job at planning: a newer one may have changed the count and changed it back. Absent if there
   * was none.
   */
  readonly lastJobId?: string;
  /** For people: where these counts come from. */
  readonly why: string;
}

/** A pause between actions. */
export interface WaitStep {
  readonly kind: 'wait';
  readonly id: string;
  readonly durationMs: number;
}

/** A request to something outside ServiceStage, which changes nothing. */
export interface CheckStep {
  readonly kind: 'check';
  readonly id: string;
  readonly check: HttpCheck;
  /** It is done before the first action of the target, wherever the runbook has it; nothing is touched if it fails. */
  readonly before: boolean;
  readonly onFailure: OnFailure;
}

/** Who has to approve. */
export interface ApprovalRules {
  /** One of them is needed. Empty: anybody. Only a signed approval proves a role. */
  readonly roles: readonly string[];
  /** How many different people. */
  readonly need: number;
  /** The requester of the run cannot approve it. */
  readonly notRequester: boolean;
  /** How long it may take, milliseconds. */
  readonly expiresMs: number;
}

/** A step that people have to approve before the next one begins. */
export interface ApprovalStep extends ApprovalRules {
  readonly kind: 'approval';
  readonly id: string;
  /** What people approve, in words. */
  readonly title: string;
  readonly onFailure: Extract<OnFailure, 'compensate' | 'abort'>;
}

/** One step of a target. */
export type PlannedStep = ActionStep | WaitStep | CheckStep | ApprovalStep;

/** The plan of one target. */
export interface TargetPlan {
  readonly target: Target;
  /** The reading taken while planning. It is not the baseline, which is read again under the lease. */
  readonly seen: Observation;
  readonly steps: readonly PlannedStep[];
  /**
   * How long each action usually takes, in the order of the steps; a wait has no entry, because its time is exact. Not
   * part of the hash: it decides only whether the target is begun in its window. Absent in plans from before it existed.
   */
  readonly usual?: readonly UsualStep[];
  /** Checks that are not done, because the input that is their URL is empty. Only for people: the steps do not have them. */
  readonly leftOut?: readonly string[];
  /** Only if the run resumes another one. */
  readonly resumed?: ResumedTarget;
}

/** What earlier runs did to a target before the first step of this plan. Undos of this run do not touch it. */
export interface ResumedTarget {
  /** The reading from which the first run resolved the values of the steps, such as the version that `previous` means. */
  readonly plannedFrom: Observation;
  /** Oldest first. */
  readonly done: readonly DoneBefore[];
}

/** A step that an earlier run has done, as its report shows. */
export interface DoneBefore {
  readonly stepId: string;
  /** `null` for a wait. */
  readonly action: Action | null;
  /** `foundDone`: its report has it as failed, but its own cloud job has succeeded since. */
  readonly result: 'succeeded' | 'skipped' | 'foundDone';
  readonly cloudJobId: string | null;
  /** Epoch milliseconds. */
  readonly endedAtMs: number;
  /** The run whose report shows it. */
  readonly workflowId: string;
}

/** The earlier run that a run resumes. */
export interface ResumedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly planHash: string;
  readonly outcome: Outcome;
  /** Epoch milliseconds. */
  readonly endedAtMs: number;
  /** Paths of targets that succeeded in it and are left alone. */
  readonly succeeded: readonly string[];
  /** Paths of targets that did not succeed in it and are not resumed by this run either. */
  readonly leftOut: readonly string[];
}

/** How long one action step usually takes, as was known while planning. Milliseconds. */
export interface UsualStep {
  readonly stepId: string;
  /** From the POST to the end of the cloud job. */
  readonly job: UsualDuration;
  /** The whole step: the cloud job, and the time for which the desired state must hold after it. */
  readonly stepP50Ms: number;
  readonly stepP90Ms: number;
  /** The plan expects that its desired state holds already, so that it takes no time. */
  readonly isSkipped?: true;
}

/** What the verification of a step requires, milliseconds: a state that need not hold is held for 0 ms. */
export function requiredState({ verify, holds }: Pick<ActionStep, 'verify' | 'holds'>): ActionStep['verify'] {
  return holds === false ? { ...verify, stableMs: 0 } : verify;
}

/** What must be open before a target starts. */
export interface Guards {
  /** `opensAtMs: null`: it opens at the time for which a schedule started the run, else when the run starts. */
  readonly window: (Omit<Window, 'opensAtMs'> & { readonly opensAtMs: number | null }) | null;
  /** Names of calendars, from the runbook and from the start. */
  readonly freeze: readonly string[];
  /** In total over the whole run; `null`: the run does not wait for a closed gate. */
  readonly waitAtMostMs: number | null;
  /** The freezes of the coming days at planning; for people, and not part of the hash. */
  readonly coming: readonly Freeze[];
  /**
   * Why calendars could not be read while planning, one line each, if the run may wait until they can. Not part of
   * the hash.
   */
  readonly unreadable?: readonly string[];
}

/** What a run will do. */
export interface Plan {
  readonly planVersion: typeof PLAN_VERSION;
  readonly runbook: string;
  readonly title: string;
  readonly requestedBy: string | null;
  readonly reason: string | null;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly targets: readonly TargetPlan[];
  readonly onCancel: OnCancel;
  /** Only if there is a window or a freeze. */
  readonly guards?: Guards;
  /** It waits for no guard, and only a person may start it. */
  readonly emergency?: true;
  /** What people have to approve before anything is done. */
  readonly approval?: ApprovalRules;
  /** The issuer whose tokens prove approvals: an approval without one is refused. Absent: any name is believed. */
  readonly approvalIssuer?: string;
  /** Limit of the whole run from its start. It does not cut undos short, and waiting for a gate does not count. */
  readonly deadlineMs: number;
  readonly limits: Limits;
  /** How long a blocked target waits for an operator. Absent: not at all. */
  readonly operatorWaitMs?: number;
  /** The namespace has the search attribute `RunbookState`: a run that set an unknown one would never continue. Not part of the hash. */
  readonly hasStateAttribute?: true;
  /**
   * Who is notified of what. Not part of the hash: it depends on the worker's notifications file, and changes nothing that is done to a target.
   * Absent: no one, and the run schedules nothing for it.
   */
  readonly notify?: readonly PlannedWebhook[];
  /** How often webhooks are notified again while a decision or an approval is waited for, milliseconds. Absent: not at all. Not part of the hash. */
  readonly remindMs?: number;
  readonly dryRun: boolean;
  /** Only if the run resumes another one. */
  readonly resumes?: ResumedRun;
  /** SHA-256 of `canonicalPlan` in hex; an approval refers to it. */
  readonly hash: string;
}

/** Characters of a plan's hash that people see and type. */
export const SHORT_HASH_LENGTH = 16;

/** The beginning of a plan's hash, which is enough to name the plan. */
export function shortHash(hash: string): string {
  return hash.slice(0, SHORT_HASH_LENGTH);
}

/** How many targets may be under way together: in an emergency all of them. */
export function targetsAtOnce({ emergency, targets }: Pick<Plan, 'emergency' | 'targets'>): number {
  return emergency === true ? targets.length : 1;
}

/**
 * The plan without its hash as canonical text: keys sorted, and readings left out because their times differ each
 * time.
 */
export function canonicalPlan(plan: Omit<Plan, 'hash'>): string {
  const { runbook, title, inputs, onCancel, deadlineMs, planVersion } = plan;
  const targets = plan.targets.map(({ target, steps }) => ({ target, steps }));
  return canonicalJson({
    planVersion,
    runbook,
    title,
    inputs,
    onCancel,
    deadlineMs,
    targets,
    guards: bindingGuards(plan),
    operatorWaitMs: plan.operatorWaitMs,
    emergency: plan.emergency,
    approval: plan.approval,
    approvalIssuer: plan.approvalIssuer,
    resumes: plan.resumes === undefined ? undefined : runNamed(plan.resumes),
  });
}

function bindingGuards({ guards }: Omit<Plan, 'hash'>): Omit<Guards, 'coming' | 'unreadable'> | undefined {
  if (guards === undefined) return undefined;
  const { window, freeze, waitAtMostMs } = guards;
  return { window, freeze, waitAtMostMs };
}

function runNamed({ workflowId, runId }: ResumedRun): Pick<ResumedRun, 'workflowId' | 'runId'> {
  return { workflowId, runId };
}

/** JSON with sorted keys and without those that are `undefined`: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
