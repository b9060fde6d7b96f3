/** Temporal's native runtime of a worker process: its log and its metrics. */
import { makeTelemetryFilterString, Runtime, type MetricsExporterConfig } from '@temporalio/worker';
import type { Logger } from 'pino';
import { runtimeLogger } from './runtime-logger.js';

/** Another process may take a port between our question for a free one and its use. */
const MOST_TRIES = 5;

/** Installs the runtime. @param exporterOf how it exports metrics; asked again if that address was taken meanwhile */
export async function installRuntime(
  log: Logger,
  exporterOf: () => Promise<MetricsExporterConfig | undefined>,
): Promise<Runtime> {
  for (let tries = 1; ; tries++) {
    const metrics = await exporterOf();
    try {
      return install(log, metrics);
    } catch (error) {
      if (metrics === undefined || tries === MOST_TRIES) throw error;
      log.debug({ error: String(error) }, 'the port for the metrics of the SDK was taken');
    }
  }
}

function install(log: Logger, metrics: MetricsExporterConfig | undefined): Runtime {
  const filter = makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' });
  return Runtime.install({
    logger: runtimeLogger(log),
    telemetryOptions: { logging: { filter, forward: {} }, ...(metrics === undefined ? {} : { metrics }) },
  });
}
