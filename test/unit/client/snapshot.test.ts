import { describe, expect, it } from 'vitest';
import { snapshotOf } from '../../../src/client/watch-run.js';
import type { RunProgress, TargetProgress } from '../../../src/domain/report/progress.js';

const target = { path: 'shop/checkout/prod-1' } as TargetProgress;
const run = (phase: RunProgress['phase']) => ({ phase }) as RunProgress;

describe('the snapshot of an open run', () => {
  it('leaves out a target that gave no answer while the run continues: the next one shows it', () => {
    expect(snapshotOf('run-1', run('running'), [target, null])).toEqual({
      workflowId: 'run-1',
      run: run('running'),
      targets: [target],
    });
  });

  it('is none where the run has finished and a target gave no answer, for no other snapshot follows', () => {
    expect(snapshotOf('run-1', run('finished'), [target, null])).toBeNull();
    expect(snapshotOf('run-1', run('finished'), [target])).toMatchObject({ targets: [target] });
    expect(snapshotOf('run-1', run('finished'), [])).toMatchObject({ targets: [] });
  });
});
