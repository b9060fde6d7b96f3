/** The process: environment → `RunbookClient` → HTTP server, and an orderly end on SIGTERM. */
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { RunbookClient } from 'servicestage-runbooks';
import { createService } from './service.js';

const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, RUNBOOK_TASK_QUEUE, HOST, PORT } = process.env;
const SHUTDOWN_LIMIT_MS = 10_000;

// Lazy: the service starts, and answers 503, while Temporal is unreachable.
const runbooks = RunbookClient.lazy({
  address: TEMPORAL_ADDRESS ?? 'localhost:7233',
  namespace: TEMPORAL_NAMESPACE ?? 'default',
  ...(TEMPORAL_API_KEY === undefined ? {} : { apiKey: TEMPORAL_API_KEY }),
  taskQueue: RUNBOOK_TASK_QUEUE,
  callTimeoutMs: 3_000,
});
const stopping = new AbortController();
const server = createAdaptorServer({ fetch: createService(runbooks, stopping.signal).fetch });
server.listen(Number(PORT ?? 8080), HOST ?? '127.0.0.1', () => {
  const { address, family, port } = server.address() as AddressInfo;
  console.log(`incident-service listens on http://${family === 'IPv6' ? `[${address}]` : address}:${port}`);
});

let isStopping = false;
function stop(): void {
  if (isStopping) return;
  isStopping = true;
  console.log('incident-service ends: no new requests, streams are closed, runs continue');
  setTimeout(() => process.exit(1), SHUTDOWN_LIMIT_MS).unref();
  stopping.abort();
  server.close(() => void runbooks.close());
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
