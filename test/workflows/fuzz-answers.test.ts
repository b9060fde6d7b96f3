/**
 * Whole runs while the API answers one request with generated nonsense: they end with a report and a failure name, and
 * nothing is sent twice.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities } from '../../src/domain/contract.js';
import { isFailureName } from '../../src/domain/failures.js';
import { OUTCOMES, type RunReport } from '../../src/domain/report/report.js';
import { Secret } from '../../src/servicestage/secret.js';
import { createServiceStage } from '../../src/servicestage/service-stage-client.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { quickLimits } from '../support/build.js';
import { controlOf, type Control } from '../support/simulator.js';
import { newSeed, quickActivities, startStack, USUAL_MS, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

/** Fixed, so that a case that fails can be played again; every complaint names it. */
const SEED = 20261125;
const CASES = 60;

const temporal = useTemporal();

/**
 * One run against a simulator and a client of its own: a 429 closes a client's budget, and lists belong to no instance.
 */
interface World {
  readonly simulator: RunningSimulator;
  readonly control: Control;
  readonly activities: Activities;
  readonly path: string;
}

const worlds = new Map<string, World>();
let stack: Stack;
beforeAll(async () => {
  // Fewer workflows are cached than run, on purpose: one that is evicted while it reads has to read again.
  stack = await startStack(temporal, {
    worker: { activities: { ...byWorld() }, maxConcurrentActivityTaskExecutions: 200, maxCachedWorkflows: 50 },
  });
});
afterAll(async () => {
  await stack.close();
  for (const { simulator } of worlds.values()) await simulator.close();
});

/** One worker for every world: the application's name in a request selects it. */
function byWorld(): Activities {
  const of = (path: string): Activities => {
    const world = worlds.get(path.split('/')[0] ?? '');
    if (world === undefined) throw new Error(`There is no world for ${path}`);
    return world.activities;
  };
  return {
    makePlan: (runbook, given) => of((given as { targets: string[] }).targets[0] ?? '').makePlan(runbook, given),
    readFreezes: (...given) => stack.activities.readFreezes(...given),
    describeLease: (leaseId) => stack.activities.describeLease(leaseId),
    findRuns: (asked) => stack.activities.findRuns(asked),
    verifyApproval: (asked) => stack.activities.verifyApproval(asked),
    observeTarget: (...given) => of(given[0].path).observeTarget(...given),
    currentRunId: (originalRunId) => stack.activities.currentRunId(originalRunId),
    performAction: (request) => of(request.target.path).performAction(request),
    settleTarget: (request) => of(request.target.path).settleTarget(request),
    performCheck: (request) => stack.activities.performCheck(request),
    notify: (...given) => stack.activities.notify(...given),
  };
}

async function newWorld(name: string, userName: boolean): Promise<World> {
  const simulator = await startSimulator({ world: 'empty', seed: newSeed(), switches: { durationsMs: USUAL_MS } });
  const control = controlOf(simulator);
  const { url, accessKey, secretKey, iamUser, iamPassword, iamDomain, projectId } = simulator;
  const serviceStage = createServiceStage({
    endpoint: url,
    iamEndpoint: url,
    projectId,
    credentials: userName
      ? { kind: 'password', iamEndpoint: url, user: iamUser, password: new Secret(iamPassword), domain: iamDomain }
      : { kind: 'accessKey', accessKey, secretKey: new Secret(secretKey) },
    requestsPerSecond: 1_000,
    burst: 1_000,
  });
  const activities = quickActivities(serviceStage, temporal.client, {
    limits: quickLimits(),
    verify: { withinMs: 1_500, stableMs: 60 },
  });
  await control.createInstance({
    application: name,
    component: 'c',
    name: 'i',
    version: '2',
    replica: 2,
    snapshots: ['1'],
  });
  const world = { simulator, control, activities, path: `${name}/c/i` };
  worlds.set(name, world);
  return world;
}

const RUNS = {
  restart: { inputs: {}, actions: ['restart'] },
  scale: { inputs: { replica: 4 }, actions: ['scale', 'scale'] },
  stop: { inputs: {}, actions: ['stop', 'start'] },
  recover: { inputs: {}, actions: ['stop', 'rollback', 'start', 'start'] },
} as const;

const nonsense = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    '{',
    'null',
    '[]',
    '<html>OK</html>',
    '{"job_id": null}',
    '{"job_id": ""}',
    '{"job_id": 7}',
    '{"job_id": "JOB-NOWHERE"}',
  ),
  fc.constantFrom(
    '{"status_detail": {}}',
    '{"status_detail": {"status": "NEW_ONE"}}',
    '{"status_detail": {"status": "RUNNING", "replica": -1}}',
  ),
  fc.constantFrom(
    '{"job": {"JOB_ID": "x", "EXECUTION_STATUS": "NEW_ONE"}}',
    '{"job": {"job_id": "x"}, "tasks": [null]}',
    '{"count": -1, "instances": [{}]}',
  ),
  fc.constantFrom(
    '{"error_code": "APIGW.0308"}',
    '{"error_code": "SVCSTG.00100401"}',
    '{"error_msg": "token expired"}',
  ),
  fc.constant(JSON.stringify({ error_code: 'X', error_msg: `${'x'.repeat(299)}😀😀` })),
);
/** A 429 asks for a short wait: without that the run waits a minute, as it must. */
const status = fc.record({
  status: fc.oneof(
    fc.integer({ min: 200, max: 599 }),
    fc.constantFrom(200, 201, 204, 304, 307, 401, 403, 404, 409, 500, 503),
  ),
  retryAfter: fc.constantFrom('0', '0.1', ''),
  odd: fc.constantFrom('1e9', '-1', 'soon', 'Wed, 21 Oct 2026 07:28:00 GMT', '0'),
  body: fc.option(nonsense, { nil: undefined }),
});
const fault = fc.oneof(
  fc.record({
    kind: fc.constant('wrongBody' as const),
    body: nonsense,
    contentType: fc.constantFrom('application/json', 'text/html', 'image/png'),
  }),
  status.map(({ status: code, retryAfter, odd, body }) => ({
    kind: 'status' as const,
    status: code,
    headers: { 'Retry-After': code === 429 ? retryAfter : odd },
    ...(body === undefined ? {} : { body: code === 204 || code === 304 ? '' : body }),
  })),
);
const playable = fc.record({
  runbook: fc.constantFrom('restart' as const, 'scale' as const, 'stop' as const, 'recover' as const),
  route: fc.constantFrom(
    'action',
    'action',
    'job',
    'instance',
    'snapshots',
    'applications',
    'components',
    'instances',
    'token',
    'credential',
  ),
  nth: fc.integer({ min: 1, max: 4 }),
  times: fc.integer({ min: 1, max: 3 }),
  fault,
});
type Playable = typeof playable extends fc.Arbitrary<infer Value> ? Value : never;

interface Played {
  readonly report: RunReport;
  readonly actions: readonly string[];
  readonly failedTasks: number;
}

async function play({ runbook, route, nth, times, fault: armed }: Playable, name: string): Promise<Played> {
  const { control, path } = await newWorld(name, route === 'token');
  await control.fault({ on: { route }, nth, times, fault: armed });
  const workflowId = await stack.start(
    runbook,
    { targets: [path], inputs: RUNS[runbook].inputs },
    `${name}-${SEED}-${Date.now()}`,
  );
  const report = await stack.report(workflowId);
  const ids = [workflowId, ...report.targets.filter(({ captured }) => captured !== null).map(({ leaseId }) => leaseId)];
  const histories = await Promise.all(ids.map((id) => temporal.client.workflow.getHandle(id).fetchHistory()));
  const events = histories.flatMap(({ events: some }) => some ?? []);
  return {
    report,
    actions: (await control.accepted()).map(({ action }) => action),
    failedTasks: events.filter((event) => event.workflowTaskFailedEventAttributes).length,
  };
}

/** What is wrong with how the run went; empty if it ended with a failure of the table and sent each action once. */
function complaints({ runbook }: Playable, { report, actions, failedTasks }: Played): string[] {
  const wrong: string[] = [];
  if (failedTasks > 0) wrong.push(`${failedTasks} workflow tasks failed`);
  if (!OUTCOMES.includes(report.outcome)) wrong.push(`its outcome is ${report.outcome}`);
  const steps = report.targets.flatMap((target) => [...target.steps, ...target.compensations]);
  const failures = [report, ...report.targets, ...steps].flatMap(({ failure }) => failure ?? []);
  for (const { name, message, advice } of failures)
    if (!isFailureName(name) || message.trim() === '' || advice === '')
      wrong.push(`${name} has the message "${message}"`);
  if (report.outcome !== 'succeeded' && failures.length === 0)
    wrong.push(`no failure has a reason: ${report.summary} ${JSON.stringify(report.targets)}`);
  if (report.outcome === 'refused' && actions.length > 0) wrong.push(`refused after ${actions.join()}`);
  if (!isPartOf(actions, RUNS[runbook].actions)) wrong.push(`these were accepted: ${actions.join()}`);
  // Only of a restart: what names an end state may be seen to hold although its own cloud job never showed.
  if (
    steps.some(
      ({ action, result, cloudJobId }) => action?.action === 'restart' && result === 'succeeded' && cloudJobId === null,
    )
  )
    wrong.push('a restart succeeded without a cloud job');
  return wrong;
}

/** In order, and none more often than a run may send it. */
function isPartOf(actions: readonly string[], allowed: readonly string[]): boolean {
  let from = 0;
  for (const action of actions) {
    const at = allowed.indexOf(action, from);
    if (at < 0) return false;
    from = at + 1;
  }
  return true;
}

describe('a run whose API answers with nonsense', () => {
  it('ends with a report, with names of the failure table, no action twice and no failed workflow task', async () => {
    const cases = fc.sample(playable, { seed: SEED, numRuns: CASES });
    const found = await Promise.all(
      cases.map(async (each, index) => {
        const wrong = complaints(each, await play(each, `case-${index}`));
        return wrong.map((what) => `seed ${SEED}, case ${index} ${JSON.stringify(each)}: ${what}`);
      }),
    );
    expect(found.flat()).toEqual([]);
  });
});
