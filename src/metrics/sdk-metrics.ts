/**
 * The metrics of Temporal's SDK. Its native core serves them on an address of its own, so it gets a port of loopback, and their text is added to
 * our page: one page has everything.
 */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { MetricsExporterConfig } from '@temporalio/worker';

/** Far longer than it takes, and shorter than Prometheus waits for a page. */
const TIMEOUT_MS = 2_000;

/** Those that the dashboard and the alert rules ask for, by their names on our page. */
export const SDK_METRICS = [
  'temporal_worker_task_slots_available',
  'temporal_worker_task_slots_used',
  'temporal_sticky_cache_size',
  'temporal_activity_schedule_to_start_latency_seconds',
  'temporal_workflow_task_schedule_to_start_latency_seconds',
  'temporal_workflow_task_execution_failed_total',
] as const;

/** How the core exports them: seconds and `_total`, as the conventions of Prometheus ask for. @param port of loopback */
export function sdkExporter(port: number): MetricsExporterConfig {
  return {
    prometheus: {
      bindAddress: `127.0.0.1:${port}`,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
    },
    attachServiceName: false,
  };
}

/** A port of loopback that was free just now. The core can pick one itself, and then no one learns which. */
export async function freeLoopbackPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Their text, or `null` if the core does not answer. */
export async function sdkMetrics(port: number): Promise<string | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}
