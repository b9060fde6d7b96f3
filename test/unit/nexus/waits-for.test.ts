import { describe, expect, it } from 'vitest';
import { waitsFor } from '../../../src/client/run-status.js';
import type { RunProgress } from '../../../src/domain/report/progress.js';

const untilMs = Date.UTC(2026, 11, 1, 4);
const run: RunProgress = {
  runbook: 'restart',
  phase: 'running',
  planHash: 'hash',
  startedAtMs: 0,
  outcome: null,
  targets: [{ path: 'shop/checkout/prod-1', leaseId: 'lease', childRunId: 'child', outcome: null }],
};
const [target] = run.targets as [RunProgress['targets'][number]];

describe('what a run waits for', () => {
  it('is nothing while it works', () => {
    expect(waitsFor(run)).toEqual([]);
  });

  it('is a person who resumes it, and one who decides about a step', () => {
    const pause = { state: 'paused', actor: 'ann', reason: 'the database is slow', sinceMs: 0 } as const;
    const targets = [{ ...target, blocked: { step: 'restart', why: 'CloudJobFailed: it failed', untilMs } }];
    expect(waitsFor({ ...run, pause, targets })).toEqual([
      'paused by ann: the database is slow',
      'shop/checkout/prod-1: blocked at restart, until 2026-12-01T04:00:00Z: CloudJobFailed: it failed',
    ]);
  });

  it('is an approval of the run, or of a step', () => {
    const approval = {
      step: null,
      title: 'stop 3 instances',
      need: 2,
      roles: [],
      notRequester: true,
      votes: [],
      askedAtMs: 0,
      untilMs,
    };
    const ofStep = { ...approval, step: 'ask', title: 'continue with eu' };
    const [ofRun = '', ofTarget = ''] = waitsFor({ ...run, approval, targets: [{ ...target, approval: ofStep }] });
    expect(ofRun).toContain('stop 3 instances');
    expect(ofTarget).toMatch(/^shop\/checkout\/prod-1: .*continue with eu/);
  });
});
