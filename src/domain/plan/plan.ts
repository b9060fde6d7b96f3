/** The plan: what a run will do, complete and literal, recorded in history before anything is sent. */
import type { Action } from '../target/actions.js';
import type { Freeze, Window } from '../gates/gates.js';
import type { Limits } from '../once/limits.js';
import type { Observation, Target } from '../target/target.js';

/** Grows when the interpreter must treat older plans differently. */
export const PLAN_VERSION = 1;

/** What to do when a step does not succeed. */
export type OnFailure = 'compensate' | 'abort' | 'continue';

/** What to do when the run is cancelled. */
export type OnCancel = 'compensate' | 'stop-after-step' | 'leave';

/** How a step's effect is taken back. `default`: as the action table says, from the state captured before. */
export type PlannedCompensation =
  | { readonly kind: 'default' }
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'irreversible'; readonly reason: string }
  | { readonly kind: 'action'; readonly action: Action };

export interface ActionStep {
  readonly kind: 'action';
  readonly id: string;
  readonly action: Action;
  /** Send + follow + verify. */
  readonly deadlineMs: number;
  /** The desired state must be reached within `withinMs` of the cloud job's end and hold for `stableMs`. */
  readonly verify: { readonly withinMs: number; readonly stableMs: number };
  /** Usual time from the POST to the end of the cloud job; decides when to look, never what is concluded. */
  readonly usualDurationMs: number;
  readonly onFailure: OnFailure;
  readonly compensation: PlannedCompensation;
  /** For people: what was resolved, such as `previous: 1.4.1 → 1.4.0`. */
  readonly note?: string | undefined;
  /** Nothing is sent where the instance differs once the lease is held: time may have passed since the plan was made. */
  readonly expects?: ExpectedCounts | undefined;
}

export interface ExpectedCounts {
  readonly replicaCounts: readonly number[];
  /** The newest cloud job when it was planned: a newer one may have changed the count and back. Absent where none was seen. */
  readonly lastJobId?: string;
  /** For people: where these counts come from. */
  readonly why: string;
}

export interface WaitStep {
  readonly kind: 'wait';
  readonly id: string;
  readonly durationMs: number;
}

export type PlannedStep = ActionStep | WaitStep;

export interface TargetPlan {
  readonly target: Target;
  /** What was seen while planning. Not the baseline: that is read again under the lease. */
  readonly seen: Observation;
  readonly steps: readonly PlannedStep[];
}

/** What has to be open before a target is begun. */
export interface Guards {
  /** `opensAtMs: null`: it opens at the time a schedule started the run for, else at the run's own start. */
  readonly window: (Omit<Window, 'opensAtMs'> & { readonly opensAtMs: number | null }) | null;
  /** Names of calendars, the runbook's and the start's. */
  readonly freeze: readonly string[];
  /** In all, over the whole run; `null`: a closed gate is not waited for. */
  readonly waitAtMostMs: number | null;
  /** What the calendars said while planning of the days to come; for people, and no part of the hash. */
  readonly coming: readonly Freeze[];
  /** In one line each, why calendars could not be read while planning, where the run may wait until they can. No part of the hash either. */
  readonly unreadable?: readonly string[];
}

export interface Plan {
  readonly planVersion: typeof PLAN_VERSION;
  readonly runbook: string;
  readonly title: string;
  readonly requestedBy: string | null;
  readonly reason: string | null;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly targets: readonly TargetPlan[];
  readonly onCancel: OnCancel;
  /** Only where there is a window or a freeze. */
  readonly guards?: Guards;
  /** Of the whole run, from its start; undo is not cut by it, and waiting for a gate does not count. */
  readonly deadlineMs: number;
  readonly limits: Limits;
  readonly dryRun: boolean;
  /** SHA-256, hex, of `canonicalPlan`: what an approval binds to. */
  readonly hash: string;
}

/** The plan without its hash as one canonical text: keys sorted, readings left out since their times differ on each planning. */
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
  });
}

function bindingGuards({ guards }: Omit<Plan, 'hash'>): Omit<Guards, 'coming' | 'unreadable'> | undefined {
  if (guards === undefined) return undefined;
  const { window, freeze, waitAtMostMs } = guards;
  return { window, freeze, waitAtMostMs };
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
