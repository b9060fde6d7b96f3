/** Probes and metrics of a gateway on a port of their own, which senders need not reach. */
import { ReadinessChecks } from '../health/readiness.js';
import { serveHealth, type HealthServer, type HealthServerOptions } from '../health/server.js';
import type { GatewayMetrics } from './metrics.js';

/** What the checks are about. */
export interface GatewayFacts {
  readonly isStopping: () => boolean;
  /** @returns why Temporal cannot be asked; `null` if it can be. Must not reject */
  readonly temporalProblem: () => Promise<string | null>;
  readonly metrics: GatewayMetrics;
}

const TEMPORAL_EVERY_MS = 5_000;

/** Begins to serve them. @throws Error if the address cannot be listened on */
export function serveGatewayHealth(
  { isStopping, temporalProblem, metrics }: GatewayFacts,
  options: HealthServerOptions,
): Promise<HealthServer> {
  const readiness = new ReadinessChecks({
    accepts: {
      everyMs: 0,
      ask: () => (isStopping() ? { ok: false, reason: 'it is stopping' } : { ok: true, reason: 'it takes deliveries' }),
    },
    temporal: {
      everyMs: TEMPORAL_EVERY_MS,
      ask: async () => {
        const problem = await temporalProblem();
        return problem === null ? { ok: true, reason: 'Temporal answers' } : { ok: false, reason: problem };
      },
    },
  });
  return serveHealth(
    {
      live: () => ({ ok: true, reason: 'the gateway runs' }),
      ready: () => readiness.read(),
      metrics: () => metrics.page(),
    },
    options,
  );
}
