/** A connection of a request's own, open before the request is made: between the decision to send and its first byte nothing waits. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ProxyAgents } from '../network/proxy-agents.js';

/**
 * Through a proxy it stands once the proxy has opened the tunnel and, for `https:`, the handshake with the server behind it is over.
 * @throws what kept it from standing: refused, DNS, TLS, a proxy that said no, or no connection within `timeoutMs`
 */
export function openConnection(url: URL, timeoutMs: number, proxy: ProxyAgents | null): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  const tls = { ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : {}) };
  return new Promise((resolve, reject) => {
    let opening: Socket | null = null;
    const tunnel = new AbortController();
    const fail = (error: Error) => {
      clearTimeout(timeOut);
      opening?.destroy();
      // A proxy that goes on writing its answer would keep the connection to it for ever.
      tunnel.abort();
      reject(error);
    };
    const closed = () => fail(new Error('the connection was closed before it stood'));
    const timeOut = setTimeout(() => fail(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    const stands = (socket: Socket) => {
      clearTimeout(timeOut);
      socket.off('close', closed);
      socket.off('error', fail);
      // Until the request takes it over, which is at once, a reset must not end the process.
      socket.on('error', () => {});
      resolve(socket);
    };
    const begin = (socket: Socket, standsWith: 'connect' | 'secureConnect' | null) => {
      opening = socket;
      socket.once('error', fail);
      socket.once('close', closed);
      if (standsWith === null) stands(socket);
      else socket.once(standsWith, () => stands(socket));
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
