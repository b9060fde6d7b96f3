/** `createActivities(deps)`: the activities of the contract, with their dependencies handed in. */
import type { RunbookLookup } from '../runbooks/catalogue.js';
import type { Calendars } from '../calendars/calendars.js';
import type { ActionName } from '../domain/target/actions.js';
import type { Activities } from '../domain/contract.js';
import { PLANNING_HEARTBEAT_TIMEOUT_MS, SHORT_READ_LIMITS, type Limits } from '../domain/once/limits.js';
import type { VerifyDefaults } from '../domain/runbook/runbook-checks.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { beating } from './beating.js';
import { makePlan } from './make-plan.js';
import { observeTarget } from './observe-target.js';
import { performAction, settleTarget } from './perform-action.js';
import { readFreezes } from './read-freezes.js';
import type { TemporalAccess } from './temporal-access.js';
import { withinScheduleToClose } from './within-schedule-to-close.js';

export interface ActivityDependencies {
  readonly serviceStage: ServiceStage;
  /** Read anew at each call, so that a dropped-in file is there at the next start. */
  readonly findRunbook: (name: string) => Promise<RunbookLookup>;
  /** Read anew at each call as well. */
  readonly calendars: Calendars;
  readonly limits: Limits;
  /** Overrides of the action table's usual durations. */
  readonly usualDurationsMs: Partial<Record<ActionName, number>>;
  /** Where a runbook does not say. */
  readonly verify: VerifyDefaults;
  readonly temporal: TemporalAccess;
}

/** A local activity of `proxies.ts` with these retries. */
function shortRead<Given extends unknown[], Result>(act: (...given: Given) => Promise<Result>) {
  return withinScheduleToClose(SHORT_READ_LIMITS.longestPauseMs, act);
}

/** The activities of one worker process. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const { serviceStage, temporal } = dependencies;
  return {
    makePlan: (runbook, startArguments) =>
      beating(PLANNING_HEARTBEAT_TIMEOUT_MS, () => makePlan(dependencies, runbook, startArguments)),
    readFreezes: shortRead((names, fromMs, toMs) => readFreezes(dependencies.calendars, names, fromMs, toMs)),
    describeLease: shortRead((leaseId) => temporal.describeLease(leaseId)),
    findRuns: (asked) => temporal.findRuns(asked),
    observeTarget: shortRead((target, limits, originalRunId) =>
      observeTarget(serviceStage, target, limits, originalRunId),
    ),
    performAction: (request) => performAction(dependencies, request),
    settleTarget: (request) => settleTarget(dependencies, request),
  };
}
