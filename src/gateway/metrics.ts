/** Metrics of the gateway for Prometheus. Label values come from the alarms file and from closed sets, never from a sender, so the number of series is bounded. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

const COUNTERS = {
  deliveries: { help: 'HTTP deliveries by sender and result', labels: ['sender', 'result'] },
  refused_deliveries: { help: 'Deliveries refused by sender and reason', labels: ['sender', 'reason'] },
  rejected_requests: { help: 'Requests that reached no sender by reason', labels: ['reason'] },
  alarms: { help: 'Alarms read from deliveries by sender and status', labels: ['sender', 'status'] },
  decisions: {
    help: 'Decisions by rule and kind, counted once they are durable',
    labels: ['rule', 'decision'],
  },
} as const;

type CounterName = keyof typeof COUNTERS;
type LabelsOf<Name extends CounterName> = Readonly<Record<(typeof COUNTERS)[Name]['labels'][number], string>>;

const PREFIX = 'runbook_gateway_';

/** The metrics of one gateway and its process. */
export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<CounterName, Counter>();
  readonly #queued: Gauge<'rule'>;

  constructor() {
    const registers = [this.#registry];
    for (const [name, { help, labels }] of Object.entries(COUNTERS)) {
      const counter = new Counter({ name: `${PREFIX}${name}_total`, help, labelNames: [...labels], registers });
      this.#counters.set(name as CounterName, counter);
    }
    const help = 'Alarms that wait for the decision of their rule';
    this.#queued = new Gauge({ name: `${PREFIX}queued_alarms`, help, labelNames: ['rule'], registers });
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Adds one. */
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>): void {
    this.#counters.get(name)?.inc(labels);
  }

  /** The page `/metrics`. @param queued alarms that wait, by rule */
  async page(queued: Readonly<Record<string, number>>): Promise<{ readonly type: string; readonly text: string }> {
    for (const [rule, count] of Object.entries(queued)) this.#queued.set({ rule }, count);
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
