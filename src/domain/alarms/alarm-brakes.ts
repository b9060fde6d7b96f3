/** The brakes of a rule: what keeps a run from being started now. Pure; the workflow of the rule supplies what it sees of runs. */
import type { AlarmDecision, Brakes } from './alarm.js';
import {
  isOpenRun,
  isStarted,
  isWaiting,
  MOST_OPEN,
  type Firing,
  type RuleState,
  type StartedFiring,
} from './alarm-rule-state.js';
import type { RunSeen } from '../contract.js';
import { describeDuration } from '../time/duration.js';
import { describeTime } from '../time/utc-time.js';

/** What a decision depends on besides the state and the alarm. */
export interface DecisionContext {
  readonly owner: string;
  readonly rule: string;
  readonly brakes: Brakes;
  readonly nowMs: number;
  /** Runs on the targets concerned, of this rule or anyone else. */
  readonly seen: readonly RunSeen[];
}

/** A run that a firing would start. */
export type IntendedRun = Pick<Firing, 'target' | 'incident'>;

/** True when both are about the same target or the same problem. */
export function overlaps(firing: IntendedRun, { target, incident }: IntendedRun): boolean {
  return firing.target === target || firing.incident === incident;
}

/**
 * The first brake that holds the run back, as a decision; `null` when it may start. If that brake is the run itself, the firing is only repeated:
 * a rule may forget a firing while its run still holds the target.
 */
export function holdingBrake(
  state: RuleState,
  intended: IntendedRun & Pick<Firing, 'runId'>,
  context: DecisionContext,
): AlarmDecision | null {
  const own = state.firings.filter(isStarted);
  const onTarget = context.seen.filter(({ targets }) => targets.includes(intended.target));
  const others = onTarget.filter(({ runId }) => own.every((run) => run.runId !== runId));
  const brake =
    busy(own, others, intended) ?? coolingDown(own, others, intended.target, context) ?? tooMany(state, context);
  return brake?.runId === intended.runId ? { ...brake, kind: 'repeated', untilMs: null } : brake;
}

function busy(own: readonly StartedFiring[], others: readonly RunSeen[], intended: IntendedRun): AlarmDecision | null {
  const open =
    own.find((run) => isOpenRun(run) && overlaps(run, intended)) ?? others.find(({ endedAtMs }) => endedAtMs === null);
  if (open === undefined) return null;
  return decision('busy', `the run ${open.runId} acts on ${intended.target}`, { runId: open.runId });
}

function coolingDown(
  own: readonly StartedFiring[],
  others: readonly RunSeen[],
  target: string,
  { brakes: { coolDownMs }, nowMs }: DecisionContext,
): AlarmDecision | null {
  const onTarget = [
    ...own.filter((run) => run.target === target).map(({ runId, stage }) => ({ ...stage, runId })),
    ...others,
  ];
  let last = { runId: '', endedAtMs: -Infinity };
  for (const { runId, endedAtMs } of onTarget)
    if (endedAtMs !== null && endedAtMs > last.endedAtMs) last = { runId, endedAtMs };
  const untilMs = last.endedAtMs + coolDownMs;
  if (untilMs <= nowMs) return null;
  const why = `the run ${last.runId} on ${target} ended at ${describeTime(last.endedAtMs)}; none starts until ${describeTime(untilMs)}`;
  return decision('coolingDown', why, { runId: last.runId, untilMs });
}

function tooMany(state: RuleState, { brakes: { atMost, atOnce }, nowMs }: DecisionContext): AlarmDecision | null {
  if (atMost !== null) {
    const count = state.startsAtMs.filter((atMs) => atMs > nowMs - atMost.withinMs).length;
    const why = `the rule started ${count} runs within ${describeDuration(atMost.withinMs)}, and ${atMost.runs} are allowed`;
    if (count >= atMost.runs) return decision('tooMany', why);
  }
  const open = state.firings.filter(isOpenRun).length;
  if (atOnce !== null && open >= atOnce)
    return decision('tooManyAtOnce', `${open} runs of the rule are under way, and ${atOnce} are allowed`);
  const held = open + state.firings.filter(isWaiting).length;
  if (held < MOST_OPEN) return null;
  return decision('tooManyAtOnce', `${held} alarms of the rule wait or have an open run, the most that a rule keeps`);
}

/** A decision that names no run and no time, unless `more` does. */
export function decision(kind: AlarmDecision['kind'], why: string, more: Partial<AlarmDecision> = {}): AlarmDecision {
  return { kind, why, runId: null, untilMs: null, ...more };
}
