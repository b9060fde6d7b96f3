/** The reason why a server cannot be reached is given in plain words, whatever gRPC reports. */
import { createSecureServer } from 'node:http2';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it, type TestContext } from 'vitest';
import { RunbookClient } from '../../../src/client/runbook-client.js';
import { selfSignedRsa } from '../../servicestage/self-signed.js';

/** Nothing listens there. Its own port: channels to one address share a connection, and one that joins late learns no cause. */
async function refusingAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

/** Accepts connections but never answers. */
async function silentAddress({ onTestFinished }: TestContext): Promise<string> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const messageOf = (call: Promise<unknown>) =>
  call.then(
    () => 'it was answered',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );

/** Uses TLS with a certificate that is not trusted. */
async function untrustedAddress({ onTestFinished }: TestContext): Promise<string> {
  const server = createSecureServer(selfSignedRsa({ commonName: 'localhost', host: 'localhost' }));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `localhost:${(server.address() as AddressInfo).port}`;
}

it.concurrent.for([
  ['refuses connections', refusingAddress, {}, 'ECONNREFUSED 127.0.0.1:'],
  ['has no address', () => 'no-such-host.invalid:7233', {}, 'no-such-host.invalid'],
  ['has a certificate that is not trusted', untrustedAddress, { tls: true }, 'self-signed certificate'],
] as const)('a server that %s is reported with the cause', async ([, addressOf, options, cause], context) => {
  const address = await addressOf(context);
  const message = await messageOf(RunbookClient.connect({ address, ...options, connectTimeout: 1_500 }));
  expect(message).toContain(`Temporal at ${address} cannot be reached: `);
  expect(message).toContain(cause);
});

it.concurrent.for([
  ['refuses connections', refusingAddress],
  ['never answers', silentAddress],
  ['has no address', () => 'no-such-host.invalid:7233'],
] as const)('a server that %s is named in plain words, with what to check', async ([, addressOf], context) => {
  const address = await addressOf(context);
  const lazy = RunbookClient.lazy({ address, callTimeoutMs: 1_500 });
  const [asked, connected] = await Promise.all([
    messageOf(lazy.report('run-1')),
    messageOf(RunbookClient.connect({ address, connectTimeout: 1_500 })),
  ]);
  await lazy.close();
  for (const message of [asked, connected]) {
    expect(message).toMatch(/^ServerUnreachable: Temporal .*cannot be reached: \w/);
    expect(message).not.toMatch(/\d [A-Z_]{6,}:|Resolution note|No connection established|deadline|LB pick|null/i);
  }
  expect(connected).toContain(`Temporal at ${address} cannot be reached`);
  expect(connected).toContain('Check TEMPORAL_ADDRESS and the network');
});
