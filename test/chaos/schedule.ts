/** A schedule: everything that one seed does to the product, as plain data. Same seed, same schedule; nothing here reads a clock. */
import type { FaultRequest } from '../support/simulator.js';

/** `atMs` is counted from the start of the schedule throughout. */
export interface Schedule {
  readonly seed: number;
  /** Workers and clients encode payloads with a slow, asynchronous codec. */
  readonly withCodec: boolean;
  /** Of the simulator. */
  readonly switches: Readonly<Record<string, unknown>>;
  readonly scenes: readonly Scene[];
  /** What happens to everybody: workers, server, connections, credentials. */
  readonly events: readonly Timed<WorldEvent>[];
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
    readonly inputs: Record<string, unknown>;
  }[];
  readonly events: readonly { readonly moment: Moment; readonly event: SceneEvent }[];
}

/**
 * Runs are fast or slow as the machine is, so what happens to one is timed by what it does: a while after its first run was started,
 * after somebody took the lease, after the n-th action was accepted, or after the n-th of the scene's faults struck for the first time.
 */
export interface Moment {
  readonly after: 'start' | 'lease' | 'accepted' | 'struck';
  /** 1 for the first; of accepted actions and of faults only. */
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
  /** `forgetting`: its heartbeat details are cleared as well. */
  | { readonly kind: 'resetActivity'; readonly forgetting?: true }
  /** Paused, and unpaused that much later. */
  | { readonly kind: 'pauseActivity'; readonly forMs: number }
  /** Of the workflow that holds the lease, to its first workflow task or to its last. */
  | { readonly kind: 'resetTarget'; readonly to: 'first' | 'last' }
  /** To everybody, at a moment of this scene. */
  | WorkerEvent;

export type WorldEvent =
  | WorkerEvent
  | { readonly kind: 'stopServer'; readonly signal: 'SIGKILL' | 'SIGTERM'; readonly forMs: number }
  /** Open connections are reset, new ones are refused for that long. */
  | { readonly kind: 'cut'; readonly link: Link; readonly worker: number; readonly forMs: number }
  /** Nothing passes for that long, in either direction; then all that waited does. */
  | { readonly kind: 'stall'; readonly link: Link; readonly worker: number; readonly forMs: number }
  | { readonly kind: 'expireTokens' }
  | { readonly kind: 'throttleAll'; readonly requests: number; readonly windowSeconds: number; readonly forMs: number };

type WorkerEvent =
  /** Started again that much later. */
  | {
      readonly kind: 'killWorker';
      readonly worker: number;
      readonly signal: 'SIGKILL' | 'SIGTERM';
      readonly forMs: number;
    }
  | { readonly kind: 'freezeWorker'; readonly worker: number; readonly forMs: number };

/** Between a worker and the Temporal server, or a worker and the simulator. */
export type Link = 'temporal' | 'serviceStage';
