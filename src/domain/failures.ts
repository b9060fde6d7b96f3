/** The failure table: every name a failure can have, whether ServiceStage acted, who acts next. Both sides read it. */
import { printable } from './text/text.js';
import { CLOCK_ADVICE, namesClock } from './time/clock-problem.js';

/** May ServiceStage have acted for this step, over all its attempts? */
export type Sent = 'no' | 'yes' | 'unknown';

export interface FailureRule {
  readonly when: string;
  /** May Temporal try again? */
  readonly retryable: boolean;
  readonly whoActsNext: string;
  /** What to do, for the report and docs/operations.md. */
  readonly advice: string;
}

export const FAILURES = {
  UnknownRunbook: {
    when: 'no runbook has the name of the workflow type',
    retryable: false,
    whoActsNext: 'the caller',
    advice:
      'Start one of the runbooks that the worker knows. Where `runbook list` shows it here, the worker reads other folders: set RUNBOOK_DIR for the worker and restart it.',
  },
  InvalidPlan: {
    when: 'start arguments, inputs, targets, versions or the runbook file do not fit',
    retryable: false,
    whoActsNext: 'the caller',
    advice: 'Mend every problem listed, then start again; nothing was touched.',
  },
  InvalidStep: {
    when: 'ServiceStage refuses what was asked (400, 422)',
    retryable: false,
    whoActsNext: 'the author of the runbook',
    advice: "Compare the action and its parameters with the instance; the vendor's code and text stand in the message.",
  },
  NotAllowed: {
    when: '403, or a 401 that renewing the token does not mend',
    retryable: false,
    whoActsNext: 'who grants access',
    advice:
      'Check the credentials and their permissions. Do not retry a wrong access key: five failures lock it for five minutes.',
  },
  TargetNotFound: {
    when: 'the instance does not exist (404, 401 with SVCSTG.00100401) or is deleted',
    retryable: false,
    whoActsNext: 'an operator',
    advice: "Check the target's name; `runbook plan` resolves it without touching anything.",
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
    advice: 'Somebody else acted on the instance. Look at it, agree with them, then start again or finish by hand.',
  },
  Throttled: {
    when: '429, or the request budget did not open in time',
    retryable: true,
    whoActsNext: 'wait',
    advice: 'The run goes on by itself. Lower SERVICESTAGE_REQUESTS_PER_SECOND when this happens often.',
  },
  Unreachable: {
    when: 'connection refused, DNS, TLS, a gateway rejection, or any failed read; also where a step could not be verified by its deadline',
    retryable: true,
    whoActsNext: 'wait',
    advice: 'The run goes on by itself once ServiceStage answers. Check the endpoint and the network when it lasts.',
  },
  Unanswered: {
    when: 'a POST got no readable answer and reading found no new cloud job',
    retryable: true,
    whoActsNext: 'the next attempt, which reads first',
    advice: 'Look at the instance in the console: the action may or may not have been accepted.',
  },
  Indeterminate: {
    when: 'a POST may have been sent and reading cannot tell',
    retryable: false,
    whoActsNext: 'an operator',
    advice:
      'Look at the instance and its newest cloud job in the console, decide whether the action happened, and finish by hand.',
  },
  CloudJobFailed: {
    when: 'the cloud job ended FAILED, PARTIALLY_FAILED, CANCELLED or ROLLBACKED',
    retryable: false,
    whoActsNext: "the step's onFailure",
    advice: "The reason ServiceStage gives stands in the message; the console's event log may say more.",
  },
  CloudJobOverdue: {
    when: "the cloud job was in flight or unclear at the step's deadline, or stays unknown to the API",
    retryable: false,
    whoActsNext: 'an operator',
    advice: 'Look at the cloud job in the console. Give the step a longer deadline when it usually takes this long.',
  },
  NotConverged: {
    when: 'the cloud job succeeded, but the instance did not reach or hold the desired state',
    retryable: false,
    whoActsNext: "the step's onFailure",
    advice: "Look at the instance's events and logs: it does not become healthy.",
  },
  UnreadableAnswer: {
    when: 'a read answered 2xx in an undocumented shape, or was refused as wrongly asked (400, 422)',
    retryable: true,
    whoActsNext: 'the maintainers: the API changed',
    advice: 'Report the message, which says what was expected and where.',
  },
  WorkerStopped: {
    when: 'the worker process stopped while the attempt ran',
    retryable: true,
    whoActsNext: 'another worker',
    advice: 'The run goes on by itself as soon as a worker runs.',
  },
  DeadlinePassed: {
    when: "the run's deadline ran out between steps",
    retryable: false,
    whoActsNext: 'the run: it settles, then undoes what it may',
    advice: 'Give the run a longer deadline when it usually takes this long.',
  },
  OutsideWindow: {
    when: 'a target was to be begun before its maintenance window opened, or its first action to be sent after the cut-off',
    retryable: false,
    whoActsNext: 'the caller',
    advice:
      'Start again within the window, or let the run wait for it (waitAtMost in a file or a program, --wait-at-most on the command line). Targets that had begun were finished.',
  },
  ChangeFreeze: {
    when: 'a target was to be begun, or its first action to be sent, while a calendar of the run is frozen or cannot be read',
    retryable: false,
    whoActsNext: 'the caller, or who keeps the calendar',
    advice:
      'Start again after the freeze, or let the run wait (waitAtMost in a file or a program, --wait-at-most on the command line). A calendar that cannot be read counts as frozen: mend it.',
  },
  CommandRejected: {
    when: 'a message to a workflow does not fit, or came while the workflow could not take it',
    retryable: false,
    whoActsNext: 'who sent it',
    advice: 'Nothing was done for it. The message says what does not fit, or that it can be sent again at once.',
  },
  InvalidStart: {
    when: 'a workflow was started in a way that would lead around the lease, or around the memory of a rule',
    retryable: false,
    whoActsNext: 'the caller',
    advice: 'Start the runbook by its own name, with an id that does not begin with the prefix of leases or of rules.',
  },
} as const satisfies Record<string, FailureRule>;

export type FailureName = keyof typeof FAILURES;

export function isFailureName(name: unknown): name is FailureName {
  return typeof name === 'string' && Object.hasOwn(FAILURES, name);
}

/** What a failure looks like in a report. */
export interface FailureRecord {
  readonly name: FailureName;
  readonly message: string;
  readonly advice: string;
}

export function failureRecord(name: FailureName, message: string): FailureRecord {
  return { name, message, advice: adviceFor(name, message) };
}

/** Of the table; of a refused signature the clock comes first, since it may be the whole cause. */
function adviceFor(name: FailureName, message: string): string {
  const { advice } = FAILURES[name];
  return name === 'NotAllowed' && namesClock(message) ? `${CLOCK_ADVICE} ${advice}` : advice;
}

/** The longest that a failure can have. */
export function longestAdvice(): string {
  const texts = Object.values(FAILURES).map(({ advice }) => advice);
  return [...texts, `${CLOCK_ADVICE} ${FAILURES.NotAllowed.advice}`].reduce((longest, text) =>
    text.length > longest.length ? text : longest,
  );
}

/** One thing wrong with what was given: where, and what would be right. */
export interface Problem {
  /** A file with line and column, a path into the start arguments, or a variable's name. */
  readonly place: string;
  readonly found: string;
  readonly remedy: string;
  /** A stable code such as `unknown-key`. */
  readonly code: string;
}

/** More than anybody mends at once; the place of each takes time, and all go into one message. */
export const MOST_PROBLEMS = 50;

/** On one line: `recover.yaml:7:14 steps.0.verison: unknown key "verison". Use one of: …` */
export function describeProblem({ place, found, remedy }: Problem): string {
  return printable(`${place}: ${found}. ${remedy}`);
}
