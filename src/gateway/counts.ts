/** Counters of the gateway in the text form of Prometheus. Labels come from the alarms file and from closed sets alone, never from a sender, so their number is bounded. */

const COUNTERS = {
  deliveries: 'HTTP deliveries by sender and result',
  alarms: 'Alarms read from deliveries by sender and status',
  decisions: 'Decisions by rule and kind; durable before they are counted',
  refused: 'Deliveries refused by sender and reason',
  rejected: 'Requests that reached no sender, by reason',
} as const;
type CounterName = keyof typeof COUNTERS;
type Labels = Readonly<Record<string, string>>;

export class Counts {
  readonly #values = new Map<string, number>();

  add(name: CounterName, labels: Labels): void {
    const series = `${metricOf(name)}${labelText(labels)}`;
    this.#values.set(series, (this.#values.get(series) ?? 0) + 1);
  }

  /** https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4 */
  text(queueLengths: Readonly<Record<string, number>>): string {
    const counters = Object.entries(COUNTERS).flatMap(([name, help]) => {
      const metric = metricOf(name as CounterName);
      const lines = [...this.#values]
        .filter(([series]) => series.startsWith(`${metric}{`))
        .map(([series, value]) => `${series} ${value}`);
      return [`# HELP ${metric} ${help}`, `# TYPE ${metric} counter`, ...lines];
    });
    const gauge = (metric: string, help: string, lines: readonly string[]) => [
      `# HELP ${metric} ${help}`,
      `# TYPE ${metric} gauge`,
      ...lines.map((line) => `${metric}${line}`),
    ];
    return `${[
      ...counters,
      ...gauge(
        `${PREFIX}queue_length`,
        'Alarms that wait for the decision of their rule',
        Object.entries(queueLengths).map(([rule, length]) => `${labelText({ rule })} ${length}`),
      ),
      ...gauge('process_resident_memory_bytes', 'Resident memory of the process', [` ${process.memoryUsage.rss()}`]),
    ].join('\n')}\n`;
  }
}

const PREFIX = 'runbook_gateway_';

function metricOf(name: CounterName): string {
  return `${PREFIX}${name}_total`;
}

function labelText(labels: Labels): string {
  return `{${Object.entries(labels)
    .map(([key, value]) => `${key}="${value.replaceAll(/["\\\n]/g, '_')}"`)
    .join(',')}}`;
}
