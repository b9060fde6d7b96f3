/**
 * For a runbook with `restores`: reads what the other runbook captured on a target, or explains why nothing can be
 * restored.
 */
import { Context } from '@temporalio/activity';
import { capturedCount, type CapturedCount, type CountChange, type PastRun } from '../domain/plan/captured-count.js';
import type { Problem } from '../domain/failures.js';
import { didYouMean } from '../domain/text/suggest.js';
import type { Captured } from '../domain/plan/plan-steps.js';
import { leaseId, type Observation, type Target } from '../domain/target/target.js';
import type { ActivityDependencies } from './dependencies.js';

/** Returns the count to restore, or the problem. */
export async function readCaptured(
  dependencies: Pick<ActivityDependencies, 'temporal' | 'findRunbook'>,
  names: { readonly restores: string; readonly asking: string },
  target: Target,
  observation: Observation,
): Promise<Captured | Problem> {
  const { replicaCount: seen } = observation;
  const { restores, asking } = names;
  const { path, instanceId } = target;
  const past = await dependencies.temporal.pastRuns({
    leaseId: leaseId(target),
    path,
    runbooks: [restores, asking],
    exceptRunId: Context.current().info.workflowExecution?.runId ?? null,
  });
  const answer = capturedCount({ restores, asking, instanceId, seen }, past);
  if (answer.kind === 'captured') return captured(answer.change, observation);
  if (answer.kind === 'nothing')
    return (await unknownRunbook(dependencies, restores, asking)) ?? nothing(answer, restores, path);
  return refusal(answer, path, seen);
}

function captured({ run, from, to, atMs }: CountChange, { replicaCount: seen, lastJobId }: Observation): Captured {
  const now = seen === from ? `it is ${from} already` : `${to} → ${from}`;
  return {
    replicaCount: from,
    note: `captured by run ${run.workflowId} at ${time(atMs)}: ${now}`,
    expects: {
      replicaCounts: seen === null || seen === from ? [from] : [seen, from],
      ...(lastJobId === null ? {} : { lastJobId }),
      why: `run ${run.workflowId} captured ${from} and left ${to} at ${time(atMs)}`,
    },
  };
}

/** A runbook that ran may have been deleted since; only a name that no run ever had is reported. */
async function unknownRunbook(
  { findRunbook }: Pick<ActivityDependencies, 'findRunbook'>,
  restores: string,
  asking: string,
): Promise<Problem | null> {
  const found = await findRunbook(restores);
  return found.kind === 'unknown'
    ? {
        code: 'unknown-runbook',
        place: `restores of ${asking}`,
        found: `there is no runbook "${restores}", and no run of it either`,
        remedy: `Name the runbook that changes the replica count.${didYouMean(restores, found.known)}`,
      }
    : null;
}

function nothing({ runs }: Extract<CapturedCount, { kind: 'nothing' }>, restores: string, path: string): Problem {
  const known =
    runs === 0 ? 'none is known' : `${runs} ${runs === 1 ? 'is' : 'are'} known, without a change that was kept`;
  return {
    code: 'nothing-captured',
    place: `target ${path}`,
    found: `no run of ${restores} has changed its replica count (${known})`,
    remedy: `${giveIt(path)}. Temporal deletes closed runs after the namespace's retention, which must be longer than the time until the count is restored`,
  };
}

function refusal(
  answer: Extract<CapturedCount, { kind: 'open' | 'unclear' | 'changedSince' }>,
  path: string,
  seen: number | null,
): Problem {
  const place = `target ${path}`;
  switch (answer.kind) {
    case 'open':
      return {
        code: 'run-still-open',
        place,
        found: `run ${named(answer.run)}, started ${time(answer.run.startedAtMs)}, is still open and may act on it`,
        remedy: 'Wait until that run has ended, or cancel it, then start again',
      };
    case 'unclear':
      return {
        code: 'capture-unclear',
        place,
        found: `what run ${named(answer.run)} of ${time(answer.run.startedAtMs)} did to its replica count is not clear: ${answer.why}`,
        remedy: `Check the instance. ${giveIt(path)}`,
      };
    case 'changedSince':
      return { code: 'count-changed', place, ...changed(answer, seen), remedy: `Leave it, or: ${giveIt(path)}` };
  }
}

function changed(
  { change, restored }: Extract<CapturedCount, { kind: 'changedSince' }>,
  seen: number | null,
): Pick<Problem, 'found'> {
  const { run, from, to, atMs } = change;
  const left = `run ${named(run)} captured ${from} and left ${to} at ${time(atMs)}`;
  if (seen === null) return { found: `${left}, and the current replica count is not known` };
  if (restored === null) return { found: `${left}, and the count was changed since: ${to} → ${seen}` };
  const { run: by, to: again, atMs: then } = restored;
  return {
    found: `${left}, run ${named(by)} restored ${again} at ${time(then)}, and it was changed since: ${again} → ${seen}`,
  };
}

function giveIt(path: string): string {
  return `Give the count yourself: runbook start scale --target ${path} --input replica=N`;
}

/** A workflow id begins with the runbook's name only if the caller chose no id. */
function named({ workflowId, runbook }: PastRun): string {
  return workflowId.startsWith(runbook) ? workflowId : `${workflowId} (${runbook})`;
}

/** `2026-11-25T20:00Z` */
function time(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 16)}Z`;
}
