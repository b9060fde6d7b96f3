/**
 * Opens the connection of a single request in advance, and keeps it from the HTTP client until the request may go, so that nothing waits between
 * the decision to send and the first byte.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { CreateConnectionFunction } from 'got';
import { withoutBrackets } from '../network/host-and-port.js';
import type { ProxyAgents } from '../network/proxy-agents.js';

/**
 * Resolves when the connection can carry the request: through a proxy, after the tunnel is open and, for `https:`,
 * after the TLS handshake with the server.
 * @throws if that fails: refused, DNS, TLS, a proxy that refuses, or no connection within `timeoutMs`
 */
export function openConnection(url: URL, timeoutMs: number, proxy: ProxyAgents | null): Promise<Socket> {
  const host = withoutBrackets(url.hostname);
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  const tls = { ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : {}) };
  return new Promise((resolve, reject) => {
    let opening: Socket | null = null;
    const tunnel = new AbortController();
    const fail = (error: Error) => {
      clearTimeout(timeOut);
      opening?.destroy();
      // Otherwise a proxy that keeps writing its answer would hold the connection for ever.
      tunnel.abort();
      reject(error);
    };
    const closed = () => fail(new Error('the connection was closed before it was ready'));
    const timeOut = setTimeout(() => fail(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    const ready = (socket: Socket) => {
      clearTimeout(timeOut);
      socket.off('close', closed);
      socket.off('error', fail);
      // The request takes the socket over once it is released; until then a reset must not end the process.
      socket.on('error', () => {});
      resolve(socket);
    };
    const begin = (socket: Socket, readyOn: 'connect' | 'secureConnect' | null) => {
      opening = socket;
      socket.once('error', fail);
      socket.once('close', closed);
      if (readyOn === null) ready(socket);
      else socket.once(readyOn, () => ready(socket));
    };
    if (proxy === null) {
      if (isSecure) begin(connectTls({ host, port, ...tls }), 'secureConnect');
      else begin(connectTcp({ host, port }), 'connect');
      return;
    }
    const agent = proxy.ofItsOwn(isSecure, tunnel.signal);
    agent.createConnection({ host, port, timeout: timeoutMs, ...(isSecure ? tls : {}) }, (error, socket) => {
      if (error !== null) fail(error);
      else if (tunnel.signal.aborted) socket.destroy();
      else begin(socket as Socket, isSecure ? 'secureConnect' : null);
    });
  });
}

/** A connection that the HTTP client has not got yet. */
export interface HeldConnection {
  readonly connection: Socket;
  /** For the options of the request. */
  readonly createConnection: CreateConnectionFunction;
  /** Hands the connection over: a request that is complete is written at once. */
  release(): void;
}

/** Keeps a connection until `release`. Meanwhile the HTTP client buffers the headers and the body of its request. */
export function holdBack(connection: Socket): HeldConnection {
  let onConnection = (_error: null, _socket: Socket): void => {};
  // Node lets this return nothing and call back later. The type of got does not, and it has no `null` for "no error".
  const createConnection = (_options: unknown, callBack: typeof onConnection) => {
    onConnection = callBack;
  };
  return {
    connection,
    createConnection: createConnection as unknown as CreateConnectionFunction,
    release: () => onConnection(null, connection),
  };
}
