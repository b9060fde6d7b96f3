/** Runs that resume one which a fault or an abort ended: soon and later, also two at once and one another, and with a second fault at every request. */
import type { OnFailure } from '../../src/domain/plan/plan.js';
import { faultsFrom, runOf, type FaultCase, type Untouched } from './exhaustive-cases.js';
import { commandAt, momentsOf } from './exhaustive-commands.js';
import { NO_ONE } from './exhaustive-decisions.js';
import type { PlayedCase, PlayedRun } from './exhaustive-play.js';
import { playSteered, type SteeredCase, type SteeredGroup } from './exhaustive-steered.js';
import type { OperatorMove, PlannedRun, Resuming } from './scenario.js';
import type { Machine } from './world.js';

/** What was sent may still be unseen, and no longer. */
const AFTER_MS = [1_000, 120_000] as const;
/** How long it waits between its plan and the lease. */
const PLANNED_MS = [1, 60_000] as const;

const BASE = { repeats: null, over: null, as: null } as const;
const ON_FAILURE: readonly OnFailure[] = ['abort', 'continue'];
const RETRIES: OperatorMove = { afterMs: 1_000, command: 'retryStep' };

function leaving(run: PlayedRun, onFailure: OnFailure): PlayedRun {
  return { ...run, plan: { ...run.plan, steps: run.plan.steps.map((step) => ({ ...step, onFailure })) } };
}

function resuming(plan: PlannedRun, startsAfterMs: number, resumes: Resuming): PlannedRun {
  const { commands: _commands, operator: _operator, ...rest } = plan;
  return { ...rest, startsAfterMs, resumes };
}

/** Alone, two at once, and a second one that continues the first. */
function resumesOf(plan: PlannedRun): SteeredCase[] {
  return AFTER_MS.flatMap((afterMs) =>
    PLANNED_MS.flatMap((plannedMs): SteeredCase[] => {
      const first = resuming(plan, afterMs, { plannedMs });
      const when = `resumed after ${afterMs} ms, planned ${plannedMs} ms before`;
      return [
        { ...BASE, name: when, given: {}, more: [first] },
        {
          ...BASE,
          name: `${when}, twice at once`,
          given: {},
          more: [first, resuming(plan, 1, { plannedMs: 1, isTwin: true })],
        },
        { ...BASE, name: `${when}, twice`, given: {}, more: [first, resuming(plan, afterMs, { plannedMs })] },
      ];
    }),
  );
}

/** @returns the cases of a fault: only one where the fault leaves nothing to resume */
export function resumesAfter(single: FaultCase, machine?: Machine): SteeredGroup[] {
  const { id, faults, weight } = single;
  return ON_FAILURE.map((onFailure) => {
    const run = leaving(runOf(single), onFailure);
    const group = { id: `${id}, ${onFailure}`, run, faults, weight, lines: {}, cases: [] };
    const [first, ...others] = resumesOf(run.plan);
    if (first === undefined) return group;
    const isDone = playSteered(group, first, machine).counts['resume refused: nothing-to-resume'] !== undefined;
    return { ...group, cases: isDone ? [first] : [first, ...others] };
  });
}

/** What a fault led to: faults that lead to the same leave the same to resume, and only the first of them meets a second fault. */
export type Seen = Set<string>;

function isSeen(seen: Seen, { untouched }: FaultCase, { line, sent }: PlayedCase): boolean {
  const key = `${untouched.id}: ${line} ${sent.map(({ step }) => step).join()}`;
  if (seen.has(key)) return true;
  seen.add(key);
  return false;
}

/** A second fault at every request of the run that resumes, and a third run that resumes that. */
export function faultsWhileResumed(single: FaultCase, seen: Seen, machine?: Machine): SteeredGroup[] {
  const run = leaving(runOf(single), 'abort');
  const { id, faults, weight } = single;
  const first = resuming(run.plan, AFTER_MS[1], { plannedMs: 1 });
  const alone: SteeredCase = { ...BASE, name: 'resumed', given: {}, more: [first] };
  const base = { run, faults, weight, lines: {} };
  const played = playSteered({ ...base, id, cases: [] }, alone, machine);
  const beginsAtMs = beginOfResumed(played);
  if (beginsAtMs === null || isSeen(seen, single, played)) return [];
  const from = played.asked.findIndex(({ atMs }) => atMs >= beginsAtMs);
  return faultsFrom(played.asked, from < 0 ? played.asked.length : from).map((second) => ({
    ...{ ...base, id: `${id}, resumed + ${second.name}/${second.kinds[0]}`, faults: [...faults, second.fault] },
    weight: weight * second.kinds.length,
    cases: AFTER_MS.map((afterMs) => ({
      ...{ ...BASE, name: `resumed again after ${afterMs} ms`, given: {} },
      more: [first, resuming(run.plan, afterMs, { plannedMs: 1 })],
    })),
  }));
}

function beginOfResumed({ resumedAtMs }: PlayedCase): number | null {
  return resumedAtMs[0] ?? null;
}

/** A second fault while the step is retried, which no one decides about then: the run is resumed as that leaves it. */
export function resumesAfterRetry(single: FaultCase, seen: Seen, machine?: Machine): SteeredGroup[] {
  const run = leaving(runOf(single), 'pause');
  const { id, faults, weight } = single;
  const given = { operator: [RETRIES, NO_ONE], commands: [] };
  const base = { run, faults, weight, lines: {} };
  const alone: SteeredCase = { ...BASE, name: 'retried', given };
  const played = playSteered({ ...base, id, cases: [] }, alone, machine);
  const [block] = played.blocks;
  if (block === undefined || isSeen(seen, single, played)) return [];
  const from = played.asked.findIndex(({ atMs }) => atMs >= block.atMs + RETRIES.afterMs);
  return faultsFrom(played.asked, from < 0 ? played.asked.length : from).map((second) => ({
    ...{ ...base, id: `${id}, retried + ${second.name}/${second.kinds[0]}`, faults: [...faults, second.fault] },
    weight: weight * second.kinds.length,
    cases: AFTER_MS.map((afterMs) => ({
      ...{ ...BASE, name: `resumed after ${afterMs} ms`, given },
      more: [resuming(run.plan, afterMs, { plannedMs: 1 })],
    })),
  }));
}

/** Aborted at every moment, by each rule of what an abort means. */
export function resumesAfterAbort({ id, run }: Untouched, machine?: Machine): SteeredGroup[] {
  return (['leave', 'stop-after-step'] as const).flatMap((onCancel) =>
    momentsOf(run, [], machine).map(({ name, atMs, weight }) => {
      const plan = { ...run.plan, onCancel };
      const cases = resumesOf(plan).map((one) => ({ ...one, given: { commands: [commandAt('abort', atMs)] } }));
      return {
        id: `${id}/aborted at ${name}, ${onCancel}`,
        run: { ...run, plan },
        faults: [],
        weight,
        lines: {},
        cases,
      };
    }),
  );
}
