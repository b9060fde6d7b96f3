/** The result of a case in one line, the same for a real server and for virtual time. */
import type { RemainingEffect, StepReport } from '../../src/domain/report/report.js';

export interface ReportedRun {
  readonly outcome: string;
  readonly failure: string | undefined;
  readonly steps: readonly StepReport[];
  readonly compensations: readonly StepReport[];
  readonly remaining: readonly RemainingEffect[];
}

interface ShownState {
  readonly status: string;
  readonly availableReplica: number;
  readonly replica: number;
  readonly version: string;
}

/** Does not depend on the speed of the machine. @param posts actions of the accepted ones, in order */
export function outcomeLine(course: ReportedRun, posts: readonly string[], final: ShownState): string {
  const { outcome, failure, steps, compensations, remaining } = course;
  return [
    `${outcome}${failure === undefined ? '' : ` ${failure}`}`,
    ...listed('', steps.map(stepLine)),
    ...listed('undo: ', compensations.map(stepLine)),
    ...listed(
      'remains: ',
      remaining.map(({ stepId, kind }) => `${stepId} ${kind}`),
    ),
    `POSTs: ${posts.join(', ') || 'none'}`,
    stateLine(final),
  ].join(' · ');
}

function listed(before: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${before}${items.join(', ')}`];
}

/** `stop succeeded/yes`, with the failure's name and whether the cloud job was adopted. */
function stepLine({ id, result, sent, failure, evidence }: StepReport): string {
  const name = failure === undefined ? '' : ` ${failure.name}`;
  return `${id} ${result}/${sent}${name}${evidence === undefined ? '' : ' adopted'}`;
}

/** `RUNNING 2/2 1.4.1` */
export function stateLine({ status, availableReplica, replica, version }: ShownState): string {
  return `${status} ${availableReplica}/${replica} ${version}`;
}
