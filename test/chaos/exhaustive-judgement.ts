/** The result of a case: its line in the table, and promises that must hold in every case. */
import type { TargetReport } from '../../src/domain/report/report.js';
import type { ShownInstance } from '../support/simulator.js';
import { outcomeLine, stateLine } from './exhaustive-line.js';
import { hitElsewhere, type CaseResult } from './exhaustive-runner.js';

/** The case's line in the table. */
export function lineOf({ report, accepted, final }: CaseResult): string {
  if (report === null) return 'NO REPORT';
  const target = report.targets[0];
  const { steps = [], compensations = [], remaining = [] } = target ?? {};
  const failure = (report.failure ?? target?.failure)?.name;
  const posts = accepted.map(({ action }) => action);
  return outcomeLine({ outcome: report.outcome, failure, steps, compensations, remaining }, posts, final);
}

/** Promises that did not hold in this case, as seen from the simulator, whatever the report claims. */
export function violationsOf(result: CaseResult): string[] {
  const { report, hitAtMs, case: one } = result;
  const found = [...sentTwice(result)];
  if (report === null) found.push('the run left no report');
  if (one.fault !== null && hitAtMs.length !== 1) found.push(`the fault hit ${hitAtMs.length} times`);
  if (hitElsewhere(result)) found.push('the fault hit another step than intended');
  const target = report?.targets[0];
  if (target !== undefined) found.push(...untrue(result, target));
  else if (result.accepted.length > 0) found.push('something was sent for a target that is not in the report');
  return found.map((what) => `${one.id}: ${what}`);
}

function sentTwice({ report, accepted }: CaseResult): string[] {
  const target = report?.targets[0];
  const decisions = [...(target?.steps ?? []), ...(target?.compensations ?? [])];
  return [...new Set(accepted.map(({ action }) => action))].flatMap((action) => {
    const posts = accepted.filter((other) => other.action === action).length;
    const allowed = decisions.filter((step) => step.action?.action === action).length;
    return posts > allowed ? [`${posts} POSTs of ${action} were accepted for ${allowed} decisions`] : [];
  });
}

/** Compares the report's claims with what the simulator knows. */
function untrue({ accepted, final, case: one }: CaseResult, target: TargetReport): string[] {
  const found: string[] = [];
  const steps = [...target.steps, ...target.compensations];
  const certain = steps.filter(({ sent }) => sent === 'yes').length;
  const possible = steps.filter(({ sent }) => sent !== 'no').length;
  if (accepted.length < certain)
    found.push(`${certain} steps report that they sent, ${accepted.length} POSTs were accepted`);
  if (accepted.length > possible) found.push(`${possible} steps may have sent, ${accepted.length} POSTs were accepted`);
  const followed = steps.flatMap(({ cloudJobId }) => cloudJobId ?? []);
  const foreign = followed.filter((id) => !accepted.some(({ cloudJobId }) => cloudJobId === id));
  if (foreign.length > 0) found.push(`it followed ${foreign.join(', ')}, which is not its own`);
  const isAsBefore = stateLine(final) === stateLine({ ...final, ...initialState(one.scenario.initialStatus) });
  if (target.outcome === 'compensated' && !isAsBefore)
    found.push(`it is reported compensated, but is ${stateLine(final)}`);
  if (target.outcome === 'refused' && accepted.length > 0) found.push('it is reported refused, but something was sent');
  return found;
}

function initialState(status: 'RUNNING' | 'STOPPED'): Partial<ShownInstance> {
  return { status, version: '1.4.1', replica: 2, availableReplica: status === 'RUNNING' ? 2 : 0 };
}
