/** Reads request bodies within two limits: bytes per request and bytes held per sender. */
import type { IncomingMessage } from 'node:http';

/** Twice an SMN message of 256 KB, because JSON can double it, and as much in reserve. */
export const MOST_BODY_BYTES = 1024 * 1024;

/** Read beyond the limit, so that a sender that exceeds it a little gets the answer instead of a connection reset. */
const OVERRUN_BYTES = 1024 * 1024;
/** Not counted against the budget. Most alarms are smaller, so slow, large bodies do not keep them out. */
const FREE_BYTES = 64 * 1024;

/** Memory for the bodies of one sender beyond 64 KiB each, until they are answered. */
export class BodyMemoryBudget {
  #heldBytes = 0;

  constructor(private readonly mostBytes: number) {}

  /** @returns false, and reserves nothing, if it would exceed the budget */
  reserve(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.mostBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** Returns what was reserved. */
  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}

/** Reads and drops the body, so that the sender gets the answer instead of a reset. Cuts off a sender that does not stop. */
export function discard(request: IncomingMessage): void {
  receive(request, 0, () => 'tooLarge').catch(() => undefined);
}

/** Why a body was not accepted: the field `error` of the answer. */
export type BodyRejection = 'tooLarge' | 'tooMuchAtOnce';

/**
 * Passes the whole body, or why it was rejected, to `answer`, and keeps its memory reserved until the answer is ready.
 * A body below 64 KiB reserves nothing, however slow it is. Rejects when the sender hangs up or is cut off.
 */
export async function withBody<Answer>(
  request: IncomingMessage,
  { mostBytes, budget }: { readonly mostBytes: number; readonly budget: BodyMemoryBudget },
  answer: (body: Buffer | BodyRejection) => Promise<Answer>,
): Promise<Answer> {
  let reserved = 0;
  const reserve = (roomBytes: number): BodyRejection | null => {
    if (roomBytes > mostBytes) return 'tooLarge';
    const more = Math.max(0, roomBytes - FREE_BYTES) - reserved;
    if (more > 0 && !budget.reserve(more)) return 'tooMuchAtOnce';
    reserved += Math.max(0, more);
    return null;
  };
  try {
    return await answer(await receive(request, mostBytes, reserve));
  } finally {
    budget.release(reserved);
  }
}

/** @param reserve called before the buffer grows to that size; once it returns a rejection, the rest of the body is read and dropped */
function receive(
  request: IncomingMessage,
  mostBytes: number,
  reserve: (roomBytes: number) => BodyRejection | null,
): Promise<Buffer | BodyRejection> {
  return new Promise((resolve, reject) => {
    // One buffer: a sender can make each byte a chunk, and a list of chunks takes hundreds of times as much memory.
    let room = Buffer.alloc(0);
    let size = 0;
    let rejection: BodyRejection | null = null;
    request.on('data', (chunk: Buffer) => {
      const begin = size;
      size += chunk.length;
      if (size > room.length && rejection === null) {
        const roomBytes = Math.max(size, Math.min(2 * room.length, mostBytes));
        rejection = reserve(roomBytes);
        room = rejection === null ? Buffer.concat([room.subarray(0, begin)], roomBytes) : Buffer.alloc(0);
      }
      if (rejection === null) chunk.copy(room, begin);
      else resolve(rejection);
      if (size > mostBytes + OVERRUN_BYTES) request.destroy();
    });
    request.once('end', () => resolve(room.subarray(0, size)));
    request.once('close', () => reject(new Error('the sender hung up')));
    request.once('error', reject);
  });
}
