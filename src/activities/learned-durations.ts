/** Learns how long cloud jobs take from the reports of earlier runs, so that a worker that has just started knows what the others know. */
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { OUTCOME_SEARCH_ATTRIBUTE, REPORT_MEMO } from '../domain/contract.js';
import type { Durations, EndedBetween, JobKind } from '../domain/durations/durations.js';
import { jobKindOf } from '../domain/durations/job-kind.js';
import { LONGEST } from '../domain/report/cut-report.js';
import { ACTION_NAMES } from '../domain/target/actions.js';
import { PAGE_SIZE } from './past-runs.js';
import { quoted } from '../temporal/visibility-query.js';
import { withReadableMemos } from '../temporal/readable-memos.js';

/** Chosen: enough for some fifty components with a run each night of a week, and read within a second or two. */
const MOST_RUNS = 300;
const LONGEST_MS = 10_000;

/** What was read. */
export interface Learned {
  readonly runs: number;
  readonly cloudJobs: number;
}

/**
 * Adds what the newest runs on a task queue show, in the order in which the steps began, because what is added last weighs most. Only a run of a runbook has an outcome, so
 * leases, alarm rules and workflows of others are not listed. If the listing breaks off, what was read before counts.
 *
 * @throws whatever the listing throws: the server cannot be reached
 */
export async function learnFromReports(client: Client, taskQueue: string, durations: Durations): Promise<Learned> {
  const took: Took[] = [];
  let runs = 0;
  const query = `${OUTCOME_SEARCH_ATTRIBUTE} IS NOT NULL AND TaskQueue = ${quoted(taskQueue)}`;
  const endAtMs = Date.now() + LONGEST_MS;
  try {
    await client.withDeadline(endAtMs, async () => {
      for await (const { memo } of withReadableMemos(client).list({ query, pageSize: PAGE_SIZE })) {
        took.push(...cloudJobsIn(memo?.[REPORT_MEMO]));
        if (++runs === MOST_RUNS || Date.now() >= endAtMs) break;
      }
    });
  } finally {
    took.sort((one, other) => one.startedAtMs - other.startedAtMs);
    for (const { kind, cloudJobId, ended } of took) durations.ended(kind, cloudJobId, ended);
  }
  return { runs, cloudJobs: took.length };
}

interface Took {
  readonly kind: JobKind;
  readonly startedAtMs: number;
  readonly cloudJobId: string;
  readonly ended: EndedBetween;
}

const age = z.number().nonnegative();
/** What is read of a step. Others, such as waits and steps whose cloud job was not seen to end, do not have all of it. */
const stepThatTook = z.object({
  action: z.object({ action: z.enum(ACTION_NAMES) }),
  cloudJobId: z.string().max(LONGEST.id),
  startedAtMs: z.number(),
  cloudJobTook: z.object({ runningAtMs: age, endedByMs: age }).refine((took) => took.runningAtMs <= took.endedByMs),
});
/** What is read of a report. A memo may hold anything, so each step is checked by itself. */
const someReport = z.object({
  targets: z.array(
    z.object({ path: z.string().max(LONGEST.path), steps: z.array(z.unknown()), compensations: z.array(z.unknown()) }),
  ),
});

/** The cloud jobs whose duration a report shows; none if it is not a report. */
function cloudJobsIn(report: unknown): Took[] {
  const read = someReport.safeParse(report);
  if (!read.success) return [];
  return read.data.targets.flatMap(({ path, steps, compensations }) =>
    [...steps, ...compensations].flatMap((step): Took[] => {
      const { success, data } = stepThatTook.safeParse(step);
      if (!success) return [];
      const { action, startedAtMs, cloudJobId, cloudJobTook } = data;
      return [{ kind: jobKindOf(action.action, path), startedAtMs, cloudJobId, ended: cloudJobTook }];
    }),
  );
}
