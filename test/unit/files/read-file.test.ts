/** Files that do not answer, and paths that are not files: the reader soon gets the reason, and does not hold up the next one. */
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/files/file-access.js';
import { readSmallFile, readSmallFileBytes, readWhole } from '../../../src/files/read-file.js';

const KIB = 1024;
let folder = '';
let server: Server;
const at = (name: string) => join(folder, name);
const errorOf = async (path: string, maxBytes = KIB) => {
  const error: unknown = await readSmallFile(path, { maxBytes }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileError);
  return error as FileError;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-file-'));
  execFileSync('mkfifo', [at('pipe'), at('written-pipe')]);
  await mkdir(at('folder'));
  await symlink(at('nothing'), at('dangling'));
  await symlink(at('loop'), at('loop'));
  await symlink(at('pipe'), at('link-to-pipe'));
  await symlink(at('small'), at('link-to-small'));
  await writeFile(at('small'), 'text');
  await writeFile(at('exact'), 'x'.repeat(KIB));
  await writeFile(at('larger'), 'x'.repeat(KIB + 1));
  await writeFile(at('sparse'), '');
  await truncate(at('sparse'), 2 ** 40);
  server = createServer();
  await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

describe('a path that is not a small regular file', () => {
  it.each([
    ['a named pipe', 'pipe', 'notAFile', 'is a named pipe, not a regular file'],
    ['a link to a named pipe', 'link-to-pipe', 'notAFile', 'is a named pipe, not a regular file'],
    ['a socket', 'socket', 'notAFile', 'is a socket or a device, not a regular file'],
    ['a folder', 'folder', 'notAFile', 'is a folder, not a regular file'],
    ['a link to nothing', 'dangling', 'missing', 'does not exist, or is a link to nothing (ENOENT)'],
    ['a link to itself', 'loop', 'unreadable', 'is a link that leads back to itself (ELOOP)'],
    ['a file one byte too large', 'larger', 'tooLarge', 'is larger than 1 KiB'],
    ['a file of a terabyte of holes', 'sparse', 'tooLarge', 'is larger than 1 KiB'],
    ['a file in a file', 'small/x', 'unreadable', 'cannot be read (ENOTDIR)'],
  ])('is refused with the reason: %s', async (_what, name, code, message) => {
    expect(await errorOf(at(name))).toMatchObject({ code, message });
  });

  it.each(['/dev/zero', '/dev/null', '/dev/random'])('is refused with the reason: %s', async (path) => {
    expect(await errorOf(path)).toMatchObject({ code: 'notAFile', message: 'is a device, not a regular file' });
  });

  it('is refused while somebody writes to the pipe, which stays unread', async () => {
    const readAndWrite = 'r+';
    const pipe = await open(at('written-pipe'), readAndWrite);
    await pipe.write('name: x');
    expect((await errorOf(at('written-pipe'))).code).toBe('notAFile');
    expect((await pipe.read(Buffer.alloc(KIB), 0, KIB, null)).bytesRead).toBe('name: x'.length);
    await pipe.close();
  });

  it('keeps all threads of the pool free, however many read it', async () => {
    const errors = await Promise.all(Array.from({ length: 50 }, () => errorOf(at('pipe'))));
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['notAFile']));
    expect(await readSmallFile(at('small'), { maxBytes: KIB })).toBe('text');
  });
});

describe('a regular file', () => {
  it.each([
    ['of exactly the bytes that may be', 'exact', 'x'.repeat(KIB)],
    ['behind a link', 'link-to-small', 'text'],
  ])('is read completely: %s', async (_what, name, text) => {
    expect(await readSmallFile(at(name), { maxBytes: KIB })).toBe(text);
  });

  it('is read completely although its size is given as 0', async () => {
    expect(await readSmallFile('/proc/self/status', { maxBytes: 64 * KIB })).toMatch(/^Name:/);
  });

  it.each([
    ['UTF-8 with a mark', Buffer.from('\uFEFFnäme: x')],
    ['UTF-16, little end first', Buffer.from('\uFEFFnäme: x', 'utf16le')],
    ['UTF-16, big end first', Buffer.from('\uFEFFnäme: x', 'utf16le').swap16()],
  ])('becomes text without its byte order mark: %s', async (_what, bytes) => {
    await writeFile(at('marked'), bytes);
    expect(await readSmallFile(at('marked'), { maxBytes: KIB })).toBe('näme: x');
    expect(await readSmallFileBytes(at('marked'), { maxBytes: KIB })).toEqual(bytes);
  });

  it('is read again if it changed meanwhile, and refused if it keeps changing', async () => {
    await writeFile(at('growing'), 'a');
    const file = await open(at('growing'));
    const growing = (times: number, grows: (bytesRead: number) => boolean) => ({
      stat: file.stat.bind(file),
      read: (async (...given: Parameters<typeof file.read>) => {
        const read = await file.read(...given);
        if (grows(read.bytesRead) && times-- > 0) await appendFile(at('growing'), 'b');
        return read;
      }) as typeof file.read,
    });
    const soon = Date.now() + 60_000;
    const always = () => true;
    const atItsEnd = (bytesRead: number) => bytesRead === 0;
    expect((await readWhole(growing(1, always), KIB, soon)).toString()).toBe('ab');
    expect((await readWhole(growing(1, atItsEnd), KIB, soon)).toString()).toBe('abb');
    const endless = readWhole(growing(Infinity, atItsEnd), KIB, soon);
    await expect(endless).rejects.toMatchObject({ code: 'unreadable', message: 'changes while it is read' });
    const growsFast = readWhole(growing(Infinity, always), KIB, soon);
    await expect(growsFast).rejects.toMatchObject({ code: 'tooLarge', message: 'is larger than 1 KiB' });
    await file.close();
  });
});
