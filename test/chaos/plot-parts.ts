/** What plots are made of. */
import type { Dice } from './dice.js';
import type { Moment, Scene, SceneFault } from './schedule.js';

/** The longest delay until accepted cloud jobs show, and the longest delay of a late acceptance: together inside the window. */
export const LATEST_VISIBLE_MS = 800;
export const LATEST_ACCEPTED_MS = 300;

export type Plot = (dice: Dice, atMs: number) => Omit<Scene, 'name'>;

/** A scene with one instance that is running. */
export interface Parts {
  readonly runbook: string;
  readonly inputs?: Record<string, unknown>;
  readonly faults?: readonly SceneFault[];
  readonly outcomes?: Scene['outcomes'];
  readonly events?: Scene['events'];
  /** Delays before further runbooks start on the same instance. */
  readonly later?: readonly { readonly runbook: string; readonly afterMs: number; readonly resumes?: number }[];
}

/** The first run at this time, and all that happens. */
export function scene(
  atMs: number,
  { runbook, inputs = {}, faults = [], outcomes = [], events = [], later = [] }: Parts,
) {
  return {
    status: 'RUNNING' as const,
    faults,
    outcomes,
    events,
    runs: [
      { atMs, runbook, inputs },
      ...later.map(({ runbook: name, afterMs, ...more }) => ({
        atMs: atMs + afterMs,
        runbook: name,
        inputs: {},
        ...more,
      })),
    ],
  };
}

export const onAction = (nth: number, fault: SceneFault['fault']): SceneFault => ({
  on: { route: 'action' },
  nth,
  fault,
});
export const onInstance = (nth: number, fault: SceneFault['fault']): SceneFault => ({
  on: { route: 'instance' },
  nth,
  fault,
});
export const moment = (after: Moment['after'], nth: number, delayMs: number): Moment => ({ after, nth, delayMs });
