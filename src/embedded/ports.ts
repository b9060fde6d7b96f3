/** Ports on the loopback address: fixed ones where they are free, so that a second start has the addresses of the first. */
import { connect, createServer, type AddressInfo, type Server } from 'node:net';

const HOST = '127.0.0.1';

/** Free ports that differ, since they are held open together while they are chosen. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => listen(server, 0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** @returns that port, or a free one where somebody listens on it */
export async function portOrFree(port: number): Promise<number> {
  if (!(await isTaken(port))) return port;
  const [free = 0] = await freePorts(1);
  return free;
}

/** Both are tried: some systems let a socket of one address be bound beside one of all addresses. */
async function isTaken(port: number): Promise<boolean> {
  if (await answers(port)) return true;
  const server = createServer();
  try {
    await listen(server, port);
    await close(server);
    return false;
  } catch {
    return true; // In use, or not ours to take: either way another port is needed.
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
