/** Bodies of requests: raw bytes, as many as may come and no more. */
import type { IncomingMessage } from 'node:http';

/** What is read on top of the limit, so that a sender that only went a little too far gets the answer and not a reset. */
const OVERRUN_BYTES = 1024 * 1024;

/** Lets the sender finish, so that it gets the answer and not a reset; who sends on and on is cut off. */
export function discard(request: IncomingMessage): void {
  readBody(request, 0).catch(() => undefined);
}

/** The raw bytes, or `null` as soon as there are too many. Rejects when the sender hangs up, or is cut off. */
export function readBody(request: IncomingMessage, mostBytes: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= mostBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve(null);
      }
      if (size > mostBytes + OVERRUN_BYTES) request.destroy();
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => reject(new Error('the sender hung up')));
    request.once('error', reject);
  });
}
