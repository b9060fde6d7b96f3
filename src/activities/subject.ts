/** What an activity is about, for its log lines and spans: its run, target and step, and its cloud job once there is one. */
import { defaultPayloadConverter } from '@temporalio/common';
import { Context, type Info } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { TARGET_RUN_WORKFLOW, type Activities } from '../domain/contract.js';
import { ALARM_RULE_WORKFLOW } from '../domain/alarms/alarm.js';
import type { OnceState } from '../domain/once/state.js';
import { ORIGIN_HEADER, type Origin, type Subject } from '../domain/run/origin.js';

/** What the arguments of each activity show. A closed `Record`, so that an activity without an entry does not compile. */
const SHOWN_BY: { readonly [Name in keyof Activities]: (...given: Parameters<Activities[Name]>) => Subject } = {
  makePlan: () => ({}),
  readFreezes: () => ({}),
  describeLease: () => ({}),
  findRuns: () => ({}),
  verifyApproval: () => ({}),
  observeTarget: ({ path }) => ({ target: path }),
  currentRunId: () => ({}),
  performAction: ({ stepId, target }) => ({ step: stepId, target: target.path }),
  settleTarget: ({ target, left }) => ({ target: target.path, ...cloudJobIn(left) }),
  performCheck: ({ stepId }) => ({ step: stepId }),
  notify: ({ runId }) => ({ runId }),
};

const subjects = new WeakMap<Context, Subject>();

/** What the activity of a context is about; empty before `followSubject` has seen its arguments. */
export function subjectOf(context: Context): Subject {
  return subjects.get(context) ?? {};
}

/** Called as soon as the cloud job of an activity is known. */
export function recordCloudJob(context: Context, cloudJobId: string): void {
  subjects.set(context, { ...subjectOf(context), cloudJobId });
}

/** Adds the subject to every line that an activity, or the SDK about it, logs. Must be the first of the interceptors. */
export const followSubject: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    execute: async (input, next) => {
      subjects.set(context, { ...runOf(context.info), ...sentIn(input.headers), ...shownBy(context.info, input.args) });
      return next(input);
    },
  },
  outbound: {
    getLogAttributes: (attributes, next) => next({ ...attributes, ...subjectOf(context) }),
  },
});

/** A run's own workflow has the id of the run. */
function runOf({ workflowExecution, workflowType }: Info): Origin {
  const isRun = workflowType !== TARGET_RUN_WORKFLOW && workflowType !== ALARM_RULE_WORKFLOW;
  return isRun && workflowExecution !== undefined ? { runId: workflowExecution.workflowId } : {};
}

function sentIn(headers: Readonly<Record<string, Parameters<typeof defaultPayloadConverter.fromPayload>[0]>>): Origin {
  const payload = headers[ORIGIN_HEADER];
  return payload === undefined ? {} : attempt(() => defaultPayloadConverter.fromPayload<Origin>(payload));
}

function shownBy({ activityType, heartbeatDetails }: Info, args: readonly unknown[]): Subject {
  if (!(activityType in SHOWN_BY)) return {};
  const show = SHOWN_BY[activityType as keyof Activities] as (...given: readonly unknown[]) => Subject;
  const isAction = activityType === 'performAction' || activityType === 'settleTarget';
  const before = isAction ? (heartbeatDetails as OnceState | undefined) : undefined;
  return { ...attempt(() => show(...args)), ...attempt(() => cloudJobIn(before)) };
}

function cloudJobIn(state: Pick<OnceState, 'cloudJob'> | undefined): Subject {
  return state?.cloudJob == null ? {} : { cloudJobId: state.cloudJob.id };
}

/** Log lines are no reason to fail for arguments that are not as they should be. */
function attempt(read: () => Subject): Subject {
  try {
    return read();
  } catch {
    return {};
  }
}
