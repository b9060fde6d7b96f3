/**
 * Computes the largest sizes that a plan's run can reach, and compares them with Temporal's limits while planning,
 * so that a run that could not be stored is refused before it changes anything. Pure.
 */
import { leastReportBytes, withShortSteps } from '../report/cut-report.js';
import type { Problem } from '../failures.js';
import { jsonBytes } from '../text/json-bytes.js';
import { listedTargets } from '../run/listed-targets.js';
import {
  runHistoryBytes,
  runHistoryEvents,
  targetArgumentsBytes,
  targetHistoryBytes,
  targetHistoryEvents,
} from './history-sizes.js';
import type { Plan, TargetPlan } from './plan.js';
import {
  HISTORY_BYTES,
  HISTORY_EVENTS,
  MEMO_REPORT_BYTES,
  PAYLOAD_BYTES,
  SEARCH_ATTRIBUTE_BYTES,
  targetReportBytes,
} from '../sizes.js';
import { worstProgress, worstReport, worstRunReport } from './worst-report.js';

/** One size of a run at its largest: bytes as JSON, or events. */
export interface PlannedSize {
  readonly what: string;
  readonly size: number;
  readonly atMost: number;
  readonly unit: 'bytes' | 'events';
}

/** Every size that a plan determines and Temporal limits. */
export function plannedSizes(plan: Plan): PlannedSize[] {
  const bytes = (what: string, size: number, atMost: number): PlannedSize => ({ what, size, atMost, unit: 'bytes' });
  const events = (what: string, size: number): PlannedSize => ({ what, size, atMost: HISTORY_EVENTS, unit: 'events' });
  const { targets } = plan;
  const largest = (of: (target: TargetPlan) => number) => Math.max(0, ...targets.map(of));
  const reportBytes = targetReportBytes(targets.length);
  return [
    bytes('the plan', jsonBytes(plan), PAYLOAD_BYTES),
    bytes('the list of targets in the search attribute', searchAttributeBytes(plan), SEARCH_ATTRIBUTE_BYTES),
    bytes("the arguments of a target's workflow", largest(targetArgumentsBytes), PAYLOAD_BYTES),
    bytes(
      "a target's report in short form",
      largest((target) => jsonBytes(withShortSteps(worstReport(target)))),
      reportBytes,
    ),
    bytes('what a target shows of its progress', largest(progressBytes), PAYLOAD_BYTES),
    bytes('the list of targets in the report', leastReportBytes(worstRunReport(plan)), MEMO_REPORT_BYTES),
    bytes(
      "the history of a target's workflow",
      largest((target) => targetHistoryBytes(target, plan)),
      HISTORY_BYTES,
    ),
    events(
      "the history of a target's workflow",
      largest((target) => targetHistoryEvents(target, plan)),
    ),
    bytes('the history of the run', runHistoryBytes(plan, reportBytes), HISTORY_BYTES),
    events('the history of the run', runHistoryEvents(plan)),
  ];
}

/** The sizes that exceed a limit, with figures. */
export function sizeProblems(plan: Plan): Problem[] {
  return plannedSizes(plan)
    .filter(({ size, atMost }) => size > atMost)
    .map(({ what, size, atMost, unit }) => ({
      code: 'too-large',
      place: 'the run as a whole',
      found: `${what} could reach ${figure(size)} ${unit}, and Temporal can store only ${figure(atMost)}`,
      remedy: `Start several runs with fewer targets (here ${plan.targets.length}), or give the runbook fewer steps, shorter inputs or a shorter wait`,
    }));
}

/** `1,234,567` */
function figure(value: number): string {
  return String(Math.ceil(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

function searchAttributeBytes({ targets }: Plan): number {
  return jsonBytes(listedTargets(targets.map(({ target }) => target.path)));
}

function progressBytes(targetPlan: TargetPlan): number {
  return jsonBytes(targetPlan.target) + 2 * jsonBytes(worstProgress(targetPlan));
}
