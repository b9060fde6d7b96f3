/** Withdrawal: the alarm rule that started a run calls it off. That counts only until the run starts a target: what has started is finished. */

/** What decides whether a run is withdrawn. */
export interface Withdrawal {
  /** Who asked last; `null` if no one did. */
  readonly askedBy: string | null;
  /** Targets started so far, those that have ended among them. */
  readonly targetsStarted: number;
}

/** `targetAbandoned`: its gate closed before anything was sent on it, so that it counts as never started. */
export type WithdrawalEvent =
  { readonly kind: 'asked'; readonly by: unknown } | { readonly kind: 'targetStarted' | 'targetAbandoned' };

/** Before anyone asked, and before a target has started. */
export const NOT_WITHDRAWN: Withdrawal = { askedBy: null, targetsStarted: 0 };

/** The name goes into the report. Chosen. */
const LONGEST_NAME = 200;

/** @returns what is known after the event */
export function afterEvent(before: Withdrawal, event: WithdrawalEvent): Withdrawal {
  switch (event.kind) {
    case 'asked':
      return { ...before, askedBy: typeof event.by === 'string' ? event.by.slice(0, LONGEST_NAME) : 'somebody' };
    case 'targetStarted':
      return { ...before, targetsStarted: before.targetsStarted + 1 };
    case 'targetAbandoned':
      return { ...before, targetsStarted: before.targetsStarted - 1 };
  }
}

/** @returns who withdrew the run; `null` if no one asked, or a target had started */
export function withdrawnBy({ askedBy, targetsStarted }: Withdrawal): string | null {
  return targetsStarted === 0 ? askedBy : null;
}
