/**
 * What Temporal Cloud requires of a client and a worker: TLS, and an API key with the namespace or their own
 * certificate. A proxy in front of a dev server requires the same.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadClientConfig } from '../../src/config/config.js';
import { AccessDenied, ServerUnreachable } from '../../src/temporal/errors.js';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { freePorts } from '../../src/embedded/ports.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { selfSignedRsa } from '../servicestage/self-signed.js';
import { startGrpcProxy, type GrpcProxy } from '../support/grpc-proxy.js';
import { controlOf } from '../support/simulator.js';
import { newSeed } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
const API_KEY = 'the-key-of-this-test';
const server = selfSignedRsa({ commonName: 'localhost', host: 'localhost' });
const own = selfSignedRsa({ commonName: 'runbooks', host: 'runbooks' });

const temporal = useTemporal();
let folder: string;
let simulator: RunningSimulator;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  await writeFile(join(folder, 'server.pem'), server.cert);
  simulator = await startSimulator({ world: 'empty', seed: newSeed() });
});
afterAll(async () => {
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
});

const addressOf = ({ address }: GrpcProxy) => address.replace('127.0.0.1', 'localhost');
const serverRootCACertificate = Buffer.from(server.cert);

/** A worker and a client through the proxy; one run from start to end. */
async function runThrough(proxy: GrpcProxy, env: Record<string, string>, runbooks: RunbookClient, name: string) {
  const place = { application: 'a', component: 'c', name };
  await controlOf(simulator).createInstance({ ...place, replica: 2, version: '2', snapshots: ['1'] });
  const taskQueue = runbooks.taskQueue;
  const worker = await startWorkerProcess({
    address: addressOf(proxy),
    taskQueue,
    simulator,
    env: { TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'server.pem'), ...env },
  });
  const { workflowId } = await runbooks.start('restart', { targets: [`a/c/${name}`] });
  const report = await runbooks.result(workflowId);
  await worker.kill('SIGTERM');
  return report;
}

describe.concurrent('an API key', () => {
  const namespaces = new Set<unknown>();
  let proxy: GrpcProxy;
  beforeAll(async () => {
    const refuse = (method: string, headers: IncomingHttpHeaders) => {
      if (headers.authorization !== `Bearer ${API_KEY}`) return UNAUTHENTICATED;
      // What belongs to operators of a server is not for its users.
      if (headers[':path']?.includes('.OperatorService/') === true) return PERMISSION_DENIED;
      if (method !== 'GetSystemInfo') namespaces.add(headers['temporal-namespace']);
      return null;
    };
    proxy = await startGrpcProxy(temporal.address, refuse, server);
  });
  afterAll(() => proxy.close());

  const connect = (apiKey: string | (() => string)) =>
    RunbookClient.connect({
      address: addressOf(proxy),
      taskQueue: `${temporal.taskQueue}-key`,
      apiKey,
      tls: { serverRootCACertificate },
    });

  it('over TLS is enough for client and worker, and is sent with the namespace', async () => {
    await using runbooks = await connect(() => API_KEY);
    const report = await runThrough(proxy, { TEMPORAL_API_KEY: API_KEY }, runbooks, 'by-key');
    expect(report.outcome).toBe('succeeded');
    expect([...namespaces]).toEqual(['default']);
  });

  it('that is wrong is AccessDenied', async () => {
    await expect(connect('another')).rejects.toThrow(AccessDenied);
  });
});

it('an API key in a file is replaced while client and worker continue', async () => {
  const valid = new Set(['key-1']);
  const refuse = (_method: string, { authorization = '' }: IncomingHttpHeaders) =>
    valid.has(authorization.replace(/^Bearer /, '')) ? null : UNAUTHENTICATED;
  const proxy = await startGrpcProxy(temporal.address, refuse, server);
  const file = join(folder, 'api-key');
  await writeFile(file, 'key-1\n');
  const { connectionOptions } = loadClientConfig({
    HOME: folder,
    TEMPORAL_ADDRESS: addressOf(proxy),
    TEMPORAL_API_KEY_FILE: file,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'server.pem'),
  }).temporal;
  const taskQueue = `${temporal.taskQueue}-rotated`;
  await using runbooks = await RunbookClient.connect({ ...connectionOptions, taskQueue });
  await controlOf(simulator).createInstance({ application: 'a', component: 'c', name: 'rotated', replica: 1 });
  const worker = await startWorkerProcess({
    address: addressOf(proxy),
    taskQueue,
    simulator,
    env: { TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'server.pem'), TEMPORAL_API_KEY_FILE: file },
  });
  const taken = worker.nextLine((line) => line.includes('the worker uses the new API key of Temporal'));
  valid.add('key-2');
  await writeFile(file, 'key-2\n');
  await taken;
  // Long polls that began with the old key may end with it; every new call must have the new one.
  valid.delete('key-1');
  const { workflowId } = await runbooks.start('restart', { targets: ['a/c/rotated'] });
  expect((await runbooks.result(workflowId)).outcome).toBe('succeeded');
  await worker.kill('SIGTERM');
  await runbooks.close();
  await proxy.close();
});

it('a worker that starts while its API key is refused waits, not ready, until its file has another one', async () => {
  const file = join(folder, 'refused-key');
  await writeFile(file, 'key-1');
  const [port] = await freePorts(1);
  const seen = { refusals: 0, ready: '' };
  const askAndReplace = async () => {
    seen.ready = await (await fetch(`http://127.0.0.1:${port}/readyz`)).text();
    await writeFile(file, 'key-2');
  };
  const refuse = (_method: string, { authorization = '' }: IncomingHttpHeaders) => {
    if (authorization === 'Bearer key-2') return null;
    if (++seen.refusals === 3) void askAndReplace();
    return PERMISSION_DENIED;
  };
  const proxy = await startGrpcProxy(temporal.address, refuse, server);
  const worker = await startWorkerProcess({
    address: addressOf(proxy),
    taskQueue: `${temporal.taskQueue}-refused`,
    simulator,
    env: {
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'server.pem'),
      TEMPORAL_API_KEY_FILE: file,
      RUNBOOK_HEALTH_PORT: String(port),
    },
  });
  expect(seen.ready).toContain('Temporal refuses the credentials: refused');
  expect(worker.lastWords()).toContain('Temporal refuses the API key; the worker waits until its file has another one');
  await worker.kill('SIGTERM');
  await proxy.close();
});

describe.concurrent('a certificate of their own', () => {
  let proxy: GrpcProxy;
  beforeAll(async () => {
    const asked = { ...server, ca: own.cert, requestCert: true, rejectUnauthorized: true };
    proxy = await startGrpcProxy(temporal.address, () => null, asked);
    await writeFile(join(folder, 'own.pem'), own.cert);
    await writeFile(join(folder, 'own.key'), own.key);
  });
  afterAll(() => proxy.close());

  const connect = (tls: object) =>
    RunbookClient.connect({
      address: addressOf(proxy),
      taskQueue: `${temporal.taskQueue}-mtls`,
      tls: { serverRootCACertificate, ...tls },
    });

  it('is enough for client and worker', async () => {
    const clientCertPair = { crt: Buffer.from(own.cert), key: Buffer.from(own.key) };
    await using runbooks = await connect({ clientCertPair });
    const env = {
      TEMPORAL_TLS_CLIENT_CERT_PATH: join(folder, 'own.pem'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: join(folder, 'own.key'),
    };
    const report = await runThrough(proxy, env, runbooks, 'by-certificate');
    expect(report.outcome).toBe('succeeded');
  });

  it('that is missing is ServerUnreachable', async () => {
    await expect(connect({})).rejects.toThrow(ServerUnreachable);
  });
});
