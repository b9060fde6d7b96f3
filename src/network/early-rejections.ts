/** Requests that Node rejects before any handler sees them. A listener replaces Node's own answer, so this file sends the same one. */
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why Node rejected a request: a label of the metrics. */
export type EarlyRejection = 'malformed' | 'timedOut' | 'wrongMethod' | 'tooManyConnections';

/** Statuses for errors of Node's parser. All others get 400. */
const STATUS_OF_CODE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Calls back once for each such request. `what` is an error code of Node and never quotes the request. */
export function onEarlyRejection(server: Server, rejected: (reason: EarlyRejection, what: string) => void): void {
  server.on('clientError', ({ code = 'unknown' }: NodeJS.ErrnoException, socket: Duplex) => {
    // A sender that hung up was not rejected.
    if (code !== 'ECONNRESET' && code !== 'EPIPE')
      rejected(code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'timedOut' : 'malformed', code);
    answer(socket, STATUS_OF_CODE[code] ?? '400 Bad Request');
  });
  server.on('connect', (_request, socket: Duplex) => {
    rejected('wrongMethod', 'CONNECT');
    answer(socket, '405 Method Not Allowed');
  });
  server.on('drop', () => rejected('tooManyConnections', 'more open connections than allowed'));
}

function answer(socket: Duplex, status: string): void {
  if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.destroy();
}
