/** The failure table: every name that a failure can have, when it occurs, whether Temporal tries again, and what to do. docs/failures.md is generated from it. */
import { printable } from './text/text.js';
import { CLOCK_ADVICE, namesClock } from './time/clock-problem.js';

/** May ServiceStage have acted for this step, in any of its attempts? */
export type Sent = 'no' | 'yes' | 'unknown';

/** One line of the failure table. Its texts are for people. */
export interface FailureRule {
  /** When the failure occurs. */
  readonly when: string;
  /** Does Temporal try again? */
  readonly retryable: boolean;
  readonly whoActsNext: string;
  /** What to do about it. It is part of each report. */
  readonly advice: string;
}

/** Every failure by its name. Names and advice are in reports, so users may rely on the names. */
export const FAILURES = {
  UnknownRunbook: {
    when: 'no runbook has the name of the workflow type',
    retryable: false,
    whoActsNext: 'the caller',
    advice:
      'Start a runbook that the worker knows. If `runbook list` shows this one on your machine, the worker reads other folders: set RUNBOOK_DIR for the worker and restart it.',
  },
  InvalidPlan: {
    when: 'start arguments, inputs, targets, versions or the runbook file do not fit',
    retryable: false,
    whoActsNext: 'the caller',
    advice: 'Fix every problem listed, then start again. Nothing was touched.',
  },
  InvalidStep: {
    when: 'ServiceStage refuses the action (400, 422)',
    retryable: false,
    whoActsNext: 'the author of the runbook',
    advice:
      "Compare the action and its parameters with the instance. The message has the vendor's error code and text.",
  },
  NotAllowed: {
    when: '403, or a 401 that a new token does not fix',
    retryable: false,
    whoActsNext: 'the person who grants access',
    advice:
      'Check the credentials and their permissions. Do not retry a wrong access key: five failures lock it for five minutes.',
  },
  TargetNotFound: {
    when: 'the instance does not exist (404, 401 with SVCSTG.00100401) or is deleted',
    retryable: false,
    whoActsNext: 'an operator',
    advice: "Check the target's name. `runbook plan` looks it up without touching anything.",
  },
  TargetBusy: {
    when: 'a cloud job is in flight on the instance, or another run holds its lease',
    retryable: true,
    whoActsNext: 'wait',
    advice: 'Wait until the other cloud job or run has ended, then start again.',
  },
  TargetChanged: {
    when: 'a cloud job that is not ours appeared on the instance since it was last read',
    retryable: false,
    whoActsNext: 'an operator',
    advice:
      'Somebody else acted on the instance. Check it, agree with them what to do, then start again or finish by hand.',
  },
  Throttled: {
    when: '429, or the request budget stayed used up for too long',
    retryable: true,
    whoActsNext: 'wait',
    advice: 'The run continues by itself. If this happens often, lower SERVICESTAGE_REQUESTS_PER_SECOND.',
  },
  Unreachable: {
    when: 'connection refused, DNS, TLS, a gateway rejection, or any failed read; also where a step could not be verified by its deadline',
    retryable: true,
    whoActsNext: 'wait',
    advice:
      'The run continues by itself once ServiceStage answers. If it does not, check the endpoint and the network.',
  },
  Unanswered: {
    when: 'a POST got no readable answer, and no new cloud job was found',
    retryable: true,
    whoActsNext: 'the next attempt, which reads first',
    advice: 'Check the instance in the console: the action may or may not have been accepted.',
  },
  Indeterminate: {
    when: 'a POST may have been sent, and readings do not show whether it was',
    retryable: false,
    whoActsNext: 'an operator',
    advice:
      'Check the instance and its newest cloud job in the console, decide whether the action happened, and finish by hand; `runbook resume` shows whether readings have settled it.',
  },
  CloudJobFailed: {
    when: 'the cloud job ended FAILED, PARTIALLY_FAILED, CANCELLED or ROLLBACKED',
    retryable: false,
    whoActsNext: "the step's onFailure",
    advice: "The message has the reason that ServiceStage gives. The console's event log may say more.",
  },
  CloudJobOverdue: {
    when: "the cloud job was in flight or unclear at the step's deadline, or the API does not know it",
    retryable: false,
    whoActsNext: 'an operator',
    advice: 'Check the cloud job in the console. If it usually takes this long, give the step a longer deadline.',
  },
  NotConverged: {
    when: 'the cloud job succeeded, but the instance did not reach the desired state, or did not stay in it',
    retryable: false,
    whoActsNext: "the step's onFailure",
    advice:
      'Read the instance again (runbook targets PATH). If it is still not as the step wants it, its events and logs in the console may say why.',
  },
  CheckFailed: {
    when: 'the answer that a check of the runbook wants did not appear in time, or did not hold, or its host is not allowed',
    retryable: false,
    whoActsNext: "the step's onFailure; before the first action nothing is begun",
    advice: 'The message has what was wanted and what came. Find out why the URL answers so, then start again.',
  },
  UnreadableAnswer: {
    when: 'a read got an answer of an undocumented shape, or was refused as invalid (400, 422)',
    retryable: true,
    whoActsNext: 'the maintainers: the API changed',
    advice: 'Report the message to the maintainers: it contains what was expected and where.',
  },
  WorkerStopped: {
    when: 'the worker process stopped while the attempt ran, or the activity was paused or reset',
    retryable: true,
    whoActsNext: 'another worker; for a paused activity, who paused it',
    advice: 'The run continues by itself as soon as a worker runs. If the activity was paused, unpause it.',
  },
  OtherProject: {
    when: 'the worker serves another ServiceStage project than the one that the run was planned for',
    retryable: true,
    whoActsNext: "a worker of the run's project",
    advice:
      'Run a worker of that project on this task queue: the run continues by itself. Give each project a task queue of its own.',
  },
  DeadlinePassed: {
    when: 'the deadline of the run or of a step passed before the action was sent, or during a wait or a check',
    retryable: false,
    whoActsNext: 'the run, which settles and then undoes what it may',
    advice: 'If the run usually takes this long, give it a longer deadline.',
  },
  OutsideWindow: {
    when: 'a target was due outside its maintenance window or too late in it for its steps, or its first action after the cut-off',
    retryable: false,
    whoActsNext: 'the caller',
    advice:
      'Start again within the window, or let the run wait for it (waitAtMost in a file or a program, --wait-at-most on the command line). If its steps do not fit, make the window longer, or let it begin all the same (fit: false, --no-fit). Targets that had been started were finished.',
  },
  ChangeFreeze: {
    when: 'a target, or its first action, was due while a calendar of the run was frozen or could not be read',
    retryable: false,
    whoActsNext: 'the caller, or the person who keeps the calendar',
    advice:
      'Start again after the freeze, or let the run wait (waitAtMost in a file or a program, --wait-at-most on the command line). A calendar that cannot be read counts as frozen: fix it.',
  },
  ApprovalRejected: {
    when: 'a person rejected what the run, or a step, asked to be approved',
    retryable: false,
    whoActsNext: 'the requester',
    advice: 'Read the reason and agree with the person who rejected it. Then start again.',
  },
  ApprovalExpired: {
    when: 'too few people approved before the time of the approval was over',
    retryable: false,
    whoActsNext: 'the requester',
    advice: 'Ask the approvers, then start again. `runbook watch` shows what is waited for and the command to type.',
  },
  CommandRejected: {
    when: 'a message to a workflow is invalid, or came while the workflow could not take it',
    retryable: false,
    whoActsNext: 'the sender',
    advice: 'It changed nothing. The text explains what is invalid, or that it can be sent again at once.',
  },
  InvalidStart: {
    when: 'a workflow was started in a way that would bypass the lease on an instance, or the memory of an alarm rule; or a schedule or an alarm rule started a runbook for emergencies',
    retryable: false,
    whoActsNext: 'the caller',
    advice:
      'Start the runbook by its own name, with an id that does not begin with the prefix of leases or of alarm rules. Only a person starts one with emergency: true.',
  },
} as const satisfies Record<string, FailureRule>;

/** The name of a failure, as reports and `ApplicationFailure.type` have it. */
export type FailureName = keyof typeof FAILURES;

/** Is it a name of the failure table? */
export function isFailureName(name: unknown): name is FailureName {
  return typeof name === 'string' && Object.hasOwn(FAILURES, name);
}

/** A failure in a report. */
export interface FailureRecord {
  readonly name: FailureName;
  readonly message: string;
  readonly advice: string;
}

/** @param message what happened this time, for people */
export function failureRecord(name: FailureName, message: string): FailureRecord {
  return { name, message, advice: adviceFor(name, message) };
}

/** The table's advice. Where a signature was refused for its time, the clock comes first: it may be the whole cause. */
function adviceFor(name: FailureName, message: string): string {
  const { advice } = FAILURES[name];
  return name === 'NotAllowed' && namesClock(message) ? `${CLOCK_ADVICE} ${advice}` : advice;
}

/** The longest advice that a failure can have, to work out how long reports can get. */
export function longestAdvice(): string {
  const texts = Object.values(FAILURES).map(({ advice }) => advice);
  return [...texts, `${CLOCK_ADVICE} ${FAILURES.NotAllowed.advice}`].reduce((longest, text) =>
    text.length > longest.length ? text : longest,
  );
}

/** One thing that is wrong with a file, with start arguments or with the configuration. Its texts are for people. */
export interface Problem {
  /** A file with line and column, a path in the start arguments, or the name of a variable. */
  readonly place: string;
  /** What is wrong. */
  readonly found: string;
  /** How to fix it. */
  readonly remedy: string;
  /** A code that does not change, such as `unknown-key`. */
  readonly code: string;
}

/** How many problems are listed at most: all are in one message, and finding the place of each takes time. Chosen. */
export const MOST_PROBLEMS = 50;

/** On one line for people: `recover.yaml:7:14 steps.0.verison: unknown key "verison". Use one of: …`. */
export function describeProblem({ place, found, remedy }: Problem): string {
  return printable(`${place}: ${found}. ${remedy}`);
}
