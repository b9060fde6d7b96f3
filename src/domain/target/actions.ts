/** The action table: what ServiceStage can do to an instance. To add an action, add an entry here. */
import { statusMeaning, type Observation } from './target.js';

/** One action with its parameters, named as the API names them. */
export type Action =
  | { readonly action: 'start' }
  | { readonly action: 'stop' }
  | { readonly action: 'restart' }
  | { readonly action: 'scale'; readonly replica: number; readonly hosts?: readonly string[] }
  | { readonly action: 'rollback'; readonly version: string };

/** The actions. */
export type ActionName = Action['action'];
type ActionOf<Name extends ActionName> = Extract<Action, { action: Name }>;

/** A parameter of an action, as a runbook's `with:` gives it. */
export interface ParameterRule {
  readonly type: 'integer' | 'string' | 'stringList';
  readonly required: boolean;
  /** Integers only. */
  readonly minimum?: number;
  readonly description: string;
}

/** What reverses an action. `self`: it ends in the state it started from, so there is nothing to undo. */
type Reversal = 'inverse' | 'self' | 'irreversible';

/** Everything that the rules of a run need to know about one action. */
export interface ActionRule<Name extends ActionName = ActionName> {
  /** A `state` action names an end state and may be sent again after proof; an `edge` action (restart) must not. */
  readonly kind: 'state' | 'edge';
  readonly parameters: Readonly<Record<string, ParameterRule>>;
  /**
   * Usual time from the POST to the end of its cloud job. Chosen, because nothing is documented; see
   * `RUNBOOK_USUAL_DURATIONS`.
   */
  readonly usualDurationMs: number;
  /** Default time limit of a step: send, follow and verify. */
  readonly deadlineMs: number;
  readonly reversal: Reversal;
  /** Actions that a runbook may declare as the compensation of this one. */
  readonly inverses: readonly ActionName[];
  /** Why nothing reverses it; only for irreversible actions. */
  readonly irreversibleBecause?: string;
  /** True if the desired state holds; for an edge action, if it ended well. */
  isDesired(action: ActionOf<Name>, seen: Observation): boolean;
  /** True if the difference between two readings at rest is an effect of this action. */
  changed(before: Observation, after: Observation): boolean;
  /** The state after the action succeeded on an instance at rest; a plan uses it for the following steps. */
  reaches(action: ActionOf<Name>, before: Observation): Observation;
  /** The action that restores `before`; `null` if there is nothing to restore. */
  undo(before: Observation): Action | null;
  /** Describes the desired state. */
  readonly desiredState: (action: ActionOf<Name>) => string;
}

const MINUTE_MS = 60_000;

const isRunning = (seen: Observation) => statusMeaning(seen.status) === 'running';
const isStopped = (seen: Observation) => statusMeaning(seen.status) === 'stopped';
const hasAllReplicas = (seen: Observation) =>
  seen.replicaCount === null || (seen.availableReplicaCount ?? seen.replicaCount) >= seen.replicaCount;

const running = (seen: Observation): Observation => ({
  ...seen,
  status: 'RUNNING',
  availableReplicaCount: seen.replicaCount,
  failDetail: null,
});

/**
 * Source of names and parameters: API reference servicestage_06_0047 ("Performing Operations on a Component
 * Instance"), 2023-07.
 */
export const ACTIONS: { readonly [Name in ActionName]: ActionRule<Name> } = {
  start: {
    kind: 'state',
    parameters: {},
    usualDurationMs: 20_000,
    deadlineMs: 10 * MINUTE_MS,
    reversal: 'inverse',
    inverses: ['stop'],
    isDesired: (_action, seen) => isRunning(seen) && hasAllReplicas(seen),
    changed: (before, after) => isStopped(before) && !isStopped(after),
    reaches: (_action, before) => running(before),
    undo: (before) => (isStopped(before) ? { action: 'stop' } : null),
    desiredState: () => 'RUNNING with all replicas available',
  },
  stop: {
    kind: 'state',
    parameters: {},
    usualDurationMs: 10_000,
    deadlineMs: 10 * MINUTE_MS,
    reversal: 'inverse',
    inverses: ['start'],
    isDesired: (_action, seen) => isStopped(seen),
    changed: (before, after) => isRunning(before) && !isRunning(after),
    reaches: (_action, before) => ({ ...before, status: 'STOPPED' }),
    undo: (before) => (isRunning(before) ? { action: 'start' } : null),
    desiredState: () => 'STOPPED',
  },
  restart: {
    kind: 'edge',
    parameters: {},
    usualDurationMs: 30_000,
    deadlineMs: 15 * MINUTE_MS,
    reversal: 'self',
    inverses: [],
    isDesired: (_action, seen) => isRunning(seen) && hasAllReplicas(seen),
    changed: () => false,
    reaches: (_action, before) => running(before),
    undo: () => null,
    desiredState: () => 'RUNNING with all replicas available, after a new cloud job',
  },
  scale: {
    kind: 'state',
    parameters: {
      replica: {
        type: 'integer',
        required: true,
        minimum: 1,
        description: 'Number of replicas to run; not a difference.',
      },
      hosts: { type: 'stringList', required: false, description: 'ECS ids; for components on virtual machines.' },
    },
    usualDurationMs: 30_000,
    deadlineMs: 30 * MINUTE_MS,
    reversal: 'inverse',
    inverses: ['scale'],
    isDesired: (action, seen) =>
      isRunning(seen) &&
      seen.replicaCount === action.replica &&
      (seen.availableReplicaCount ?? action.replica) === action.replica,
    changed: (before, after) => before.replicaCount !== after.replicaCount,
    reaches: (action, before) =>
      running({ ...before, replicaCount: action.replica, hosts: action.hosts ?? before.hosts }),
    undo: (before) => {
      if (before.replicaCount === null || before.replicaCount < 1) return null;
      return {
        action: 'scale',
        replica: before.replicaCount,
        ...(before.hosts === null ? {} : { hosts: before.hosts }),
      };
    },
    desiredState: (action) => `RUNNING with ${action.replica} of ${action.replica} replicas available`,
  },
  rollback: {
    kind: 'state',
    parameters: {
      version: {
        type: 'string',
        required: true,
        description: "A version of the instance's snapshots, or `previous`: the newest one that is not running now.",
      },
    },
    usualDurationMs: 40_000,
    deadlineMs: 45 * MINUTE_MS,
    reversal: 'irreversible',
    inverses: [],
    irreversibleBecause: 'ServiceStage clears the snapshots of later versions when it rolls back',
    isDesired: (action, seen) =>
      seen.version === action.version && (isStopped(seen) || (isRunning(seen) && hasAllReplicas(seen))),
    changed: (before, after) => before.version !== after.version,
    reaches: (action, before) => {
      const after = { ...before, version: action.version };
      return isStopped(before) ? after : running(after);
    },
    undo: () => null,
    desiredState: (action) => `version ${action.version}, STOPPED or RUNNING with all replicas available`,
  },
};

/** The names of all actions, in the order of the table. */
export const ACTION_NAMES = Object.keys(ACTIONS) as readonly ActionName[];

/** The rules of an action. The type of the entry is erased, because action and entry always match here. */
export function ruleOf(action: Action): ActionRule {
  return ACTIONS[action.action] as ActionRule;
}

/** True if the instance is already in the state that the action leads to. */
export function desiredStateHolds(action: Action, seen: Observation): boolean {
  return ruleOf(action).isDesired(action, seen);
}

/** `scale replica=4`, `rollback version=1.4.0`, `stop`. */
export function describeAction(action: Action): string {
  const { action: name, ...parameters } = action;
  const words = Object.entries(parameters).map(
    ([key, value]) => `${key}=${Array.isArray(value) ? value.join(',') : String(value)}`,
  );
  return [name, ...words].join(' ');
}
