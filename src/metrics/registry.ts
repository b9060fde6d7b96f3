/** The metrics of a table, in a registry of Prometheus: a name or a label that the table lacks does not compile. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric } from './table.js';

type Table = Readonly<Record<string, Metric>>;
type NamesOf<Metrics extends Table, Type extends Metric['type']> = {
  [Name in keyof Metrics]: Metrics[Name]['type'] extends Type ? Name : never;
}[keyof Metrics] &
  string;
type LabelsOf<One extends Metric> = Readonly<Record<One['labels'][number], string>>;

/** What is read whenever the page is asked for: gauges of what is there at that time. */
type Collect = () => void | Promise<void>;

/** A page in the text format of Prometheus. */
export interface MetricsPage {
  readonly type: string;
  readonly text: string;
}

/** Counts, observes and sets the metrics of one table. */
export class MetricsRegistry<Metrics extends Table> {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #collectors: Collect[] = [];

  constructor(table: Metrics) {
    for (const [name, metric] of Object.entries(table)) this.#add(name, metric);
  }

  /** Adds those of the process: CPU, memory, the event loop. They are measured from then on, which costs a little. */
  addProcessMetrics(): this {
    collectDefaultMetrics({ register: this.#registry });
    return this;
  }

  /** Adds one. */
  count<Name extends NamesOf<Metrics, 'counter'>>(name: Name, labels: LabelsOf<Metrics[Name]>): void {
    this.#counters.get(name)?.inc(labels);
  }

  /** Begins a series with 0, so that its first increase is seen. */
  begin<Name extends NamesOf<Metrics, 'counter'>>(name: Name, labels: LabelsOf<Metrics[Name]>): void {
    this.#counters.get(name)?.inc(labels, 0);
  }

  /** @param value seconds */
  observe<Name extends NamesOf<Metrics, 'histogram'>>(
    name: Name,
    labels: LabelsOf<Metrics[Name]>,
    value: number,
  ): void {
    // prom-client throws for anything else, and who reports must never fail for it.
    if (Number.isFinite(value)) this.#histograms.get(name)?.observe(labels, value);
  }

  /** @param value `null`: it is not known, so the series is left out */
  set<Name extends NamesOf<Metrics, 'gauge'>>(name: Name, labels: LabelsOf<Metrics[Name]>, value: number | null): void {
    const gauge = this.#gauges.get(name);
    if (value === null) gauge?.remove(labels);
    else gauge?.set(labels, value);
  }

  /** Calls `collect` before each page is made. */
  onPage(collect: Collect): void {
    this.#collectors.push(collect);
  }

  /** The page `/metrics`. */
  async page(): Promise<MetricsPage> {
    await Promise.all(this.#collectors.map(async (collect) => collect()));
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #add(name: string, { type, help, labels, buckets, from }: Metric): void {
    const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
    const begun = from === undefined ? [] : combinations(from);
    if (type === 'histogram') {
      const histogram = new Histogram({ ...options, ...(buckets === undefined ? {} : { buckets: [...buckets] }) });
      this.#histograms.set(name, histogram);
      for (const series of begun) histogram.zero(series);
    } else if (type === 'gauge') this.#gauges.set(name, withoutValue(new Gauge(options)));
    else {
      const counter = new Counter(options);
      this.#counters.set(name, counter);
      for (const series of begun) counter.inc(series, 0);
    }
  }
}

/** A gauge without labels would begin with 0, which claims to be known. */
function withoutValue(gauge: Gauge): Gauge {
  gauge.remove({});
  return gauge;
}

/** Every combination of one value for each label. */
function combinations(values: Readonly<Record<string, readonly string[]>>): Record<string, string>[] {
  return Object.entries(values).reduce<Record<string, string>[]>(
    (series, [label, each]) => series.flatMap((labels) => each.map((value) => ({ ...labels, [label]: value }))),
    [{}],
  );
}
