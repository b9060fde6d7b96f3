/**
 * Temporal through an HTTP proxy: the client and the native core of a worker use the configured proxy, and no other
 * way.
 */
import { NativeConnection } from '@temporalio/worker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { loadClientConfig } from '../../src/config/config.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const port = Number(new URL(`http://${temporal.address}`).port);
/** A name that only the proxy finds. */
const BEHIND = 'temporal.invalid:7233';

async function ask(env: Readonly<Record<string, string>>) {
  const { temporal: config } = loadClientConfig(env);
  const client = await ClosableConnection.connect({ ...config.connectionOptions, connectTimeout: 5_000 });
  onTestFinished(() => client.close());
  await client.workflowService.getSystemInfo({});
  const native = await NativeConnection.connect(config.native);
  onTestFinished(() => native.close());
  await native.workflowService.getSystemInfo({});
}

describe('HTTPS_PROXY', () => {
  it('connects client and worker to a server that only the proxy finds', async () => {
    const proxy = await startConnectProxy({ port });
    const url = Object.assign(new URL(proxy.url), { username: 'me', password: 'hidden-word' });
    await ask({ TEMPORAL_ADDRESS: BEHIND, HTTPS_PROXY: url.href });
    expect(new Set(proxy.asked)).toEqual(new Set([BEHIND]));
    expect(proxy.asked.length).toBeGreaterThanOrEqual(2);
    expect(new Set(proxy.authorizations)).toEqual(
      new Set([`Basic ${Buffer.from('me:hidden-word').toString('base64')}`]),
    );
  });

  it('is not used for loopback, even by a library that reads the environment itself', async () => {
    const proxy = await startConnectProxy({ refuseWith: 502 });
    process.env['https_proxy'] = proxy.url.href;
    onTestFinished(() => {
      delete process.env['https_proxy'];
    });
    await ask({ TEMPORAL_ADDRESS: temporal.address, https_proxy: proxy.url.href });
    expect(proxy.asked).toEqual([]);
  });
});
