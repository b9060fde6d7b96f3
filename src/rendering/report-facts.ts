/** The facts about a whole run with which a Markdown or HTML report begins. Pure. */
import { shortHash } from '../domain/plan/plan.js';
import type { RunReport } from '../domain/report/report.js';
import { describeApprovalReport } from '../domain/steering/approvals.js';
import { describeCommand } from '../domain/steering/commands.js';
import { describeDuration } from '../domain/time/duration.js';
import { period } from './meaning.js';

/** Whether the report is shorter than what happened, in words; `null` if it is whole. */
export function leftOutOf({ cut, targets }: RunReport): string | null {
  const isCut = cut !== undefined || targets.some((target) => target.cut !== undefined);
  return isCut ? 'parts of the report, because it was too long to be stored' : null;
}

/** Names and values, as plain text that is not escaped. What a run does not have is left out. @param time the name of its period */
export function factsOf(report: RunReport, time: string): readonly (readonly [name: string, value: string])[] {
  const { workflowId, startedAtMs, endedAtMs, requestedBy, reason, withdrawnBy, commands = [] } = report;
  const { approval, resumes, planHash } = report;
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    ['run', workflowId],
    [time, `${period(startedAtMs, endedAtMs)}, ${describeDuration(endedAtMs - startedAtMs)}`],
    ['requested by', requestedBy],
    ['reason', reason],
    ['withdrawn by', withdrawnBy],
    ...commands.map((command) => ['command', describeCommand(command)] as const),
    ['approval', approval === undefined ? null : describeApprovalReport(approval)],
    ['resumes run', resumes?.workflowId],
    ['plan', planHash === null ? null : shortHash(planHash)],
    ['left out', leftOutOf(report)],
  ];
  return facts.flatMap(([name, value]) => (value === null || value === undefined ? [] : [[name, value] as const]));
}
