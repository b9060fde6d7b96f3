/**
 * An HTTP proxy for CONNECT only. It records requests, and can refuse, stay silent, or lead every tunnel to one
 * server.
 */
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ConnectProxy {
  readonly url: URL;
  /** `host:port` of every CONNECT, in order. */
  readonly asked: readonly string[];
  /** `Proxy-Authorization` of every CONNECT; empty if there was none. */
  readonly authorizations: readonly string[];
}

export interface ConnectProxyOptions {
  /** The status that answers a CONNECT instead of a tunnel; `'silent'`: no answer. */
  readonly refuseWith?: number | 'silent';
  /** The port at which every tunnel ends, whatever was requested. */
  readonly port?: number;
  readonly host?: string;
}

/** Closes when the test ends. */
export async function startConnectProxy({
  refuseWith,
  port: endsAt,
  host: listensOn = '127.0.0.1',
}: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const asked: string[] = [];
  const authorizations: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => void response.writeHead(405).end());
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', ({ url = '', headers }, client: Socket, head) => {
    asked.push(url);
    authorizations.push(headers['proxy-authorization'] ?? '');
    client.on('error', () => {});
    if (refuseWith === 'silent') return;
    if (refuseWith !== undefined) {
      client.end(`HTTP/1.1 ${refuseWith} No\r\nContent-Length: 2\r\n\r\nno`);
      return;
    }
    const { hostname, port } = new URL(`http://${url}`);
    const server = connect(
      endsAt ?? Number(port),
      endsAt === undefined ? hostname.replace(/^\[|\]$/g, '') : '127.0.0.1',
      () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        server.write(head);
        server.pipe(client).pipe(server);
      },
    );
    sockets.add(server);
    server.on('error', () => client.destroy());
    client.on('close', () => server.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, listensOn, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://${listensOn.includes(':') ? `[${listensOn}]` : listensOn}:${port}`),
    asked,
    authorizations,
  };
}
