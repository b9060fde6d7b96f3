/** The cloud of one case: a simulator, a client with its own budget and token, and the activities that use both. */
import { CloudJobWatch } from '../../src/activities/cloud-job-watch.js';
import { Durations } from '../../src/domain/durations/durations.js';
import { createActivities } from '../../src/activities/index.js';
import type { TemporalAccess } from '../../src/activities/temporal-access.js';
import { calendarsIn } from '../../src/calendars/calendars.js';
import { findRunbook } from '../../src/runbooks/catalogue.js';
import type { RunbookLookup } from '../../src/runbooks/lookups.js';
import type { Activities } from '../../src/domain/contract.js';
import { Secret } from '../../src/servicestage/secret.js';
import { createServiceStage } from '../../src/servicestage/service-stage-client.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { quickLimits } from '../support/build.js';
import { controlOf, type Control } from '../support/simulator.js';
import type { Case } from './exhaustive-cases.js';

/**
 * Real milliseconds of a cloud job. By the plain rule the first poll comes 100 ms after the answer, which is always after the job's end, so
 * that a run makes the same number of requests each time. A quiet reading after a lost answer still finds the job in flight.
 */
const CLOUD_JOB_MS = 80;
const DURATIONS_MS = {
  start: CLOUD_JOB_MS,
  stop: CLOUD_JOB_MS,
  restart: CLOUD_JOB_MS,
  scale: CLOUD_JOB_MS,
  rollback: CLOUD_JOB_MS,
};
/** Timeouts are much longer than a slow machine needs: only an armed fault may exceed one. */
const LIMITS = quickLimits({
  readTimeoutMs: 2_000,
  postTimeoutMs: 2_000,
  visibilityWindowMs: 400,
  budgetWaitMs: 1_000,
  credentialsWaitMs: 2_000,
});
/**
 * Two verifying readings where the state must hold, always: `domain/pacing` never waits less than 20 ms, so the second reading comes when the state has held. A reading
 * that hangs outlasts `withinMs`, so the window ends without knowing the instance.
 */
const VERIFY = { withinMs: 1_500, stableMs: 20 };
/** Far longer than a slow machine needs to begin the step. */
const SHORT_DEADLINE = '8s';

export interface CaseWorld {
  readonly control: Control;
  readonly activities: Activities;
  readonly instanceId: string;
  readonly path: string;
  close(): Promise<void>;
}

/**
 * @param name of the application, by which the worker finds the world
 *
 * @param seed makes the instance's id
 */
export async function startCaseWorld(
  { scenario, fault, outcomes, shortStep }: Case,
  name: string,
  seed: number,
  temporal: TemporalAccess,
): Promise<CaseWorld> {
  const simulator = await startSimulator({ world: 'empty', seed, switches: { durationsMs: DURATIONS_MS, jitter: 0 } });
  const control = controlOf(simulator);
  const place = { application: name, component: 'checkout', name: 'prod-1' };
  const { instanceId } = await control.createInstance({
    ...place,
    version: '1.4.1',
    replica: 2,
    snapshots: ['1.3.2', '1.4.0'],
  });
  await giveBaseline(control, instanceId, scenario.initialStatus);
  for (const { action, outcome } of outcomes) await control.outcome({ instanceId, action, ...outcome });
  if (fault !== null) await control.fault(fault);
  const activities = createActivities({
    serviceStage: serviceStageOf(simulator),
    findRunbook: async (runbook) => withShortStep(await runbookNamed(runbook), shortStep),
    calendars: calendarsIn([]),
    limits: LIMITS,
    usualDurations: () => null,
    usualDurationsMs: DURATIONS_MS,
    operatorWaitMs: 0,
    verify: VERIFY,
    temporal,
    watch: new CloudJobWatch(new Durations()),
  });
  return { control, activities, instanceId, path: Object.values(place).join('/'), close: simulator.close };
}

/** In a real cloud an instance has a newest cloud job before the run, which somebody requested and which has ended. */
async function giveBaseline(control: Control, instanceId: string, status: 'RUNNING' | 'STOPPED'): Promise<void> {
  const action = status === 'RUNNING' ? 'restart' : 'stop';
  await control.outcome({ instanceId, action, durationMs: 1 });
  await control.console({ instanceId, action });
  while ((await control.instance(instanceId)).busy);
}

/** With a password, so that tokens are fetched and renewed, and our own user is known without another request. */
function serviceStageOf({ url, projectId, iamUser, iamPassword, iamDomain }: RunningSimulator) {
  return createServiceStage({
    endpoint: url,
    projectId,
    credentials: {
      kind: 'password',
      iamEndpoint: url,
      user: iamUser,
      password: new Secret(iamPassword),
      domain: iamDomain,
    },
    requestsPerSecond: 1_000,
    burst: 1_000,
  });
}

const loaded = new Map<string, Promise<RunbookLookup>>();

/** Read once for all cases, because their files do not change meanwhile. */
function runbookNamed(name: string): Promise<RunbookLookup> {
  const known = loaded.get(name) ?? findRunbook([], name);
  loaded.set(name, known);
  return known;
}

function withShortStep(lookup: RunbookLookup, action: Case['shortStep']): RunbookLookup {
  if (lookup.kind !== 'found' || action === null) return lookup;
  const steps = lookup.runbook.steps.map((step) =>
    'action' in step && step.action === action ? { ...step, deadline: SHORT_DEADLINE } : step,
  );
  return { ...lookup, runbook: { ...lookup.runbook, steps } };
}
