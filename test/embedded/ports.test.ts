/** The demo's addresses: the usual ones while they are free. */
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { portOrFree } from '../../src/embedded/ports.js';

it.each(['127.0.0.1', '0.0.0.0'])(
  'a port that somebody has at %s is left alone, and taken once it is free',
  async (host) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, () => resolve()));
    const { port } = server.address() as AddressInfo;
    const other = await portOrFree(port);
    expect(other).not.toBe(port);
    expect(other).toBeGreaterThan(0);
    await new Promise((resolve) => server.close(resolve));
    expect(await portOrFree(port)).toBe(port);
  },
);
