/** One desired schedule → what Temporal is asked for. Pure. */
import type { ScheduleDescription, ScheduleOptions } from '@temporalio/client';
import type { StartArguments } from '../domain/contract.js';
import { scheduleRequester } from '../domain/run/requester.js';
import { clippedSummary } from '../domain/text/json-bytes.js';
import { durationMs } from '../domain/time/duration.js';
import { toJson, type Json } from './changes.js';
import { describedForm, OWNERSHIP_FORMAT, OWNERSHIP_MEMO, type Ownership } from './ownership.js';
import { windowMs, type DesiredSchedule } from './read-schedules.js';
import type { ScheduleEntry } from './schedule-file.js';
import { calendarOf } from './spelled-out.js';

const OVERLAPS = { skip: 'SKIP', 'buffer-one': 'BUFFER_ONE', 'cancel-other': 'CANCEL_OTHER' } as const;

/** What the file defines of a schedule, and what goes into it beside the file: two that are equal need no apply. */
export function definitionOf({ entry }: DesiredSchedule, taskQueue: string): Json {
  return toJson({ ...entry, taskQueue });
}

type Written = Pick<ScheduleOptions, 'spec' | 'policies' | 'action'>;

/** The memo of the action records whose it is, and what the server will describe of it: `applied`, where that is known better than from here. */
export function toScheduleOptions(
  desired: DesiredSchedule,
  { taskQueue, applyId, applied }: { taskQueue: string; applyId: string; applied?: Json },
): Written {
  const { owner, name, entry } = desired;
  const plain = {
    spec: specOf(entry),
    policies: {
      overlap: OVERLAPS[entry.overlap],
      // Never longer: what a server made up for after an outage would begin outside its window.
      catchupWindow: windowMs(entry),
      // One failed run must not silently stop every later one.
      pauseOnFailure: false,
    },
    action: {
      type: 'startWorkflow' as const,
      workflowType: entry.runbook,
      // The server appends the nominal time. Neither ":" nor "/" can stand in the names, so no two schedules share an id.
      workflowId: `${entry.runbook}:${owner}/${name}`,
      taskQueue,
      args: [startArguments(desired)],
      staticSummary: clippedSummary(`${entry.runbook} on ${entry.targets.join(', ')}`),
    },
  };
  const ownership: Ownership = {
    format: OWNERSHIP_FORMAT,
    owner,
    name,
    definition: definitionOf(desired, taskQueue),
    applied: applied ?? describedForm({ ...plain, state: {} }),
    applyId,
  };
  return { ...plain, action: { ...plain.action, memo: { [OWNERSHIP_MEMO]: ownership } } };
}

function startArguments({ id, entry }: DesiredSchedule): StartArguments {
  const { targets, inputs, reason, window, cutoff, fit, freeze, waitAtMost } = entry;
  return {
    targets,
    ...(inputs === undefined ? {} : { inputs }),
    requestedBy: scheduleRequester(id),
    ...(reason === undefined ? {} : { reason }),
    window: {
      duration: window,
      ...(cutoff === undefined ? {} : { cutoff }),
      ...(fit === undefined ? {} : { fit }),
    },
    ...(freeze === undefined ? {} : { freeze }),
    ...(waitAtMost === undefined ? {} : { waitAtMost }),
  };
}

/** Spelled out, so that the server has nothing left to make of it: what it describes is what was written. */
function specOf({ cron, calendar, timezone, jitter }: ScheduleEntry): ScheduleDescription['spec'] {
  return {
    calendars: [calendarOf({ cron, calendar })],
    intervals: [],
    skip: [],
    timezone,
    ...(jitter === undefined ? {} : { jitter: durationMs(jitter) ?? 0 }),
  };
}
