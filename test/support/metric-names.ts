/** What the dashboard, the alert rules and the page on performance ask for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { MONITORING } from './prometheus.js';

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
}

const read = (name: string) => readFileSync(join(MONITORING, name), 'utf8');

/** The alert rules, in the order of the file. */
export function alertRules(): readonly AlertRule[] {
  const { groups } = parse(read('rules.yaml')) as { groups: readonly { rules: readonly AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** Names of the alerts that the tests of the rules expect to fire. */
export function testedAlerts(): readonly string[] {
  interface Test {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly object[] }[];
  }
  const { tests } = parse(read('rules.test.yaml')) as { tests: readonly Test[] };
  return tests.flatMap(({ alert_rule_test: each }) =>
    each.filter(({ exp_alerts: expected }) => expected.length > 0).map(({ alertname }) => alertname),
  );
}

interface PanelQuery {
  /** The title of the panel, and the letter of the query. */
  readonly panel: string;
  readonly query: string;
}

/** The queries of the dashboard by panel. Its variables have the values that they begin with; rates are over 10 minutes. */
export function dashboardPanels(): readonly PanelQuery[] {
  interface Panel {
    readonly title: string;
    readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
  }
  const { panels } = JSON.parse(read('dashboard.json')) as { panels: readonly Panel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({
      panel: `${title} ${refId}`,
      query: expr.replaceAll('$job', 'runbook.*').replaceAll('$__rate_interval', '10m'),
    })),
  );
}

/** The queries of the dashboard alone. */
export function dashboardQueries(): readonly string[] {
  return dashboardPanels().map(({ query }) => query);
}

/** The queries of docs/performance.md, "When to add a worker". */
export function capacityQueries(): readonly string[] {
  const page = readFileSync(join(MONITORING, '../../docs/performance.md'), 'utf8');
  const section = page.split('### When to add a worker')[1]?.split('\n##')[0] ?? '';
  return [...section.matchAll(/`([^`]*\([^`]*\))[^`(]*`/g)].map(([, query = '']) => query);
}

/** A metric that a query selects, and the labels that it is selected by. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

const SELECTOR = /\b((?:runbook|temporal|process|nodejs)_\w+)(?:\{([^}]*)\})?/g;

/** The metrics of a query. Series of a histogram count as the histogram. */
export function selectorsOf(query: string): readonly Selector[] {
  return [...query.matchAll(SELECTOR)].map(([, metric = '', matchers = '']) => ({
    metric: metric.replace(/_(?:bucket|count|sum)$/, ''),
    labels: [...matchers.matchAll(/(\w+) *(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}
