/** The command to type after a run has ended: one table, by outcome. Pure. */
import { canBeResumed } from '../domain/plan/earlier-run.js';
import type { Outcome, RunReport } from '../domain/report/report.js';
import { shellWord } from '../domain/text/shell-word.js';

/** A command, and what it is for. */
export interface NextCommand {
  /** As typed in a shell, arguments quoted. */
  readonly command: string;
  /** A few words. */
  readonly why: string;
}

/** Chosen: a longer line is not typed or read. The pattern `*` or the list covers the others. */
const MOST_NAMED = 5;

/** None changes anything: the reader decides what to do after seeing the state. `null`: there is nothing to do. */
const NEXT: Readonly<Record<Outcome, (report: RunReport) => NextCommand | null>> = {
  succeeded: () => null,
  compensated: (report) => showTarget(report, 'see the state now; fix the cause before you start it again'),
  failed: (report) => resume(report) ?? showTarget(report, 'see the state now, before you decide about what remains'),
  compensationFailed: (report) =>
    showTarget(report, 'see the state now and whether someone else acts, then finish by hand'),
  indeterminate: (report) =>
    showTarget(report, 'compare the newest cloud job with the time of the step; do not start again yet'),
  cancelled: (report) =>
    report.targets.length === 0
      ? null
      : (resume(report) ?? showTarget(report, 'see the state in which the run left it')),
  refused: nextOfRefused,
  expired: (report) =>
    resume(report) ?? {
      command: ['runbook plan', shellWord(report.runbook), ...targetOptions(report.notStarted)].join(' '),
      why: 'plan what is left; add the inputs of this run',
    },
};

/** The command to type next, or `null` if nothing is left to do. */
export function nextCommand(report: RunReport): NextCommand | null {
  return NEXT[report.outcome](report);
}

/** The last two lines of a report as text: what comes next, and the command alone, ready to be copied. None where nothing is left to do. */
export function nextLines(report: RunReport): string[] {
  const next = nextCommand(report);
  return next === null ? [] : [`Next: ${next.why}`, `  ${next.command}`];
}

/** `null` if the report shows that the run cannot be resumed. */
function resume(report: RunReport): NextCommand | null {
  if (!canBeResumed(report)) return null;
  const command = `runbook resume ${shellWord(report.workflowId)} --plan`;
  return { command, why: 'see the state now, and what a new run would do from the failed step on' };
}

/** The state of the target that decided the outcome. */
function showTarget({ outcome, targets, workflowId }: RunReport, why: string): NextCommand {
  const target = targets.find((each) => each.outcome === outcome) ?? targets[0];
  return target === undefined
    ? { command: `runbook report ${shellWord(workflowId)} --json`, why: 'read the whole report' }
    : { command: `runbook targets ${shellWord(target.path)}`, why };
}

function nextOfRefused({ failure, runbook, targets, notStarted }: RunReport): NextCommand {
  const decisive = failure ?? targets.find((target) => target.failure !== undefined)?.failure;
  const path = targets.find((target) => target.failure?.name === 'TargetBusy')?.path ?? notStarted[0];
  if (decisive?.name === 'UnknownRunbook') return { command: 'runbook list', why: 'see which runbooks there are' };
  if (decisive?.name === 'TargetBusy' && path !== undefined)
    return { command: `runbook targets ${shellWord(path)}`, why: 'see which run holds it' };
  return { command: `runbook show ${shellWord(runbook)}`, why: 'see its inputs and guards, then start it again' };
}

function targetOptions(paths: readonly string[]): string[] {
  return paths.slice(0, MOST_NAMED).map((path) => `--target ${shellWord(path)}`);
}
