/** A connection of a request's own, open before the request is made: between the decision to send and its first byte nothing waits. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** @throws what kept it from standing: refused, DNS, TLS, or no connection within `timeoutMs` */
export function openConnection(url: URL, timeoutMs: number): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  const socket = isSecure
    ? connectTls({ host, port, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connectTcp({ host, port });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timeOut);
      socket.destroy();
      reject(error);
    };
    const closed = () => fail(new Error('the connection was closed before it stood'));
    const timeOut = setTimeout(() => fail(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    socket.once('error', fail);
    socket.once('close', closed);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timeOut);
      socket.off('close', closed);
      socket.off('error', fail);
      // Until the request takes it over, which is at once, a reset must not end the process.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
