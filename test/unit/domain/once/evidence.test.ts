import { describe, expect, it } from 'vitest';
import type { Action } from '../../../../src/domain/target/actions.js';
import type { CloudJob } from '../../../../src/domain/target/cloud-job.js';
import { judgeEvidence } from '../../../../src/domain/once/evidence.js';
import { aCloudJob, defaultLimits } from '../../../support/build.js';

const stop: Action = { action: 'stop' };
const restart: Action = { action: 'restart' };

function verdict(
  job: Partial<CloudJob>,
  action: Action = stop,
  ownUserId: string | null = 'us',
  scheduledAtMs = 10_000,
) {
  return judgeEvidence({
    job: aCloudJob(job),
    action,
    instanceId: 'inst-1',
    scheduledAtMs,
    ownUserId,
    limits: defaultLimits,
  }).kind;
}

describe('a cloud job found by reading', () => {
  it.each<[string, ReturnType<typeof verdict>, string]>([
    ['of ours fits', verdict({}), 'fits'],
    ['of an edge action fits when our own user asked for it', verdict({}, restart), 'fits'],
    ['may be older by the clock skew', verdict({}, stop, 'us', 10_000 + defaultLimits.clockSkewMs), 'fits'],
    ['is too old beyond the clock skew', verdict({}, stop, 'us', 10_001 + defaultLimits.clockSkewMs), 'doesNotFit'],
    ['of another instance does not fit', verdict({ instanceId: 'inst-2' }), 'doesNotFit'],
    ['that names no instance does not fit', verdict({ instanceId: null }), 'doesNotFit'],
    ['of somebody else does not fit', verdict({ createdBy: 'them' }), 'doesNotFit'],
    ['of an unknown user fits a state action', verdict({ createdBy: null }), 'fits'],
    ['fits a state action when our own user is unknown', verdict({}, stop, null), 'fits'],
    ['does not fit an edge action when our own user is unknown', verdict({}, restart, null), 'doesNotFit'],
    ['of an unknown user does not fit an edge action', verdict({ createdBy: null }, restart), 'doesNotFit'],
    ['that creates an instance does not fit', verdict({ jobType: 'PROVISION' }), 'doesNotFit'],
    ['that deletes an instance does not fit', verdict({ jobType: 'DEPROVISION' }), 'doesNotFit'],
    ['of ServiceStage itself does not fit', verdict({ jobType: 'SYSTEM_INNER' }), 'doesNotFit'],
    ['without a type fits', verdict({ jobType: null }), 'fits'],
    ['without tasks is too early to judge', verdict({ tasks: [] }), 'tooEarly'],
  ])('%s', (_case, found, expected) => {
    expect(found).toBe(expected);
  });

  it('is judged by its oldest task', () => {
    const task = { taskId: 't', name: 'n', status: 'RUNNING', messages: '', createdAtMs: 50_000 };
    expect(verdict({ tasks: [task, { ...task, createdAtMs: 1_000 }] }, stop, 'us', 20_000)).toBe('doesNotFit');
  });
});
