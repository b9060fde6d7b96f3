/** The keys of a running process follow their file. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EncryptionCodec } from '../../../src/codec/encryption-codec.js';
import { readEncryptionKeys } from '../../../src/codec/encryption-keys.js';
import { KeyRing, type KeysChange } from '../../../src/codec/key-ring.js';
import { encryptionCodec } from '../../../src/codec/keys-file-codec.js';

const A = `a ${randomBytes(32).toString('base64')}`;
const B = `b ${randomBytes(32).toString('base64')}`;

async function ringOf(...lines: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'keys-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'keys');
  const write = (...content: readonly string[]) => writeFile(file, content.join('\n'));
  await write(...lines);
  const keys = readEncryptionKeys(lines.join('\n'));
  if (typeof keys === 'string') throw new Error(keys);
  const time = { nowMs: 1_000_000 };
  const problems: (string | null)[] = [];
  const changes: KeysChange[] = [];
  const ring = new KeyRing(file, keys, {
    clock: () => time.nowMs,
    onProblem: (problem) => problems.push(problem),
    onChange: (change) => changes.push(change),
  });
  return { ring, file, write, time, problems, changes };
}

describe('the keys of a process', () => {
  it('are read again when they are used and older than 5 s, without a restart', async () => {
    const { ring, write, time } = await ringOf(A);
    await write(B, A);
    time.nowMs += 4_999;
    expect((await ring.active()).id).toBe('a');
    time.nowMs += 1;
    expect((await ring.active()).id).toBe('b');
    expect(ring.ids()).toEqual(['b', 'a']);
  });

  it('are read at once for a payload of an unknown key, but not for each', async () => {
    const { ring, write, time } = await ringOf(A);
    await write(A, B);
    time.nowMs += 500;
    expect(await ring.find('b')).toBeDefined();
    await write(A);
    expect(await ring.find('c')).toBeUndefined();
    expect(await ring.find('b')).toBeDefined();
  });

  it('lose a key that was taken out, also in a process that was idle', async () => {
    const { ring, write, time } = await ringOf(A, B);
    await write(B);
    time.nowMs += 60 * 60_000;
    expect((await ring.active()).id).toBe('b');
    expect(await ring.find('a')).toBeUndefined();
  });

  it('stay while the file is missing or wrong, which is reported once, and once when it is over', async () => {
    const { ring, file, write, time, problems } = await ringOf(A);
    const later = async () => {
      time.nowMs += 5_000;
      return (await ring.active()).id;
    };
    await rm(file);
    expect([await later(), await later()]).toEqual(['a', 'a']);
    await write('half a li');
    expect(await later()).toBe('a');
    expect(ring.problem).toBe('line 1 is not a key id and a key, with a space between them');
    await write(B, A);
    expect(await later()).toBe('b');
    expect(problems).toEqual([
      'does not exist, or is a link to nothing (ENOENT)',
      'line 1 is not a key id and a key, with a space between them',
      null,
    ]);
  });

  it('are reported by their ids once they have changed, and only then', async () => {
    const { ring, write, time, changes } = await ringOf(A);
    const after = async (...lines: readonly string[]) => {
      await write(...lines);
      time.nowMs += 5_000;
      await ring.active();
      return changes.splice(0);
    };
    expect(await after('# a comment', A)).toEqual([]);
    expect(await after(A, B)).toEqual([{ active: 'a', added: ['b'], removed: [] }]);
    expect(await after(A, B)).toEqual([]);
    expect(await after(B, A)).toEqual([{ active: 'b', added: [], removed: [] }]);
    expect(await after('half a li')).toEqual([]);
    expect(await after(B)).toEqual([{ active: 'b', added: [], removed: ['a'] }]);
  });

  it('stay if an id got another key, since no process could read what the first one wrote', async () => {
    const { ring, write, time, problems } = await ringOf(A);
    await write(B.replace('b', 'a'));
    time.nowMs += 5_000;
    const { key } = await ring.active();
    expect(key.export().toString('base64')).toBe(A.slice(2));
    expect(problems).toEqual(['the key "a" is another one than before: give a new key a new id']);
  });

  it('are read once by all who come at the same time', async () => {
    const { ring, write, time, problems } = await ringOf(A);
    await write('');
    time.nowMs += 5_000;
    await Promise.all(Array.from({ length: 50 }, () => ring.active()));
    expect(problems).toEqual(['it has no key']);
  });
});

describe('the codec of a file of keys', () => {
  it('is the one that the worker makes from it', async () => {
    const { ring, file } = await ringOf(A);
    const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') };
    const [encrypted = {}] = await encryptionCodec({ keysFile: file }).encode([payload]);
    const [back] = await new EncryptionCodec(ring).decode([encrypted]);
    expect(back).toMatchObject(payload);
  });

  it('is not made of a file that is wrong or missing', async () => {
    const { file, write } = await ringOf(A);
    await write('');
    expect(() => encryptionCodec({ keysFile: file })).toThrow(
      `The file of keys "${file}" cannot be used: it has no key`,
    );
    expect(() => encryptionCodec({ keysFile: `${file}-missing` })).toThrow(`"${file}-missing" does not exist`);
  });
});
