/** What the worker hands to its activities. */
import type { Approvers } from '../approvers/approvers.js';
import type { Calendars } from '../calendars/calendars.js';
import type { CheckAnswer } from '../domain/checks/check.js';
import type { JobKind } from '../domain/durations/durations.js';
import type { UsualDuration } from '../domain/durations/usual-duration.js';
import type { Limits } from '../domain/once/limits.js';
import type { RefusalOfUrl } from '../domain/plan/plan-check.js';
import type { VerifyDefaults } from '../domain/runbook/runbook-checks.js';
import type { ActionName } from '../domain/target/actions.js';
import type { Notifier } from '../notifications/notifier.js';
import type { RunbookLookup } from '../runbooks/lookups.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import type { CloudJobWatch } from './cloud-job-watch.js';
import type { ActivityObserver } from './observer.js';
import type { TemporalAccess } from './temporal-access.js';

interface CheckOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether an answer is the wanted one, for traces. */
  readonly isMet: (answer: CheckAnswer) => boolean;
}

/** What checks ask with; `network/check-client.ts` is one. */
export interface CheckAccess {
  readonly refusalOf: RefusalOfUrl;
  /** Sends one GET. @throws the signal's own reason, nothing else */
  get(url: string, options: CheckOptions): Promise<CheckAnswer>;
}

/** What the activities need from the worker. */
export interface ActivityDependencies {
  readonly serviceStage: ServiceStage;
  readonly checks: CheckAccess;
  /** Reads the file at each call, so that a new file takes effect at the next start. */
  readonly findRunbook: (name: string) => Promise<RunbookLookup>;
  /** Read at each call as well. */
  readonly calendars: Calendars;
  readonly limits: Limits;
  /** What this worker has learned of a kind of cloud job; `null`: nothing. Plans record it. */
  readonly usualDurations: (kind: JobKind) => UsualDuration | null;
  /** Overrides of the action table's usual durations, used where nothing was learned. */
  readonly usualDurationsMs: Partial<Record<ActionName, number>>;
  /** How long a blocked target waits for an operator where the runbook does not say, milliseconds. */
  readonly operatorWaitMs: number;
  /** Whose signatures count for approvals; `null`: approvals are not signed. */
  readonly approvers: Approvers | null;
  /** Used if a runbook does not set them. */
  readonly verify: VerifyDefaults;
  readonly temporal: TemporalAccess;
  readonly watch: CloudJobWatch;
  /** Other projects whose workers took work from the same task queue a moment ago. Absent: not known. */
  readonly otherProjects?: () => Promise<readonly string[]>;
  /** Absent: there are no webhooks. */
  readonly notifier?: Notifier;
  /** Absent: nothing is reported. */
  readonly observer?: ActivityObserver;
}
