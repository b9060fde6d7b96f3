/** What the parts of a worker report becomes counts and times. */
import { describe, expect, it } from 'vitest';
import { WorkerMetrics } from '../../../src/metrics/worker-metrics.js';

async function pageOf(report: (metrics: WorkerMetrics) => void): Promise<string> {
  const metrics = new WorkerMetrics();
  report(metrics);
  return (await metrics.registry.page()).text;
}

describe('the metrics of a worker', () => {
  it('count runs by runbook and outcome, and time them', async () => {
    const page = await pageOf(({ runs }) => {
      runs.runEnded({ runbook: 'restart', outcome: 'succeeded', tookMs: 61_000 });
      runs.runEnded({ runbook: 'restart', outcome: 'succeeded', tookMs: 4_000 });
      runs.runEnded({ runbook: null, outcome: 'refused', tookMs: 10 });
    });
    expect(page).toContain('runbook_runs_total{runbook="restart",outcome="succeeded"} 2\n');
    expect(page).toContain('runbook_runs_total{runbook="",outcome="refused"} 1\n');
    expect(page).toContain('runbook_run_duration_seconds_sum{outcome="succeeded"} 65\n');
    expect(page).toContain('runbook_run_duration_seconds_bucket{le="60",outcome="succeeded"} 1\n');
    expect(page).toContain('runbook_run_duration_seconds_bucket{le="120",outcome="succeeded"} 2\n');
  });

  it('count steps and undos by what they do', async () => {
    const page = await pageOf(({ runs }) => {
      runs.stepEnded({ work: 'restart', result: 'indeterminate' });
      runs.stepEnded({ work: 'check', result: 'failed' });
      runs.undoEnded({ work: 'start', result: 'succeeded' });
    });
    expect(page).toContain('runbook_steps_total{action="restart",result="indeterminate"} 1\n');
    expect(page).toContain('runbook_steps_total{action="check",result="failed"} 1\n');
    expect(page).toContain('runbook_undos_total{action="start",result="succeeded"} 1\n');
  });

  it('distinguish a retried attempt from a final one', async () => {
    const failed = { kind: 'failed', failure: 'Throttled', message: '' } as const;
    const page = await pageOf(({ activities }) => {
      activities.attemptEnded('act', 'scale', { ...failed, retryInMs: 1_000 });
      activities.attemptEnded('act', 'scale', { ...failed, retryInMs: null });
      activities.attemptEnded('settle', null, { kind: 'indeterminate', failure: 'Indeterminate', message: '' });
    });
    expect(page).toContain('runbook_attempts_total{goal="act",action="scale",ending="retried"} 1\n');
    expect(page).toContain('runbook_attempts_total{goal="act",action="scale",ending="failed"} 1\n');
    expect(page).toContain('runbook_attempts_total{goal="settle",action="none",ending="indeterminate"} 1\n');
    expect(page).toContain('runbook_attempt_failures_total{failure="Throttled"} 2\n');
    expect(page).toContain('runbook_indeterminate_total{action="none"} 1\n');
  });

  it('show how late the end of a cloud job was seen at most', async () => {
    const page = await pageOf(({ activities }) =>
      activities.cloudJobEnded('restart', { runningAtMs: 20_000, endedByMs: 23_000 }),
    );
    expect(page).toContain('runbook_cloud_job_duration_seconds_sum{action="restart"} 23\n');
    expect(page).toContain('runbook_cloud_job_lateness_seconds_sum{action="restart"} 3\n');
  });

  it('do not make a series for a webhook that only a runbook names', async () => {
    const page = await pageOf(({ activities }) => {
      activities.notified({ webhook: 'typo', result: 'unknown' });
      activities.notified({ webhook: 'chat', result: 'delivered' });
    });
    expect(page).toContain('runbook_notifications_total{webhook="",result="unknown"} 1\n');
    expect(page).toContain('runbook_notifications_total{webhook="chat",result="delivered"} 1\n');
    expect(page).not.toContain('typo');
  });

  it('begin with 0 what an alert waits for', async () => {
    const page = await pageOf((metrics) => metrics.begin({ runbooks: ['restart'], webhooks: ['chat'] }));
    expect(page).toContain('runbook_indeterminate_total{action="restart"} 0\n');
    expect(page).toContain('runbook_indeterminate_total{action="none"} 0\n');
    expect(page).toContain('runbook_notifications_total{webhook="",result="unknown"} 0\n');
    expect(page).toContain('runbook_runs_total{runbook="restart",outcome="compensationFailed"} 0\n');
    expect(page).toContain('runbook_notifications_total{webhook="chat",result="unanswered"} 0\n');
    expect(page).toContain('runbook_servicestage_throttled_total 0\n');
  });

  it('begin with 0 what the dashboard shows as increases, so that the first is seen', async () => {
    const page = await pageOf(() => {});
    expect(page).toContain('runbook_steps_total{action="check",result="failed"} 0\n');
    expect(page).toContain('runbook_attempts_total{goal="settle",action="none",ending="indeterminate"} 0\n');
    expect(page).toContain('runbook_attempt_failures_total{failure="Unanswered"} 0\n');
    expect(page).toContain('runbook_cloud_job_duration_seconds_count{action="restart"} 0\n');
    expect(page).toContain('runbook_run_duration_seconds_count{outcome="failed"} 0\n');
  });

  it('have a bounded number of series', async () => {
    const page = await pageOf((metrics) => metrics.begin({ runbooks: ['restart'], webhooks: ['chat'] }));
    expect(page.match(/^runbook_/gm)?.length).toBeLessThan(800);
  });

  it('show no value for what is not known', async () => {
    const page = await pageOf(({ registry }) => {
      registry.set('runbook_clock_ahead_seconds', {}, 3);
      registry.set('runbook_clock_ahead_seconds', {}, null);
    });
    expect(page).not.toMatch(/^runbook_clock_ahead_seconds /m);
    expect(page).not.toMatch(/^runbook_runs_open /m);
  });

  it('survive a time that is not a number', async () => {
    const page = await pageOf(({ runs }) => runs.runEnded({ runbook: 'r', outcome: 'failed', tookMs: Number.NaN }));
    expect(page).toContain('runbook_runs_total{runbook="r",outcome="failed"} 1\n');
  });
});
