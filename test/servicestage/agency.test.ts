/** Temporary keys of an agency, from the simulator's metadata service: renewed in time, in front of faults, never through a proxy. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MetadataService } from '../../src/servicestage/metadata-service.js';
import { ServiceStageError } from '../../src/servicestage/errors.js';
import type { Switches } from '../../src/simulator/switches.js';
import { startTestSimulator } from '../simulator/api.js';
import { clientOfSimulator, failureOf, post, READ, targetIn } from './client.js';
import { startRawServer } from './raw-server.js';

const HOUR_MS = 3_600_000;

async function agency(switches: Partial<Switches> = {}) {
  const { simulator, control } = await startTestSimulator({ switches });
  const client = clientOfSimulator(simulator, { kind: 'ecsAgency', metadataEndpoint: simulator.url });
  const counts = async () => (await control.requests()).counts;
  return { simulator, control, client, counts, target: targetIn(simulator, 'shop/checkout/prod-1') };
}

/** The simulator is in this process, so its clock moves as well. */
function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

describe('with an agency', () => {
  it('requests are signed with its key and its security token, for as long as the key lasts', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const world = await agency();
    expect(await world.client.readInstance(world.target, READ)).toMatchObject({ status: 'RUNNING' });
    for (let hour = 0; hour < 3; hour++) {
      pass(0.98 * HOUR_MS);
      expect(await world.client.readInstance(world.target, READ)).toMatchObject({ status: 'RUNNING' });
      // The renewal beside the request ends before the clock jumps again.
      await expect.poll(world.counts).toMatchObject({ 'securityKey 200': hour + 2 });
    }
    pass(10 * HOUR_MS);
    expect(await post(world.client, { target: world.target })).toHaveProperty('cloudJobId');
  });

  it.each(['offered', 'required', 'unknown'] as const)(
    'the token of the metadata service may be %s',
    async (metadataToken) => {
      const { client, target } = await agency({ metadataToken });
      expect(await client.readInstance(target, READ)).toMatchObject({ status: 'RUNNING' });
    },
  );

  it('a key that was revoked is replaced for a read at once, and for a POST at the next attempt', async () => {
    const { client, target, control } = await agency();
    await client.readInstance(target, READ);
    await control.revokeAgency();
    expect(await client.readInstance(target, READ)).toMatchObject({ status: 'RUNNING' });
    await control.revokeAgency();
    expect(await failureOf(post(client, { target }))).toMatchObject({ code: 'TokenExpired', sent: 'no' });
    expect(await post(client, { target })).toHaveProperty('cloudJobId');
  });

  it('our own user id is not known: IAM has no answer about temporary keys', async () => {
    const { client } = await agency();
    expect(await client.ownUserId(READ)).toBeNull();
  });
});

describe('trouble at the metadata service', () => {
  it.each<[string, { readonly kind: string; readonly [parameter: string]: unknown }]>([
    ['a 500', { kind: 'status', status: 500, body: 'oops' }],
    ['no answer', { kind: 'hang', ms: 5_000 }],
    ['a reset', { kind: 'reset' }],
    ['a redirect', { kind: 'redirect', location: 'http://127.0.0.1:1/' }],
  ])('%s proves nothing, and the next request asks again', async (_name, fault) => {
    const { client, target, control } = await agency();
    await control.fault({ on: { route: 'securityKey' }, fault });
    const failure = await failureOf(client.readInstance(target, { timeoutMs: 300 }));
    expect(failure).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(failure.message).toContain('the metadata service');
    await expect.poll(() => client.readInstance(target, READ).then(({ status }) => status, String)).toBe('RUNNING');
  });

  it('a body without keys is unreadable, and none of it is shown', async () => {
    const { client, target, control } = await agency();
    await control.fault({
      on: { route: 'securityKey' },
      fault: { kind: 'wrongBody', body: '{"credential":{"secret":"abc"}}' },
    });
    const failure = await failureOf(client.readInstance(target, READ));
    expect(failure.code).toBe('UnreadableAnswer');
    expect(failure.message).not.toContain('abc');
  });

  it('a server without an agency gets a remedy', async () => {
    const { client, target } = await agency({ agency: false });
    const failure = await failureOf(client.readInstance(target, READ));
    expect(failure.code).toBe('NotAllowed');
    expect(failure.message).toContain('choose an agency for this server');
  });

  it('a slow service within the time is waited for', async () => {
    const { client, target, control } = await agency();
    await control.fault({ on: { route: 'securityKey' }, fault: { kind: 'delay', ms: 300 } });
    expect(await client.readInstance(target, READ)).toMatchObject({ status: 'RUNNING' });
  });

  it('another protocol does not count as an answer', async () => {
    const server = await startRawServer({
      onRequest: (socket) => void socket.write('HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    });
    const asked = new MetadataService(server.endpoint, Date.now).fetchKey(200);
    await expect(asked).rejects.toMatchObject({ code: 'Unreachable' });
  });

  it('an endless body is cut off', async () => {
    const server = createServer((request, response) => {
      if (request.method === 'PUT') response.writeHead(404).end();
      else response.end('x'.repeat(1_000_000));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const asked = new MetadataService(`http://127.0.0.1:${port}`, Date.now).fetchKey(2_000);
    await expect(asked).rejects.toThrow(ServiceStageError);
    await expect(asked).rejects.toThrow('too large');
  });
});

it('the metadata service is never asked through a proxy', async () => {
  const { simulator, counts } = await agency();
  const proxyFor = () => new URL('http://127.0.0.1:1');
  const credentials = { kind: 'ecsAgency', metadataEndpoint: simulator.url } as const;
  const client = clientOfSimulator(simulator, credentials, { proxyFor });
  // ServiceStage itself would be asked through the proxy, which is not there.
  expect(await failureOf(client.listApplications(READ))).toMatchObject({ code: 'Unreachable' });
  expect(await counts()).toMatchObject({ 'securityKey 200': 1 });
});
