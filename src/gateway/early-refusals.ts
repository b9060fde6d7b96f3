/** Requests that Node refuses before a handler sees them. A listener takes over Node's own answer, so the same is given here. */
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

export type EarlyRefusal = 'malformed' | 'timedOut' | 'wrongMethod' | 'tooManyConnections';

/** Of the errors of Node's parser; all others are 400. */
const STATUS_OF_CODE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Calls back once for each such request, with what was wrong: a code of Node, nothing of what was sent. */
export function onEarlyRefusal(server: Server, refused: (reason: EarlyRefusal, what: string) => void): void {
  server.on('clientError', ({ code = 'unknown' }: NodeJS.ErrnoException, socket: Duplex) => {
    // Whoever hung up was not refused.
    if (code !== 'ECONNRESET' && code !== 'EPIPE')
      refused(code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'timedOut' : 'malformed', code);
    answer(socket, STATUS_OF_CODE[code] ?? '400 Bad Request');
  });
  server.on('connect', (_request, socket: Duplex) => {
    refused('wrongMethod', 'CONNECT');
    answer(socket, '405 Method Not Allowed');
  });
  server.on('drop', () => refused('tooManyConnections', 'more connections than may be open together'));
}

function answer(socket: Duplex, status: string): void {
  if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.destroy();
}
