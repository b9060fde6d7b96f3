/** What listens on an IPv6 address prints an address that can be used unchanged. */
import { expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/server.js';
import { clientOfSimulator, post, READ, targetIn, tokenOf } from './client.js';

it('the address of a simulator on ::1 serves reads and actions', async () => {
  const simulator = await startSimulator({ port: 0, host: '::1' });
  onTestFinished(() => simulator.close());
  expect(simulator.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect(simulator.controlUrl).toBe(`${simulator.url}/control`);
  const client = clientOfSimulator(simulator, tokenOf(simulator));
  const target = targetIn(simulator, 'shop/checkout/prod-1');
  await expect(client.readInstance(target, READ)).resolves.toBeDefined();
  await expect(post(client, { target })).resolves.toHaveProperty('cloudJobId');
});
