/** The table of metrics, and all that names metrics: the dashboard, the alert rules and their tests. */
import { describe, expect, it } from 'vitest';
import { GATEWAY_METRICS, WORKER_METRICS, type Metric } from '../../../src/metrics/table.js';
import { SDK_METRICS } from '../../../src/metrics/sdk-metrics.js';
import {
  alertRules,
  capacityQueries,
  dashboardQueries,
  selectorsOf,
  testedAlerts,
} from '../../support/metric-names.js';

const TABLE: Readonly<Record<string, Metric>> = { ...WORKER_METRICS, ...GATEWAY_METRICS };
const metrics = Object.entries(TABLE);

describe('the table', () => {
  it.each(metrics)('names %s by the conventions of Prometheus', (name, { type, labels }) => {
    expect(name).toMatch(/^runbook_[a-z]+(?:_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|count|sum|bucket)$/);
    for (const label of labels) expect(label).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
  });

  it.each(metrics)('gives %s buckets that rise', (_name, { type, buckets }) => {
    expect(buckets !== undefined).toBe(type === 'histogram');
    expect(buckets ?? []).toEqual([...(buckets ?? [])].sort((left, right) => left - right));
  });

  it('has no label whose values outsiders or targets choose', () => {
    const labels = new Set(metrics.flatMap(([, metric]) => metric.labels));
    expect(
      [...labels].filter((label) => /target|instance|run_?id|job_?id|path|actor|user|reason_text/.test(label)),
    ).toEqual([]);
  });

  it('begins only series of its own labels', () => {
    for (const [, { labels, from }] of metrics) if (from !== undefined) expect(Object.keys(from)).toEqual([...labels]);
  });
});

/** Labels that Prometheus adds, and those of the SDK that are used. */
const OTHER_LABELS = ['job', 'instance', 'le', 'worker_type', 'workflow_type'];
/** The library that serves the metrics of the process has these. */
const PROCESS_METRICS = [
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
  'nodejs_eventloop_lag_p99_seconds',
];

describe.each<[string, readonly string[], number]>([
  ['the dashboard', dashboardQueries(), 15],
  ['the alert rules', alertRules().map(({ expr }) => expr), 15],
  ['the queries of docs/performance.md', capacityQueries(), 6],
])('%s', (_where, queries, fewest) => {
  const selectors = queries.flatMap(selectorsOf);

  it('ask for something in each query', () => {
    expect(queries.length).toBeGreaterThan(fewest);
    for (const query of queries) expect(query).toMatch(/runbook_|temporal_|process_|nodejs_|up\{/);
  });

  it('ask only for metrics that exist', () => {
    const known = [...Object.keys(TABLE), ...SDK_METRICS, ...PROCESS_METRICS];
    expect(selectors.map(({ metric }) => metric).filter((metric) => !known.includes(metric))).toEqual([]);
  });

  it('select only by labels that those have', () => {
    for (const { metric, labels } of selectors)
      for (const label of labels) expect([...(TABLE[metric]?.labels ?? []), ...OTHER_LABELS]).toContain(label);
  });
});

describe('alerting', () => {
  it('has a test that fires for each rule', () => {
    expect(testedAlerts()).toEqual(alertRules().map(({ alert }) => alert));
  });

  it('begins each counter with 0 whose first increase is an alert', () => {
    const first = alertRules().filter(({ expr }) => /increase\(.*> 0$/.test(expr));
    expect(first.length).toBeGreaterThan(3);
    for (const { metric } of first.flatMap(({ expr }) => selectorsOf(expr))) {
      // Begun by name when the files are read, and repeated by the SDK for as long as it fails.
      const isBegunElsewhere = ['runbook_runs_total', 'runbook_notifications_total'].includes(metric);
      const isRepeated = metric.startsWith('temporal_');
      expect(isBegunElsewhere || isRepeated || TABLE[metric]?.from !== undefined).toBe(true);
    }
  });
});
