/** Renders instances, as `runbook targets` shows them. Pure. */
import type { LeaseHolding } from '../client/lease-holding.js';
import { describeObservation, type Observation } from '../domain/target/target.js';
import { describeTime } from '../domain/time/utc-time.js';
import type { Colors } from './colors.js';
import type { NewestJob } from './read-targets.js';
import { printableFacts } from './terminal-text.js';

/** An instance, its newest reading, and who acts on it: a line of `runbook targets --json`. */
export interface ShownTarget {
  readonly path: string;
  readonly instanceId: string;
  /** `null` if it could not be read. */
  readonly seen: Observation | null;
  /** Why it could not be read; `null` if it was. */
  readonly problem: string | null;
  /** When the newest cloud job began, and its first task; `null` if that is not known. */
  readonly newestJob: NewestJob | null;
  /** The run that holds the lease; `null`: none does. `unknown`: Temporal could not be asked. */
  readonly heldBy: LeaseHolding | null | 'unknown';
}

/** What `runbook targets --json` prints. */
export interface ShownTargets {
  readonly targets: readonly ShownTarget[];
  readonly leftOut: number;
  readonly componentsLeftOut: number;
}

/** Two lines for each instance: what it is, and what last acted or acts on it. */
export function renderTargets(given: ShownTargets, colors: Colors): string {
  const { targets, leftOut, componentsLeftOut } = printableFacts(given);
  const lines = targets.flatMap((target) => targetLines(target, colors));
  if (targets.length === 0) lines.push('No instance matches');
  if (leftOut > 0)
    lines.push(colors.warn(`${leftOut} more match and were not read. Narrow the pattern, or raise --limit`));
  if (componentsLeftOut > 0)
    lines.push(
      colors.warn(`${componentsLeftOut} more components match; their instances were not listed. Narrow the pattern`),
    );
  return lines.join('\n');
}

function targetLines({ path, seen, problem, newestJob, heldBy }: ShownTarget, colors: Colors): string[] {
  if (seen === null)
    return [`${colors.bold(path)}  ${colors.bad(`cannot be read: ${problem ?? ''}`)}`, `  ${holder(heldBy, colors)}`];
  const { lastJobId, lastJobStatus } = seen;
  const began = newestJob === null ? '' : `, began ${describeTime(newestJob.beganAtMs)} with ${newestJob.firstTask}`;
  const job =
    lastJobId === null
      ? 'no cloud job yet'
      : `newest cloud job ${lastJobId}${lastJobStatus === null ? '' : ` ${lastJobStatus}`}${began}`;
  return [`${colors.bold(path)}  ${describeObservation(seen)}`, `  ${colors.dim(`${job};`)} ${holder(heldBy, colors)}`];
}

function holder(heldBy: ShownTarget['heldBy'], colors: Colors): string {
  if (heldBy === null) return colors.dim('no run acts on it');
  if (heldBy === 'unknown') return colors.warn('not known whether a run acts on it');
  return colors.warn(`held by run ${heldBy.workflowId ?? '(not known)'} since ${describeTime(heldBy.sinceMs)}`);
}
