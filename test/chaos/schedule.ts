/** A schedule: everything that one seed does to the product, as plain data. Same seed, same schedule; nothing here reads a clock. */
import type { CommandName } from '../../src/domain/steering/command-names.js';
import type { FaultRequest } from '../support/simulator.js';

/** `atMs` always counts from the start of the schedule. */
export interface Schedule {
  readonly seed: number;
  /** Workers and clients encode payloads with a slow, asynchronous codec. */
  readonly withCodec: boolean;
  /** The rate limit of the simulator. */
  readonly switches: Readonly<Record<string, unknown>>;
  /** How the receiver of webhooks answers the first attempt of each message, over and over. */
  readonly receiver: readonly ReceiverMode[];
  readonly scenes: readonly Scene[];
  /** Disruptions of the whole arena: workers, server, connections, credentials. */
  readonly events: readonly Timed<WorldEvent>[];
}

/** `hangs`: it answers nothing, and drops the connection after a while. */
export type ReceiverMode = 'accepts' | 'fails' | 'hangs';
/** How a check is answered: 200, 503, one after the other and then 200, nothing. */
export type CheckMode = 'up' | 'down' | 'flickers' | 'hangs';

/** A command of an operator. */
export interface Order {
  readonly command: CommandName;
  /** Through `RunbookClient`, or as an Update that any SDK can send. */
  readonly via: 'client' | 'update';
  /** Sent so often at once, with the same key. */
  readonly times: 1 | 2;
  /** The requester sends it, who must not approve the run. */
  readonly byRequester?: true;
}

export interface Timed<Event> {
  readonly atMs: number;
  readonly event: Event;
}

/** One instance, the runs started on it, and what happens to it and to them. */
export interface Scene {
  readonly name: string;
  readonly status: 'RUNNING' | 'STOPPED';
  /** Armed for this instance before the first run starts. */
  readonly faults: readonly SceneFault[];
  readonly outcomes: readonly { readonly action?: string; readonly nth: number; readonly [armed: string]: unknown }[];
  readonly runs: readonly {
    readonly atMs: number;
    readonly runbook: string;
    /** Inputs that begin with `check:` name a `CheckMode`; the address is known once the storm is played. */
    readonly inputs: Record<string, unknown>;
    /** It resumes this run of the scene once that has ended, unless it succeeded. */
    readonly resumes?: number;
  }[];
  readonly events: readonly { readonly moment: Moment; readonly event: SceneEvent }[];
}

/**
 * The speed of a run depends on the machine, so events of a run are timed by its progress: after its first run was started, after a run
 * acquired the lease, after the n-th action was accepted, after the n-th of the scene's faults hit for the first time,
 * or once its first run waits: for a decision about a blocked step, for an approval, or paused.
 */
export interface Moment {
  readonly after: 'start' | 'lease' | 'accepted' | 'faultHit' | 'blocked' | 'asked' | 'paused';
  /** 1 for the first; only for accepted actions and faults. */
  readonly nth: number;
  readonly delayMs: number;
}

export interface SceneFault extends FaultRequest {
  readonly on: { readonly route: string; readonly action?: string };
}

/** `run` is the index of a run of the scene. */
export type SceneEvent =
  | { readonly kind: 'console'; readonly action: string; readonly parameters: object; readonly visibleLateMs: number }
  | { readonly kind: 'cancel'; readonly run: number }
  | { readonly kind: 'terminateRun'; readonly run: number }
  | { readonly kind: 'terminateTarget' }
  /** All at once. */
  | { readonly kind: 'command'; readonly run: number; readonly orders: readonly Order[] }
  /** `forgetting`: its heartbeat details are cleared as well. */
  | { readonly kind: 'resetActivity'; readonly forgetting?: true }
  /** Paused, then unpaused after `forMs`. */
  | { readonly kind: 'pauseActivity'; readonly forMs: number }
  /** Resets the workflow that holds the lease, to its first workflow task or to its last. */
  | { readonly kind: 'resetTarget'; readonly to: 'first' | 'last' }
  /** A disruption of the whole arena, at a moment of this scene. */
  | WorkerEvent;

export type WorldEvent =
  | WorkerEvent
  | { readonly kind: 'stopServer'; readonly signal: 'SIGKILL' | 'SIGTERM'; readonly forMs: number }
  /** Open connections are reset and new ones are refused for this long. */
  | { readonly kind: 'cut'; readonly link: Link; readonly worker: number; readonly forMs: number }
  /** Nothing passes for this long, in either direction; then everything that waited passes. */
  | { readonly kind: 'stall'; readonly link: Link; readonly worker: number; readonly forMs: number }
  | { readonly kind: 'expireTokens' }
  | { readonly kind: 'throttleAll'; readonly requests: number; readonly windowSeconds: number; readonly forMs: number };

type WorkerEvent =
  /** Started again after this delay. */
  | {
      readonly kind: 'killWorker';
      readonly worker: number;
      readonly signal: 'SIGKILL' | 'SIGTERM';
      readonly forMs: number;
    }
  | { readonly kind: 'freezeWorker'; readonly worker: number; readonly forMs: number };

/** Between a worker and the Temporal server, or between a worker and the simulator. */
export type Link = 'temporal' | 'serviceStage';
