import { expect, it, vi } from 'vitest';
import type { Client } from '@temporalio/client';
import { temporalAccess } from '../../../src/activities/temporal-access.js';

function accessWith(count: () => Promise<unknown>) {
  const client = {
    workflow: { count },
    withDeadline: (_atMs: number, call: () => Promise<unknown>) => call(),
  } as unknown as Client;
  return temporalAccess(client);
}

it('asks until the namespace has the search attribute, and never again', async () => {
  const count = vi.fn(async () => ({ count: 0 }));
  count.mockRejectedValueOnce(new Error('unreachable'));
  const access = accessWith(count);
  await expect(access.hasStateAttribute()).resolves.toBe(false);
  await expect(access.hasStateAttribute()).resolves.toBe(true);
  count.mockRejectedValue(new Error('unreachable'));
  await expect(access.hasStateAttribute()).resolves.toBe(true);
  expect(count).toHaveBeenCalledTimes(2);
});
