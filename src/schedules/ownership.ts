/** The owner of a schedule and what was last applied to it, kept in the memo of its action: no update can write the schedule's own memo. */
import type { ScheduleDescription } from '@temporalio/client';
import { toJson, type Json } from './changes.js';

/** Key in the memo of the action, and so of every run that the schedule starts. */
export const OWNERSHIP_MEMO = 'runbookSchedule';
/** Raised when the same entry is written in another way, so that `apply` writes it again. */
export const OWNERSHIP_FORMAT = 2;

/** What the memo of a schedule keeps about the file that made it. */
export interface Ownership {
  readonly format: number;
  readonly owner: string;
  readonly name: string;
  /** What the file defined. */
  readonly definition: Json;
  /** What the server describes of it, as long as no one else writes: see `describedForm`. */
  readonly applied: Json;
  /** Id of the apply that wrote it. */
  readonly applyId: string;
}

/** `null` for a schedule that no file made. */
export function ownershipOf(description: ScheduleDescription): Ownership | null {
  const memo: unknown = description.action.memo?.[OWNERSHIP_MEMO];
  if (typeof memo !== 'object' || memo === null) return null;
  const { format, owner, name, definition, applied, applyId } = memo as Partial<Ownership>;
  const isOurs = description.scheduleId === `${owner}/${name}` && definition !== undefined && applied !== undefined;
  if (!isOurs || typeof format !== 'number' || typeof applyId !== 'string') return null;
  return { format, owner: owner ?? '', name: name ?? '', definition, applied, applyId };
}

/**
 * A description without what operators change (whether it is paused, and the note) and without our own memo. What is about to be written is brought
 * into the form in which the server returns it, so that the two can be compared.
 */
export function describedForm({
  spec,
  policies,
  action,
  state,
}: Pick<ScheduleDescription, 'spec' | 'policies' | 'action'> & { state: { remainingActions?: number } }): Json {
  const { [OWNERSHIP_MEMO]: _ours, ...memo } = action.memo ?? {};
  const [first, ...further] = (action.args ?? []) as readonly unknown[];
  return toJson({
    when: spec.calendars?.map(calendarText),
    intervals: spec.intervals,
    skip: spec.skip?.map(calendarText),
    startAt: spec.startAt,
    endAt: spec.endAt,
    jitterMs: spec.jitter ?? 0,
    timezone: spec.timezone,
    overlap: policies.overlap,
    catchupWindowMs: policies.catchupWindow,
    pauseOnFailure: policies.pauseOnFailure,
    limitedActions: state.remainingActions !== undefined,
    runbook: action.workflowType,
    workflowId: action.workflowId,
    taskQueue: action.taskQueue,
    arguments: first,
    furtherArguments: further,
    summary: action.staticSummary,
    details: action.staticDetails,
    memo,
    retry: action.retry,
    executionTimeoutMs: action.workflowExecutionTimeout,
    runTimeoutMs: action.workflowRunTimeout,
    taskTimeoutMs: action.workflowTaskTimeout,
  });
}

/** As the server normalises it. */
export type DescribedCalendar = NonNullable<ScheduleDescription['spec']['calendars']>[number];

/** `0 30 2 * * MONDAY-FRIDAY *`: second, minute, hour, day of month, month, day of week, year. Its comment means nothing. */
function calendarText({ second, minute, hour, dayOfMonth, month, dayOfWeek, year }: DescribedCalendar): string {
  return [
    rangesText(second, 0, 59),
    rangesText(minute, 0, 59),
    rangesText(hour, 0, 23),
    rangesText(dayOfMonth, 1, 31),
    rangesText(month, 'JANUARY', 'DECEMBER'),
    rangesText(dayOfWeek, 'SUNDAY', 'SATURDAY'),
    year.length === 0 ? '*' : rangesText(year, Number.NaN, Number.NaN),
  ].join(' ');
}

function rangesText<Unit extends string | number>(
  ranges: readonly { start: Unit; end: Unit; step: number }[],
  first: Unit,
  last: Unit,
): string {
  return ranges
    .map(({ start, end, step }) => {
      const range = start === first && end === last ? '*' : start === end ? `${start}` : `${start}-${end}`;
      return step > 1 && start !== end ? `${range}/${step}` : range;
    })
    .join(',');
}
