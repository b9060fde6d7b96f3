/** The public API of `servicestage-runbooks`. Loads no native code. */
export type { CatalogueInputs } from './catalogue-inputs.js';
export {
  AccessDenied,
  ClientClosed,
  CommandRejected,
  InvalidRequest,
  InvalidRunId,
  NoReport,
  NotARun,
  NoWorkerAnswers,
  PlanRefused,
  RunAlreadyStarted,
  RunEnded,
  RunIdTaken,
  RunNotFound,
  RunPaused,
  ServerUnreachable,
} from '../temporal/errors.js';
export type { LeaseHolding } from './lease-holding.js';
export type { ListedRun, ListOptions, RunList } from './list-runs.js';
export type { RunFilter } from './run-query.js';
export type { RunSnapshot } from './report-snapshot.js';
export type {
  ConnectOptions,
  PlanOptions,
  RunbookClientOptions,
  RunOptions,
  WaitOptions,
  WatchOptions,
} from './client-options.js';
export { encryptionCodec, type EncryptionOptions } from '../codec/keys-file-codec.js';
export { RunbookClient } from './runbook-client.js';
export { tracingInterceptors } from '../tracing/client-tracing.js';
export type { ApprovalRequest, CommandRequest, TargetCommandRequest } from './send-command.js';
export type { ResumeOptions, Resumption } from './resume-run.js';
export type { InputsOf, PlanRequest, RunbookName, StartOptions, StartRequest } from './start-request.js';
export type { StartedRun } from './start-run.js';
export type { Action, ActionName } from '../domain/target/actions.js';
export {
  DEFAULT_TASK_QUEUE,
  OUTCOME_SEARCH_ATTRIBUTE,
  PROGRESS_QUERY,
  REPORT_MEMO,
  STATE_SEARCH_ATTRIBUTE,
  TARGET_SEARCH_ATTRIBUTE,
  type StartArguments,
  type WindowArguments,
} from '../domain/contract.js';
export {
  FAILURES,
  isFailureName,
  type FailureName,
  type FailureRecord,
  type FailureRule,
  type Sent,
} from '../domain/failures.js';
export type { Freeze, WaitingForGate } from '../domain/gates/gates.js';
export type { AdoptionEvidence } from '../domain/once/state.js';
export type { Decision, TrailEntry } from '../domain/once/trail.js';
export type { Limits } from '../domain/once/limits.js';
export {
  explainSilence,
  type ActivityFacts,
  type Poller,
  type RunFacts,
  type Silence,
  type WorkflowFacts,
} from '../domain/run/run-facts.js';
export type {
  ActionStep,
  ApprovalRules,
  ApprovalStep,
  DoneBefore,
  ExpectedCounts,
  Guards,
  OnCancel,
  OnFailure,
  Plan,
  PlannedCompensation,
  PlannedStep,
  ResumedRun,
  ResumedTarget,
  TargetPlan,
  WaitStep,
} from '../domain/plan/plan.js';
export type {
  ApprovalCommandName,
  CommandName,
  RunCommandName,
  TargetCommandName,
} from '../domain/steering/command-names.js';
export type { CommandAnswer, CommandArguments } from '../domain/steering/commands.js';
export {
  OUTCOMES,
  type ApprovalReport,
  type ApprovalVote,
  type CommandRecord,
  type DecidedUpon,
  type GateReport,
  type Outcome,
  type RemainingEffect,
  type ReportCut,
  type RunName,
  type RunReport,
  type StepReport,
  type StepResult,
  type TargetCut,
  type TargetReport,
} from '../domain/report/report.js';
export type {
  AbortProgress,
  ApprovalProgress,
  BlockedProgress,
  PauseProgress,
  RunProgress,
  StepDoing,
  StepProgress,
  TargetInRun,
  TargetProgress,
} from '../domain/report/progress.js';
export type { Attention } from '../domain/run/attention.js';
export type { LeftBehind } from '../domain/run/left-behind.js';
export { reportHtml } from '../rendering/report-html.js';
export { reportMarkdown } from '../rendering/report-markdown.js';
export type { SeenTask, SeenTasks, TaskState } from '../domain/target/cloud-job-tasks.js';
export type { Observation, Target } from '../domain/target/target.js';
