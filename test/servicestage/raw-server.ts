/** A server on bare sockets, for faults that no HTTP framework lets one make. It counts connections and what arrives on them. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Arrival {
  /** 1 is the first connection. */
  readonly connection: number;
  readonly method: string;
  readonly path: string;
  /** Request line and headers, as they came. */
  readonly head: string;
  readonly body: string;
}

export interface RawServer {
  readonly endpoint: string;
  readonly port: number;
  readonly arrivals: readonly Arrival[];
  connections: number;
}

/** What to do with a complete request; and, before anything is read, with a connection. */
export interface Behaviour {
  readonly onRequest?: (socket: Socket, arrival: Arrival) => void;
  readonly onConnection?: (socket: Socket) => void;
}

/** Closed when the test ends. */
export async function startRawServer({ onRequest, onConnection }: Behaviour): Promise<RawServer> {
  const arrivals: Arrival[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // The faults of these tests are resets.
    running.connections++;
    const connection = running.connections;
    onConnection?.(socket);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      for (let request = firstRequest(received); request !== null; request = firstRequest(received)) {
        received = request.rest;
        const arrival = { connection, ...request.request };
        arrivals.push(arrival);
        onRequest?.(socket, arrival);
      }
    });
  });
  const running: RawServer = { endpoint: '', port: 0, arrivals, connections: 0 };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(running, { port, endpoint: `http://127.0.0.1:${port}` });
}

function firstRequest(received: string): { request: Omit<Arrival, 'connection'>; rest: string } | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = received.slice(0, headEnd);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const bodyStart = headEnd + 4;
  if (received.length < bodyStart + length) return null;
  const [method = '', path = ''] = head.split(' ');
  const body = received.slice(bodyStart, bodyStart + length);
  return { request: { method, path, head, body }, rest: received.slice(bodyStart + length) };
}

/** A whole answer; the connection stays open. */
export function answer(
  socket: Socket,
  status: number,
  body: string | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const all = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} Text\r\n${lines.join('')}\r\n${text}`);
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
