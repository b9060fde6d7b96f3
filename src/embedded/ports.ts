/**
 * Ports on the loopback address. Fixed ones are used if they are free, so that a second start has the same
 * addresses.
 */
import { connect, createServer, type AddressInfo, type Server } from 'node:net';

const HOST = '127.0.0.1';

/** Returns free ports, all different because they are held open together while being chosen. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => listen(server, 0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** @returns the given port if nothing listens on it, else a free one */
export async function portOrFree(port: number): Promise<number> {
  if (!(await isTaken(port))) return port;
  const [free = 0] = await freePorts(1);
  return free;
}

/** Tries both addresses, because some systems allow a socket on one address beside a socket on all addresses. */
async function isTaken(port: number): Promise<boolean> {
  if (await answers(port)) return true;
  const server = createServer();
  try {
    await listen(server, port);
    await close(server);
    return false;
  } catch {
    return true; // In use, or not permitted: another port is needed in both cases.
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => resolve());
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
