/** One wished schedule → what Temporal is asked for. Pure. */
import type { CalendarSpec, ScheduleOptions, ScheduleSpec } from '@temporalio/client';
import type { StartArguments } from '../domain/contract.js';
import { durationMs } from '../domain/duration.js';
import { toJson, type Json } from './changes.js';
import { OWNERSHIP_FORMAT, OWNERSHIP_MEMO, type Ownership } from './ownership.js';
import { windowMs, type WishedSchedule } from './read-schedules.js';
import type { Calendar, ScheduleEntry } from './schedule-file.js';

const OVERLAPS = { skip: 'SKIP', 'buffer-one': 'BUFFER_ONE', 'cancel-other': 'CANCEL_OTHER' } as const;
const LONGEST_SUMMARY = 200;

/** What the file says of a schedule, and what goes into it beside the file: two that are equal need no apply. */
export function definitionOf({ entry }: WishedSchedule, taskQueue: string): Json {
  return toJson({ ...entry, taskQueue });
}

/** The memo of the action says whose it is; `applied` as in `Ownership`. */
export function toScheduleOptions(
  wished: WishedSchedule,
  { taskQueue, applyId, applied }: { taskQueue: string; applyId: string; applied: Json },
): Pick<ScheduleOptions, 'spec' | 'policies' | 'action'> {
  const { owner, name, entry } = wished;
  const definition = definitionOf(wished, taskQueue);
  const ownership: Ownership = { format: OWNERSHIP_FORMAT, owner, name, definition, applied, applyId };
  return {
    spec: specOf(entry),
    policies: {
      overlap: OVERLAPS[entry.overlap],
      // Never longer: what a server that was away made up for later would begin outside its window.
      catchupWindow: windowMs(entry),
      // One failed run must not stop every later one without a word.
      pauseOnFailure: false,
    },
    action: {
      type: 'startWorkflow',
      workflowType: entry.runbook,
      // The server appends the nominal time. Neither ":" nor "/" can stand in the names, so no two schedules share an id.
      workflowId: `${entry.runbook}:${owner}/${name}`,
      taskQueue,
      args: [startArguments(wished)],
      memo: { [OWNERSHIP_MEMO]: ownership },
      staticSummary: `${entry.runbook} on ${entry.targets.join(', ')}`.slice(0, LONGEST_SUMMARY),
    },
  };
}

function startArguments({ id, entry }: WishedSchedule): StartArguments {
  const { targets, inputs, reason, window, cutoff, freeze, waitAtMost } = entry;
  return {
    targets,
    ...(inputs === undefined ? {} : { inputs }),
    requestedBy: `schedule ${id}`,
    ...(reason === undefined ? {} : { reason }),
    window: { duration: window, ...(cutoff === undefined ? {} : { cutoff }) },
    ...(freeze === undefined ? {} : { freeze }),
    ...(waitAtMost === undefined ? {} : { waitAtMost }),
  };
}

function specOf({ cron, calendar, timezone, jitter }: ScheduleEntry): ScheduleSpec {
  return {
    ...(cron === undefined ? {} : { cronExpressions: [cron] }),
    ...(calendar === undefined ? {} : { calendars: [calendarSpec(calendar)] }),
    timezone,
    ...(jitter === undefined ? {} : { jitter: durationMs(jitter) ?? 0 }),
  };
}

/** Only what was given, since an undefined field is not the same as an absent one to the type. */
function calendarSpec(calendar: Calendar): CalendarSpec {
  const given = Object.entries(calendar).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}
