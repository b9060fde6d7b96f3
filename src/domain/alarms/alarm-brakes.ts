/** The brakes of a rule: what keeps a run from being started now. Pure; the workflow of the rule hands in what it sees of runs. */
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

/** What a decision is made in. */
export interface Circumstances {
  readonly owner: string;
  readonly rule: string;
  readonly brakes: Brakes;
  readonly nowMs: number;
  /** Runs on the targets in question, of whomever. */
  readonly seen: readonly RunSeen[];
}

/** What a run would be started for. */
export type Question = Pick<Firing, 'target' | 'incident'>;

export function isSame(firing: Pick<Firing, 'target' | 'incident'>, { target, incident }: Question): boolean {
  return firing.target === target || firing.incident === incident;
}

/** The first brake that holds, or `null`. */
export function heldBack(state: RuleState, question: Question, now: Circumstances): AlarmDecision | null {
  const own = state.firings.filter(isStarted);
  const onTarget = now.seen.filter(({ targets }) => targets.includes(question.target));
  const foreign = onTarget.filter(({ runId }) => own.every((run) => run.runId !== runId));
  return busy(own, foreign, question) ?? cooling(own, foreign, question.target, now) ?? tooMany(state, now);
}

function busy(own: readonly StartedFiring[], foreign: readonly RunSeen[], question: Question): AlarmDecision | null {
  const open =
    own.find((run) => isOpenRun(run) && isSame(run, question)) ?? foreign.find(({ endedAtMs }) => endedAtMs === null);
  if (open === undefined) return null;
  return decision('busy', `the run ${open.runId} acts on ${question.target}`, { runId: open.runId });
}

function cooling(
  own: readonly StartedFiring[],
  foreign: readonly RunSeen[],
  target: string,
  { brakes: { coolDownMs }, nowMs }: Circumstances,
): AlarmDecision | null {
  const ended = [
    ...own.filter((run) => run.target === target).map(({ runId, stage }) => ({ ...stage, runId })),
    ...foreign,
  ];
  let last = { runId: '', endedAtMs: -Infinity };
  for (const { runId, endedAtMs } of ended)
    if (endedAtMs !== null && endedAtMs > last.endedAtMs) last = { runId, endedAtMs };
  const untilMs = last.endedAtMs + coolDownMs;
  if (untilMs <= nowMs) return null;
  const why = `the run ${last.runId} on ${target} ended at ${describeTime(last.endedAtMs)}; none starts until ${describeTime(untilMs)}`;
  return decision('coolingDown', why, { runId: last.runId, untilMs });
}

function tooMany(state: RuleState, { brakes: { atMost, atOnce }, nowMs }: Circumstances): AlarmDecision | null {
  if (atMost !== null) {
    const count = state.startsAtMs.filter((atMs) => atMs > nowMs - atMost.withinMs).length;
    const why = `the rule has started ${count} runs within ${describeDuration(atMost.withinMs)}, and may start ${atMost.runs}`;
    if (count >= atMost.runs) return decision('tooMany', why);
  }
  const open = state.firings.filter(isOpenRun).length;
  if (atOnce !== null && open >= atOnce)
    return decision('tooManyAtOnce', `${open} runs of the rule are under way, and ${atOnce} may be`);
  const held = open + state.firings.filter(isWaiting).length;
  if (held < MOST_OPEN) return null;
  return decision('tooManyAtOnce', `${held} alarms of the rule wait or have a run under way; no rule keeps more`);
}

export function decision(kind: AlarmDecision['kind'], why: string, more: Partial<AlarmDecision> = {}): AlarmDecision {
  return { kind, why, runId: null, untilMs: null, ...more };
}
