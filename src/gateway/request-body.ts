/** Bodies of requests: raw bytes, as many as may come and no more, of one request and of all together. */
import type { IncomingMessage } from 'node:http';

/** SMN messages have at most 256 KB, which JSON can double; the rest is spare. */
export const MOST_BODY_BYTES = 1024 * 1024;

/** What is read on top of the limit, so that a sender that only went a little too far gets the answer and not a reset. */
const OVERRUN_BYTES = 1024 * 1024;
/** Held for nothing: most alarms are smaller, so that large bodies of others, however slow, do not keep them out. */
const SMALL_BYTES = 64 * 1024;

/** Memory that the bodies of one sender take beyond what small ones have, until they are answered. */
export class HeldBytes {
  #held = 0;

  constructor(private readonly most: number) {}

  /** @returns `false`, and holds nothing, where it would be too much */
  hold(bytes: number): boolean {
    if (this.#held + bytes > this.most) return false;
    this.#held += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}

/** Lets the sender finish, so that it gets the answer and not a reset; who sends on and on is cut off. */
export function discard(request: IncomingMessage): void {
  receive(request, 0, () => 'tooLarge').catch(() => undefined);
}

export type Untaken = 'tooLarge' | 'tooMuchAtOnce';

/**
 * Hands on the raw bytes as soon as all are there, or why they are not taken, and holds them until that has its answer.
 * Who has sent little so far holds nothing, however long it takes. Rejects when the sender hangs up, or is cut off.
 */
export async function withBody<Answer>(
  request: IncomingMessage,
  { mostBytes, held }: { readonly mostBytes: number; readonly held: HeldBytes },
  answer: (body: Buffer | Untaken) => Promise<Answer>,
): Promise<Answer> {
  let own = 0;
  const refuse = (roomBytes: number): Untaken | null => {
    if (roomBytes > mostBytes) return 'tooLarge';
    const more = Math.max(0, roomBytes - SMALL_BYTES) - own;
    if (more > 0 && !held.hold(more)) return 'tooMuchAtOnce';
    own += Math.max(0, more);
    return null;
  };
  try {
    return await answer(await receive(request, mostBytes, refuse));
  } finally {
    held.release(own);
  }
}

/** @param refuse asked before room for so many bytes is made; what comes after a refusal is read and forgotten */
function receive(
  request: IncomingMessage,
  mostBytes: number,
  refuse: (roomBytes: number) => Untaken | null,
): Promise<Buffer | Untaken> {
  return new Promise((resolve, reject) => {
    // One room for all: a sender can make each byte a chunk, and a list of those takes hundreds of times as much.
    let room = Buffer.alloc(0);
    let size = 0;
    let refused: Untaken | null = null;
    request.on('data', (chunk: Buffer) => {
      const begin = size;
      size += chunk.length;
      if (size > room.length && refused === null) {
        const roomBytes = Math.max(size, Math.min(2 * room.length, mostBytes));
        refused = refuse(roomBytes);
        room = refused === null ? Buffer.concat([room.subarray(0, begin)], roomBytes) : Buffer.alloc(0);
      }
      if (refused === null) chunk.copy(room, begin);
      else resolve(refused);
      if (size > mostBytes + OVERRUN_BYTES) request.destroy();
    });
    request.once('end', () => resolve(room.subarray(0, size)));
    request.once('close', () => reject(new Error('the sender hung up')));
    request.once('error', reject);
  });
}
