/** The live view without a terminal: its text, and a terminal that shows what was written to it. */
import type { Colors } from '../../src/cli/colors.js';
import { frame, type Size } from '../../src/cli/live/frame.js';
import { progressBlocks } from '../../src/cli/render-progress.js';
import type { RunSnapshot } from '../../src/client/report-snapshot.js';
import type { RunProgress, StepProgress, TargetProgress } from '../../src/domain/report/report.js';

/** As much room as anything needs. */
const LARGE: Size = { columns: 400, rows: 1_000 };

/** The run as the live view shows it. @param nowMs epoch milliseconds */
export function renderProgress(snapshot: RunSnapshot, nowMs: number, colors: Colors, size: Size = LARGE): string {
  return frame({ run: progressBlocks(snapshot, nowMs, colors), foot: [] }, size, colors).join('\n');
}

/** A step that has not begun. */
export function aShownStep(change: Partial<StepProgress> = {}): StepProgress {
  return {
    ...{ id: 'restart', title: 'restart', state: 'pending', startedAtMs: null, endedAtMs: null },
    ...{ cloudJobId: null, seen: null, failure: null },
    ...change,
  };
}

/** A target under way, without steps. */
export function aShownTarget(path: string, change: Partial<TargetProgress> = {}): TargetProgress {
  return { path, phase: 'running', seen: null, steps: [], compensations: [], outcome: null, ...change };
}

/** A run with targets that have begun, and paths of others. */
export function aRun(
  targets: readonly TargetProgress[],
  toCome: readonly string[] = [],
  change: Partial<RunProgress> = {},
): RunSnapshot {
  const begun = targets.map(({ path, outcome }) => ({ path, leaseId: 'l', childRunId: 'r', outcome }));
  const others = toCome.map((path) => ({ path, leaseId: 'l', childRunId: null, outcome: null }));
  return {
    workflowId: 'night-1',
    run: {
      ...{ runbook: 'recover', phase: 'running', planHash: 'h', startedAtMs: 0, outcome: null },
      targets: [...begun, ...others],
      ...change,
    },
    targets,
  };
}

/** A run with one target. */
export function aRunOf(
  steps: readonly StepProgress[],
  { run = {} }: { readonly run?: Partial<RunProgress> } = {},
): RunSnapshot {
  return aRun([aShownTarget('shop/cart/prod-1', { steps })], [], run);
}
