import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { RunbookClient } from '../../../src/client/runbook-client.js';

let server: Server | undefined;
afterEach(() => server?.close());

/** Takes connections and never answers. */
async function silentAddress(): Promise<string> {
  server = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => server?.once('listening', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const messageOf = (call: Promise<unknown>) =>
  call.then(
    () => 'it was answered',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );

it.each([
  ['refuses connections', () => '127.0.0.1:9'],
  ['never answers', silentAddress],
  ['has no address', () => 'no-such-host.invalid:7233'],
])('a server that %s is named in plain words, with what to check', async (_what, addressOf) => {
  const address = await addressOf();
  const lazy = RunbookClient.lazy({ address, callTimeoutMs: 1_500 });
  const asked = await messageOf(lazy.report('run-1'));
  const connected = await messageOf(RunbookClient.connect({ address, connectTimeout: 1_500 }));
  await lazy.close();
  for (const message of [asked, connected]) {
    expect(message).toMatch(/^ServerUnreachable: Temporal .*cannot be reached: \w/);
    expect(message).not.toMatch(/\d [A-Z_]{6,}:|Resolution note|No connection established|deadline|LB pick|null/i);
  }
  expect(connected).toContain(`Temporal at ${address} cannot be reached`);
  expect(connected).toContain('Check TEMPORAL_ADDRESS and the network');
});
