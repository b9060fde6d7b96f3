/** What happened when, as bars and marks on a time axis: made from a report, drawn by `timeline-svg.ts`. Pure; epoch milliseconds. */
import type { GateReport, RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import type { Observation } from '../domain/target/target.js';
import { describeObservation } from '../domain/target/target.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeTime } from '../domain/time/utc-time.js';
import { period, stepTitle } from './meaning.js';

/** What a bar means. `wait`: a wait step. `gate`: the run waited for its window, or for a freeze to end. */
type BarKind = 'target' | 'step' | 'undo' | 'wait' | 'cloudJob' | 'gate';

/** A period. */
export interface Bar {
  readonly kind: BarKind;
  /** The result of a step, the outcome of a target; `null` if there is none. */
  readonly state: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  /** Shown when pointed at. */
  readonly title: string;
}

/** A moment: a reading of the instance, or a decision of an attempt. */
export interface Mark {
  readonly kind: 'reading' | 'attempt';
  readonly atMs: number;
  readonly title: string;
}

/** One line of the drawing. */
export interface Row {
  readonly label: string;
  readonly bars: readonly Bar[];
  readonly marks: readonly Mark[];
}

/** Rows on one axis. `toMs` is later than `fromMs`. */
export interface Timeline {
  readonly fromMs: number;
  readonly toMs: number;
  readonly rows: readonly Row[];
}

/** A shorter axis has no room for its times. */
const SHORTEST_MS = 1_000;

/** The whole run: a row for its gates, and one for each target. */
export function runTimeline({ startedAtMs, endedAtMs, targets, gates = [] }: RunReport): Timeline {
  const rows = [...gateRows(gates), ...targets.flatMap(targetRow)];
  return { ...axis([startedAtMs, endedAtMs, ...moments(rows)]), rows };
}

/** One target on an axis of its own, because it may have waited for hours and acted for minutes. `null` if nothing was begun on it. */
export function targetTimeline({ steps, compensations, captured }: TargetReport): Timeline | null {
  const rows = [
    ...(captured === null ? [] : [{ label: 'before', bars: [], marks: readings([captured]) }]),
    ...steps.map((step) => stepRow(step, '')),
    ...compensations.map((step) => stepRow(step, 'undo: ')),
  ];
  return steps.length + compensations.length === 0 ? null : { ...axis(moments(rows)), rows };
}

function gateRows(gates: readonly GateReport[]): Row[] {
  const bars = gates.map(({ target, firstLookAtMs, lastLookAtMs, failure, why }): Bar => {
    const what = failure === null ? 'open again' : `${failure}: ${why ?? ''}`;
    return {
      kind: 'gate',
      state: failure === null ? 'open' : 'closed',
      fromMs: firstLookAtMs,
      toMs: lastLookAtMs,
      title: `gate of ${target}: ${what} (${period(firstLookAtMs, lastLookAtMs)})`,
    };
  });
  return bars.length === 0 ? [] : [{ label: 'gates', bars, marks: [] }];
}

function targetRow({ path, outcome, steps, compensations }: TargetReport): Row[] {
  const all = [...steps, ...compensations];
  if (all.length === 0) return [];
  const fromMs = Math.min(...all.map(({ startedAtMs }) => startedAtMs));
  const toMs = Math.max(...all.map(({ endedAtMs }) => endedAtMs));
  const title = `${path}: ${outcome}, ${describeDuration(toMs - fromMs)} (${period(fromMs, toMs)})`;
  return [{ label: path, bars: [{ kind: 'target', state: outcome, fromMs, toMs, title }], marks: [] }];
}

function stepRow(step: StepReport, prefix: string): Row {
  const { action, check, result, startedAtMs: fromMs, endedAtMs: toMs, after } = step;
  const label = `${prefix}${stepTitle(step)}`;
  const kind = action === null && check === undefined ? 'wait' : prefix === '' ? 'step' : 'undo';
  const title = `${label}: ${result} in ${describeDuration(toMs - fromMs)} (${period(fromMs, toMs)})`;
  return {
    label,
    bars: [{ kind, state: result, fromMs, toMs, title }, ...cloudJobBars(step)],
    // The reading before a step is the one after the step before it, which has its own row.
    marks: [...readings(after === null ? [] : [after]), ...attempts(step)],
  };
}

/** A report does not state when a cloud job ended, so the bar ends when the step last read it. */
function cloudJobBars({ cloudJobId, trail, evidence, endedAtMs }: StepReport): Bar[] {
  if (cloudJobId === null) return [];
  const known = trail.find(({ decision }) => decision === 'accepted' || decision === 'adopted')?.atMs;
  const fromMs = evidence?.firstTaskAtMs ?? known;
  if (fromMs === undefined) return [];
  const toMs = Math.max(fromMs, trail.findLast(({ decision }) => decision === 'verified')?.atMs ?? endedAtMs);
  const how = evidence === undefined ? 'accepted' : 'adopted, first task';
  return [
    { kind: 'cloudJob', state: null, fromMs, toMs, title: `cloud job ${cloudJobId}, ${how} ${describeTime(fromMs)}` },
  ];
}

function readings(seen: readonly Observation[]): Mark[] {
  return seen.map((reading) => ({
    kind: 'reading',
    atMs: reading.observedAtMs,
    title: `read ${describeTime(reading.observedAtMs)}: ${describeObservation(reading)}`,
  }));
}

function attempts({ trail, decisions = [] }: StepReport): Mark[] {
  return [...decisions.flatMap(({ was }) => was?.trail ?? []), ...trail].map(({ attempt, atMs, decision, note }) => ({
    kind: 'attempt',
    atMs,
    title: `attempt ${attempt}, ${describeTime(atMs)}: ${decision}${note === undefined ? '' : ` (${note})`}`,
  }));
}

function moments(rows: readonly Row[]): number[] {
  return rows.flatMap(({ bars, marks }) => [
    ...bars.flatMap(({ fromMs, toMs }) => [fromMs, toMs]),
    ...marks.map(({ atMs }) => atMs),
  ]);
}

/** From the first to the last moment. */
function axis(times: readonly number[]): Pick<Timeline, 'fromMs' | 'toMs'> {
  const fromMs = times.reduce((first, time) => Math.min(first, time), Infinity);
  const toMs = times.reduce((last, time) => Math.max(last, time), -Infinity);
  return { fromMs, toMs: Math.max(toMs, fromMs + SHORTEST_MS) };
}
