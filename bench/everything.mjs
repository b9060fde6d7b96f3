// What a worker has that is monitored, traced and encrypts: its variables, a collector that throws spans away, and somebody who reads its metrics.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClientConfig } from '../dist/config/config.js';
import { dataConverterOf } from '../dist/config/data-converter.js';
import { freePorts } from '../dist/embedded/ports.js';

/** More often than Prometheus does by default, which is once a minute. */
const READ_EVERY_MS = 5_000;

/** @returns variables of the worker, the data converter of its clients, and what ends it */
export async function switchOnEverything() {
  const folder = await mkdtemp(join(tmpdir(), 'everything-'));
  const keys = join(folder, 'keys');
  await writeFile(keys, `bench ${randomBytes(32).toString('base64')}\n`);
  const collector = createServer((request, response) => request.resume().once('end', () => response.end()));
  await new Promise((done) => collector.listen(0, '127.0.0.1', done));
  const [port] = await freePorts(1);
  const timer = setInterval(() => void read(port), READ_EVERY_MS);
  const { codec } = loadClientConfig({ RUNBOOK_ENCRYPTION_KEYS: keys });
  return {
    env: {
      RUNBOOK_HEALTH_PORT: String(port),
      RUNBOOK_HEALTH_HOST: '127.0.0.1',
      RUNBOOK_ENCRYPTION_KEYS: keys,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.address().port}`,
    },
    client: await dataConverterOf(codec, console.error),
    close: async () => {
      clearInterval(timer);
      collector.closeAllConnections();
      await new Promise((done) => collector.close(done));
      await rm(folder, { recursive: true });
    },
  };
}

/** Before the worker has started, and once it has ended, there is no answer. */
async function read(port) {
  await fetch(`http://127.0.0.1:${port}/metrics`)
    .then((answer) => answer.text())
    .catch(() => {});
}
