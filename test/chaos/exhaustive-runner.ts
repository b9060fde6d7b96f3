/** Runs many cases in parallel on one worker: each activity uses the world of its case, which the target's application names. */
import { currentRunId } from '../../src/activities/observe-target.js';
import { randomInt, randomUUID } from 'node:crypto';
import { Client, WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { temporalAccess, type TemporalAccess } from '../../src/activities/temporal-access.js';
import type { Activities } from '../../src/domain/contract.js';
import { REPORT_MEMO } from '../../src/domain/contract.js';
import type { RunReport } from '../../src/domain/report/report.js';
import type { AcceptedAction, ShownInstance } from '../support/simulator.js';
import { unobserved } from '../support/unobserved.js';
import { startCaseWorld, type CaseWorld } from './exhaustive-case-world.js';
import type { Case } from './exhaustive-cases.js';

/** Cases that run at the same time, because a case mostly waits. */
const AT_ONCE = 24;
/** The longest a case may take; far more than any needs. */
const CASE_LIMIT_MS = 240_000;
const MOST_TRIES = 3;

export interface TemporalPlace {
  readonly address: string;
  /** The file of the workflow bundle. */
  readonly bundlePath: string;
}

/** The result of a case, seen from outside. */
export interface CaseResult {
  readonly case: Case;
  /** `null` if the run did not end in time or left no report. */
  readonly report: RunReport | null;
  /** Our own accepted POSTs, in order. */
  readonly accepted: readonly AcceptedAction[];
  readonly final: ShownInstance;
  /** Routes of all requests, in order. */
  readonly requests: readonly string[];
  /** When the armed fault hit; epoch milliseconds of this machine. */
  readonly hitAtMs: readonly number[];
}

/** @param onResult is called with the result of each case */
export async function runCases(
  cases: readonly Case[],
  place: TemporalPlace,
  onResult: (result: CaseResult) => void = () => {},
): Promise<CaseResult[]> {
  const runner = await startRunner(place);
  const results = new Map<Case, CaseResult>();
  // Cases that wait for a deadline go first, so that the suite does not end with them.
  const waiting = [...cases].sort((left, right) => Number(right.shortStep !== null) - Number(left.shortStep !== null));
  const runNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const result = await runAsMeant(runner, next);
      results.set(next, result);
      onResult(result);
    }
  };
  try {
    await Promise.race([runner.stopped, Promise.all(Array.from({ length: AT_ONCE }, runNext))]);
  } finally {
    await runner.close();
  }
  return cases.flatMap((one) => results.get(one) ?? []);
}

/** A machine that stalls between two statements can cost a run one of its readings; such a case is run again. */
async function runAsMeant(runner: Runner, one: Case): Promise<CaseResult> {
  for (let tries = 1; ; tries++) {
    const result = await runner.run(one);
    if (tries === MOST_TRIES || !(hitElsewhere(result) || ranOutBeforeItBegan(result))) return result;
  }
}

/** True if the armed fault hit another step than intended, because the run made other requests before it than expected. */
export function hitElsewhere({ case: one, report, hitAtMs }: CaseResult): boolean {
  const target = report?.targets[0];
  const meant = [...(target?.steps ?? []), ...(target?.compensations ?? [])].find(({ id }) => id === one.place);
  return meant !== undefined && hitAtMs.some((atMs) => atMs < meant.startedAtMs || atMs > meant.endedAtMs);
}

/** True if the step with the short deadline did not begin in time, which happens on a machine under load. */
function ranOutBeforeItBegan({ case: { shortStep }, report }: CaseResult): boolean {
  const short = report?.targets[0]?.steps.find(({ action }) => action?.action === shortStep);
  return shortStep !== null && short?.sent === 'no' && short.failure?.name === 'DeadlinePassed';
}

interface Runner {
  /** Rejects if the worker ends before it is stopped. */
  readonly stopped: Promise<never>;
  run(one: Case): Promise<CaseResult>;
  close(): Promise<void>;
}

async function startRunner({ address, bundlePath }: TemporalPlace): Promise<Runner> {
  const taskQueue = `exhaustive-${randomUUID()}`;
  const plain = await ClosableConnection.connect({ address });
  const client = new Client({ connection: plain });
  const connection = await NativeConnection.connect({ address });
  const worlds = new Map<string, CaseWorld>();
  const temporal = temporalAccess(client);
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath: bundlePath },
    sinks: unobserved,
    activities: { ...dispatching(worlds, temporal) },
    maxHeartbeatThrottleInterval: 200,
    // Parent and child of every running case: a workflow that left the cache would be replayed.
    maxCachedWorkflows: 4 * AT_ONCE,
  });
  const running = worker.run();
  // Instance ids are made from the seed and lease ids from instance ids, so runs on one Temporal server must use different seeds.
  const firstSeed = randomInt(2 ** 30);
  let begun = 0;
  const stopped = running.then(() => {
    throw new Error('The worker stopped before the cases were over');
  });
  // Every caller that awaits it gets the rejection; after closing none does.
  stopped.catch(() => {});
  return {
    stopped,
    run: async (one) => {
      const name = `case-${++begun}`;
      const world = await startCaseWorld(one, name, firstSeed + begun, temporal);
      worlds.set(name, world);
      try {
        return await outcomeOf(one, world, await reportOf(client, taskQueue, one, world));
      } finally {
        worlds.delete(name);
        await world.close();
      }
    },
    close: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running.catch(() => {}); // `stopped` reports it.
      await connection.close();
      await plain.close();
    },
  };
}

function dispatching(worlds: ReadonlyMap<string, CaseWorld>, temporal: TemporalAccess): Activities {
  const of = (path: string): Activities => {
    const world = worlds.get(path.split('/')[0] ?? '');
    if (world === undefined) throw new Error(`The case of ${path} is over`);
    return world.activities;
  };
  return {
    makePlan: (runbook, startArguments) => of(firstTarget(startArguments)).makePlan(runbook, startArguments),
    readFreezes: async () => ({ freezes: [], unreadable: [] }),
    describeLease: (leaseId) => temporal.describeLease(leaseId),
    findRuns: (asked) => temporal.findRuns(asked),
    verifyApproval: () => Promise.reject(new Error('No case asks for an approval')),
    observeTarget: (target, ...rest) => of(target.path).observeTarget(target, ...rest),
    currentRunId: async (originalRunId) => currentRunId(originalRunId),
    performAction: (request) => of(request.target.path).performAction(request),
    settleTarget: (request) => of(request.target.path).settleTarget(request),
    performCheck: () => Promise.reject(new Error('No case has a check')),
    notify: async () => [],
  };
}

function firstTarget(startArguments: unknown): string {
  return (startArguments as { readonly targets: readonly string[] }).targets[0] ?? '';
}

async function reportOf(
  client: Client,
  taskQueue: string,
  { id, scenario }: Case,
  { path }: CaseWorld,
): Promise<RunReport | null> {
  const handle = await client.workflow.start(scenario.runbook, {
    workflowId: `${id.replaceAll(/[^a-zA-Z0-9/#-]+/g, '-')}/${randomUUID().slice(0, 8)}`,
    taskQueue,
    args: [{ targets: [path], inputs: scenario.inputs }],
    workflowExecutionTimeout: CASE_LIMIT_MS,
  });
  try {
    return (await handle.result()) as RunReport;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { memo } = await handle.describe();
    return (memo?.[REPORT_MEMO] as RunReport | undefined) ?? null;
  }
}

async function outcomeOf(one: Case, { control, instanceId }: CaseWorld, report: RunReport | null): Promise<CaseResult> {
  const accepted = (await control.accepted(instanceId)).filter(({ byConsole }) => !byConsole);
  const faults = one.fault === null ? [] : await control.faults();
  const { requests } = await control.requests();
  return {
    case: one,
    report,
    accepted,
    final: await control.instance(instanceId),
    requests: requests.map(({ route }) => route),
    hitAtMs: faults.flatMap(({ hitAtMs }) => hitAtMs),
  };
}
