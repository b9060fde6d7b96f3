/** A step that fails again and again, as `watch` and `report` show it. */
import { describe, expect, it } from 'vitest';
import { createColors } from '../../../src/cli/colors.js';
import { eventsBetween } from '../../../src/cli/render-events.js';
import { renderReport } from '../../../src/cli/render-report.js';
import type { RunSnapshot } from '../../../src/client/report-snapshot.js';
import type { RunReport } from '../../../src/domain/report/report.js';
import type { StepRetrying } from '../../../src/domain/report/progress.js';
import { aStepReport } from '../../support/build.js';
import { renderProgress } from '../../support/live.js';

const plain = createColors(false);
const path = 'shop/checkout/prod-1';

function snapshot(retrying?: StepRetrying): RunSnapshot {
  const run = { runbook: 'restart', phase: 'running', planHash: 'h', startedAtMs: 0, outcome: null } as const;
  const step = { id: 'restart', title: 'restart', state: 'running', startedAtMs: 0, endedAtMs: null } as const;
  const unseen = { cloudJobId: null, seen: null, failure: null };
  const steps = [{ ...step, ...unseen, ...(retrying === undefined ? {} : { retrying }) }];
  const targets = [{ path, phase: 'running', seen: null, steps, compensations: [], outcome: null } as const];
  return { workflowId: 'w', run: { ...run, targets: [] }, targets };
}

const failing = (failures: number): StepRetrying => ({
  reason: 'GET /v3.0/OS-CREDENTIAL/credentials: ECONNREFUSED\u001b[2J',
  failures,
  sinceMs: 60_000,
  untilMs: 3_600_000,
  nextAttemptAtMs: 120_000,
});

describe('a step that is tried again', () => {
  it('shows why, since when, when next and until when, with control characters escaped', () => {
    expect(renderProgress(snapshot(failing(4)), 90_000, plain)).toContain(
      'tried again: GET /v3.0/OS-CREDENTIAL/credentials: ECONNREFUSED\\u001b[2J (failed 4 times since 00:01:00Z, next at 00:02:00Z, until 01:00:00Z)',
    );
    const lost = {
      reason: 'activity Heartbeat timeout',
      failures: 1,
      sinceMs: null,
      untilMs: null,
      nextAttemptAtMs: null,
    };
    expect(renderProgress(snapshot(lost), 90_000, plain)).toContain(
      'tried again: activity Heartbeat timeout (failed once)',
    );
  });

  it('is an event at first and each time the failures have doubled', () => {
    const events = Array.from({ length: 64 }, (_, index) =>
      eventsBetween(index === 0 ? snapshot() : snapshot(failing(index)), snapshot(failing(index + 1))),
    ).flat();
    expect(events).toHaveLength(7);
    expect(events[0]).toMatch(/^shop\/checkout\/prod-1: restart tried again: GET .* \(failed once since 00:01:00Z/);
    expect(eventsBetween(snapshot(failing(5)), snapshot())).toEqual([]);
  });
});

describe('a folded trail', () => {
  it('shows how often and when last', () => {
    const trail = [{ attempt: 2, atMs: 0, decision: 'entered', count: 440, lastAtMs: 480_000 }] as const;
    const target = {
      path,
      instanceId: 'i',
      leaseId: 'l',
      outcome: 'failed',
      notReached: [],
      compensations: [],
    } as const;
    const seen = { captured: null, lastSeen: null, remaining: [] };
    const report: RunReport = {
      ...{ reportVersion: 1, runbook: 'restart', workflowId: 'w', runId: 'r', outcome: 'failed', summary: 's' },
      ...{ planHash: 'h', requestedBy: null, reason: null, startedAtMs: 0, endedAtMs: 1, notStarted: [] },
      targets: [{ ...target, ...seen, steps: [aStepReport({ attempts: 443, trail })] }],
    };
    expect(renderReport(report, plain)).toContain(
      'attempt 2, 1970-01-01T00:00:00Z: entered ×440, last 1970-01-01T00:08:00Z',
    );
  });
});
