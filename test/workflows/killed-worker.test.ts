/**
 * The worker is killed in each phase of a step and started again: the outcome is the same, and no action is sent twice.
 */
import { describe, expect, it } from 'vitest';
import { aProcessPlace, emptySimulator, type ProcessPlace } from '../support/process-place.js';
import type { FaultRequest } from '../support/simulator.js';
import { useTemporal } from '../support/temporal.js';
import type { WorkerProcess } from '../support/worker-process.js';

const temporal = useTemporal();
const durationsMs = { start: 400, stop: 400, restart: 400, scale: 400, rollback: 400 };

interface Phase {
  readonly name: string;
  /** Makes the phase long enough to kill the worker in it. */
  readonly fault?: (instanceId: string) => FaultRequest;
  /** True once the worker is in this phase. */
  readonly reached: (place: ProcessPlace) => Promise<boolean>;
}

const isSent = async ({ accepted }: ProcessPlace) => (await accepted()).length === 1;
const hit = async ({ control }: ProcessPlace) => (await control.faults()).some(({ hits }) => hits > 0);

const PHASES: readonly Phase[] = [
  {
    name: 'while it reads before the send',
    fault: (instanceId) => ({ on: { route: 'instance', instanceId }, nth: 3, fault: { kind: 'delay', ms: 250 } }),
    reached: hit,
  },
  {
    name: 'while the POST is open and accepted',
    fault: (instanceId) => ({ on: { route: 'action', instanceId }, fault: { kind: 'actThenHang', ms: 900 } }),
    reached: isSent,
  },
  {
    name: 'while it follows the cloud job',
    reached: isSent,
  },
  {
    name: 'while it verifies',
    reached: async (place) => (await isSent(place)) && !(await place.control.instance(place.instanceId)).busy,
  },
];

/** Brings a worker into the phase, and returns what the test needs from there. */
async function reach(runbook: string, phase: Phase) {
  // Its own simulator, so that the cases can run side by side.
  const simulator = await emptySimulator({ durationsMs });
  const place = await aProcessPlace(temporal, simulator);
  const { control, instanceId, path, runbooks, startWorker, accepted } = place;
  const first = await startWorker();
  if (phase.fault !== undefined) await control.fault(phase.fault(instanceId));
  const { workflowId } = await runbooks.start(runbook, { targets: [path], requestedBy: 'test' });
  while (!(await phase.reached(place))) {
    const early = await runbooks.report(workflowId);
    if (early !== null) throw new Error(`The run ended before the phase was reached: ${early.summary}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const end = async (last: WorkerProcess) => {
    const report = await runbooks.result(workflowId);
    await last.kill('SIGTERM');
    const seen = { report, accepted: await accepted(), instance: await control.instance(instanceId) };
    await simulator.close();
    return seen;
  };
  return { first, place, end };
}

async function runKilled(runbook: string, phase: Phase, signal: NodeJS.Signals) {
  const { first, place, end } = await reach(runbook, phase);
  await first.kill(signal);
  await place.control.clearFaults();
  return end(await place.startWorker());
}

describe.concurrent.each(PHASES)('a worker killed $name', (phase) => {
  it.concurrent.each(['SIGKILL', 'SIGTERM'] as const)(
    'by %s, and started again, sends each action of recover once',
    async (signal) => {
      const { report, accepted: actions, instance } = await runKilled('recover', phase, signal);
      expect(report.summary).toBe(`recover on ${report.targets[0]?.path}: succeeded`);
      expect(actions).toEqual(['stop', 'rollback', 'start']);
      expect(instance).toMatchObject({ status: 'RUNNING', version: '1' });
    },
  );
});

describe.concurrent('a worker killed while it plans', () => {
  it('is noticed soon, and the next one plans', async () => {
    const fault = (instanceId: string) => ({
      on: { route: 'instance', instanceId },
      times: 1,
      fault: { kind: 'delay', ms: 250 },
    });
    const { report } = await runKilled('stop', { name: 'while it plans', fault, reached: hit }, 'SIGKILL');
    expect(report.outcome).toBe('succeeded');
    const { events } = await temporal.client.workflow.getHandle(report.workflowId).fetchHistory();
    const planned = events?.find((event) => event.activityTaskStartedEventAttributes != null);
    const { attempt, lastFailure } = planned?.activityTaskStartedEventAttributes ?? {};
    expect(attempt).toBeGreaterThan(1);
    // On a busy machine the second one can fail as well, of another cause.
    if (attempt === 2) expect(lastFailure?.message).toContain('Heartbeat timeout');
  });
});

describe.concurrent('a restart whose worker is killed', () => {
  it('before its answer is recorded is adopted with evidence, or indeterminate, with one action at most', async () => {
    const { report, accepted: actions } = await runKilled('restart', PHASES[1] as Phase, 'SIGKILL');
    expect(actions).toEqual(['restart']);
    expect(report.targets[0]?.steps[0]).toMatchObject({ result: 'succeeded', evidence: { createdByUs: true } });
  });

  it('before its send is sent by another one: without a send lease nothing was', async () => {
    const { report, accepted: actions } = await runKilled('restart', PHASES[0] as Phase, 'SIGKILL');
    expect(actions).toEqual(['restart']);
    expect(report.outcome).toBe('succeeded');
    expect(report.targets[0]?.steps[0]?.trail.map(({ decision }) => decision)).toContain('leftNoTrace');
  });
});

describe.concurrent('a worker that is frozen', () => {
  it('between its reading and its send does not send if it wakes after another one has taken over (story 11)', async () => {
    const { first, place, end } = await reach('recover', PHASES[0] as Phase);
    await first.kill('SIGSTOP');
    await place.control.clearFaults();
    const second = await place.startWorker();
    while ((await place.accepted()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await first.kill('SIGCONT');
    const { report, accepted: actions } = await end(second);
    await first.kill('SIGTERM');
    expect(report.outcome).toBe('succeeded');
    expect(actions).toEqual(['stop', 'rollback', 'start']);
  });
});
