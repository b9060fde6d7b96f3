/** The only way to read a file that somebody else can replace: opened once without blocking, judged through that handle, read within bytes and time. */
import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileAccess, FileError } from './file-access.js';

/** Chosen: files are small and local; a network file system that takes longer is treated as unreachable. */
export const FILE_TIMEOUT_MS = 10_000;
/** Readings before giving up on a file that a writer replaces in place. */
const READINGS = 3;
const CHUNK_BYTES = 64 * 1024;
/** Windows has neither flag, and no named pipes among files. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

type OpenFile = Pick<FileHandle, 'stat' | 'read'>;

/** Bounds of one read. */
export interface ReadLimits {
  readonly maxBytes: number;
  /** Default: 10 s. */
  readonly timeoutMs?: number;
}

/** The text of a regular file: UTF-8, or UTF-16 with a byte order mark, as some editors on Windows write it. @throws FileError */
export async function readSmallFile(path: string, limits: ReadLimits): Promise<string> {
  return textOf(await readSmallFileBytes(path, limits));
}

/** The bytes of a regular file, all from one state of it. @throws FileError */
export function readSmallFileBytes(
  path: string,
  { maxBytes, timeoutMs = FILE_TIMEOUT_MS }: ReadLimits,
): Promise<Buffer> {
  return fileAccess.run(dirname(resolve(path)), timeoutMs, async () => {
    const deadlineAtMs = Date.now() + timeoutMs;
    try {
      const file = await open(path, FLAGS);
      try {
        return await readWhole(file, maxBytes, deadlineAtMs);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw toFileError(error);
    }
  });
}

/**
 * The same, blocking, while a process starts and nothing else runs: the configuration is read before there is anything to wait for. A file system that does not answer holds it up, since only another thread could
 * stop waiting; a signal still ends it. @throws FileError
 */
export function readSmallFileSync(path: string, maxBytes: number): Buffer {
  try {
    const file = openSync(path, FLAGS);
    try {
      requireSmallFile(fstatSync(file, { bigint: true }), maxBytes);
      const bytes = Buffer.alloc(maxBytes + 1);
      let size = 0;
      for (let read = -1; read !== 0 && size <= maxBytes; size += read)
        read = readSync(file, bytes, size, bytes.length - size, size);
      if (size > maxBytes) throw tooLarge(maxBytes);
      return bytes.subarray(0, size);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw toFileError(error);
  }
}

/** Bytes as text, without a byte order mark. Bytes that are not text become U+FFFD. */
function textOf(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}

/** @returns bytes that were all there at one time: half of an old list of freezes and half of a new one would be wrong. @throws FileError */
export async function readWhole(file: OpenFile, maxBytes: number, deadlineAtMs: number): Promise<Buffer> {
  for (let reading = 1; reading <= READINGS; reading++) {
    const before = await file.stat({ bigint: true });
    requireSmallFile(before, maxBytes);
    const bytes = await readBytes(file, maxBytes, deadlineAtMs);
    const after = await file.stat({ bigint: true });
    if (before.mtimeNs === after.mtimeNs && before.size === after.size) return bytes;
  }
  throw new FileError('unreadable', 'changes while it is read');
}

function requireSmallFile(stats: BigIntStats, maxBytes: number): void {
  if (!stats.isFile()) throw new FileError('notAFile', `is ${kindOf(stats)}, not a regular file`);
  if (stats.size > maxBytes) throw tooLarge(maxBytes);
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** From the beginning to the end, whatever size the file system claims: files of /proc claim none. */
async function readBytes(file: OpenFile, maxBytes: number, deadlineAtMs: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  while (Date.now() <= deadlineAtMs) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, size);
    if (bytesRead === 0) return Buffer.concat(chunks);
    chunks.push(buffer.subarray(0, bytesRead));
    size += bytesRead;
    if (size > maxBytes) throw tooLarge(maxBytes);
  }
  throw new FileError('unanswered', 'is read too slowly');
}

function tooLarge(maxBytes: number): FileError {
  const isMebi = maxBytes >= 1024 * 1024;
  return new FileError(
    'tooLarge',
    `is larger than ${isMebi ? `${maxBytes / 1024 / 1024} MiB` : `${maxBytes / 1024} KiB`}`,
  );
}

/** The operating system's error about a file, in words for the person who has to correct it. Any other error is returned unchanged. */
export function toFileError(error: unknown): unknown {
  if (error instanceof FileError || !(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  const [kind, message] = SYSTEM_ERRORS[code] ?? (['unreadable', `cannot be read (${code})`] as const);
  return new FileError(kind, message, { cause: error });
}

const SYSTEM_ERRORS: Readonly<Record<string, readonly [FileError['code'], string]>> = {
  ENOENT: ['missing', 'does not exist, or is a link to nothing (ENOENT)'],
  ENXIO: ['notAFile', 'is a socket or a device, not a regular file'],
  ENODEV: ['notAFile', 'is a device, not a regular file'],
  ELOOP: ['unreadable', 'is a link that leads back to itself (ELOOP)'],
  EACCES: ['unreadable', 'may not be read by this user (EACCES)'],
  EPERM: ['unreadable', 'may not be read by this user (EPERM)'],
};
