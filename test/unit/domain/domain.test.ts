import { describe, expect, it } from 'vitest';
import {
  ACTIONS,
  ACTION_NAMES,
  describeAction,
  desiredStateHolds,
  type Action,
} from '../../../src/domain/target/actions.js';
import { cloudJobPhase, failureReason, isAtRest } from '../../../src/domain/target/cloud-job.js';
import { unseenAttemptMs } from '../../../src/domain/once/limits.js';
import { canonicalPlan, type Plan } from '../../../src/domain/plan/plan.js';
import { describeObservation, leaseId, statusMeaning } from '../../../src/domain/target/target.js';
import { aCloudJob, anObservation, aStep, aTarget, defaultLimits } from '../../support/build.js';

describe('limits', () => {
  it('add up to the figures of the protocol', () => {
    expect(defaultLimits.heartbeatTimeoutMs).toBe(15_000);
    expect(unseenAttemptMs(defaultLimits)).toBe(30_000);
  });
});

describe('a status', () => {
  it('that is not listed counts as moving, and never as success', () => {
    expect(statusMeaning('HIBERNATING')).toBe('moving');
    expect(statusMeaning('constructor')).toBe('moving');
    expect(cloudJobPhase('toString')).toBe('unclear');
  });

  it.each(['CANCELLED', 'PARTIALLY_FAILED', 'ROLLBACKED', 'FAILED'])('%s of a cloud job counts as failed', (status) => {
    expect(cloudJobPhase(status)).toBe('failed');
  });

  it('is at rest only when the newest cloud job has ended too', () => {
    expect(isAtRest(anObservation())).toBe(true);
    expect(isAtRest(anObservation({ lastJobStatus: 'ROLLBACKING' }))).toBe(false);
    expect(isAtRest(anObservation({ lastJobId: null, lastJobStatus: null }))).toBe(true);
    expect(isAtRest(anObservation({ status: 'PENDING' }))).toBe(false);
  });
});

describe('a desired state', () => {
  const holds = (action: Action, change: Parameters<typeof anObservation>[0]) =>
    desiredStateHolds(action, anObservation(change));
  it('needs every replica for start and restart', () => {
    expect(holds({ action: 'start' }, { availableReplicaCount: 1 })).toBe(false);
    expect(holds({ action: 'restart' }, {})).toBe(true);
    expect(holds({ action: 'start' }, { replicaCount: null, availableReplicaCount: null })).toBe(true);
  });
  it('needs the count both desired and available for scale', () => {
    expect(holds({ action: 'scale', replica: 4 }, { replicaCount: 4, availableReplicaCount: 3 })).toBe(false);
    expect(holds({ action: 'scale', replica: 4 }, { replicaCount: 4, availableReplicaCount: 4 })).toBe(true);
    expect(
      holds({ action: 'scale', replica: 4 }, { replicaCount: 4, availableReplicaCount: 4, status: 'STOPPED' }),
    ).toBe(false);
  });
  it('is the version for rollback, running or stopped', () => {
    expect(holds({ action: 'rollback', version: '1.4.0' }, { version: '1.4.0', status: 'STOPPED' })).toBe(true);
    expect(holds({ action: 'rollback', version: '1.4.0' }, { version: '1.4.0', status: 'FAILED' })).toBe(false);
  });
});

describe('what people read', () => {
  it('is short', () => {
    expect(describeAction({ action: 'scale', replica: 4, hosts: ['a', 'b'] })).toBe('scale replica=4 hosts=a,b');
    expect(describeObservation(anObservation({ failDetail: 'cluster_deleted' }))).toBe(
      'RUNNING 2/2, version 1.4.1 (cluster_deleted)',
    );
    expect(
      failureReason(
        aCloudJob({
          tasks: [{ taskId: 't', name: 'pull image', status: 'FAILED', messages: ' no\n such image ', createdAtMs: 1 }],
        }),
      ),
    ).toBe('pull image: no such image');
  });

  it('names one lease for each instance', () => {
    expect(leaseId(aTarget())).toBe('runbook-target/project/inst-1');
  });
});

describe('the action table', () => {
  it('declares for each action an inverse, itself, or why nothing reverses it', () => {
    for (const name of ACTION_NAMES) {
      const rule = ACTIONS[name];
      expect(rule.reversal === 'inverse').toBe(rule.inverses.length > 0);
      expect(rule.reversal === 'irreversible').toBe(rule.irreversibleBecause !== undefined);
    }
  });
});

describe('the canonical plan', () => {
  const plan: Omit<Plan, 'hash'> = {
    planVersion: 1,
    runbook: 'stop',
    title: 'Stop',
    requestedBy: 'alice',
    reason: null,
    inputs: { b: 1, a: 2 },
    targets: [{ target: aTarget(), seen: anObservation(), steps: [aStep({ action: 'stop' })] }],
    onCancel: 'compensate',
    deadlineMs: 1_000,
    limits: defaultLimits,
    dryRun: false,
  };
  it('does not depend on key order, on who asked, or on when the target was read', () => {
    const again = {
      ...plan,
      requestedBy: 'bob',
      dryRun: true,
      inputs: { a: 2, b: 1 },
      targets: [{ ...plan.targets[0]!, seen: anObservation({ observedAtMs: 9 }) }],
    };
    expect(canonicalPlan(again)).toBe(canonicalPlan(plan));
  });
  it('depends on what would be done', () => {
    const other = { ...plan, targets: [{ ...plan.targets[0]!, steps: [aStep({ action: 'start' })] }] };
    expect(canonicalPlan(other)).not.toBe(canonicalPlan(plan));
  });
  it('depends on the guards, but not on what was frozen while planning, and has none if there are none', () => {
    const guards = { window: null, freeze: ['prod-freeze'], waitAtMostMs: null, coming: [] };
    const coming = [{ calendar: 'prod-freeze', name: 'Year end', fromMs: 1, toMs: 2 }];
    expect(canonicalPlan(plan)).not.toContain('guards');
    expect(canonicalPlan({ ...plan, guards })).not.toBe(canonicalPlan(plan));
    expect(canonicalPlan({ ...plan, guards: { ...guards, coming } })).toBe(canonicalPlan({ ...plan, guards }));
  });
});
