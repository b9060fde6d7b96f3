/** How long the next holder of the lease waits for what the one before may have left. */
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import type { Execution } from './execution.js';

/**
 * A holder that ended without its report may have left an unnoticed POST, and so may the one that a reset replaced. The next holder inherits
 * the remaining wait.
 *
 * @returns epoch milliseconds; 0 if there is nothing to wait for
 */
export function inheritedClearAtMs(last: Execution | null, nowMs: number): number {
  if (last === null) return 0;
  const { holder, run } = last;
  const { status, closedAtMs, startedAtMs, runId, chainId } = holder;
  const leftAtMs = Math.max(status === 'COMPLETED' ? 0 : (closedAtMs ?? nowMs), runId === chainId ? 0 : startedAtMs);
  const clearAtMs = Math.max(leftAtMs + unseenAttemptMs(run.limits), run.clearAtMs);
  return clearAtMs > nowMs ? clearAtMs : 0;
}
