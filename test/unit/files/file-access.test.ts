/** A file system that does not answer, such as a network share whose server is unreachable: the test answers the operations. */
import { describe, expect, it } from 'vitest';
import { FileAccess } from '../../../src/files/file-access.js';

const LONG_MS = 60_000;
const SHORT_MS = 1;
/** An operation that the kernel does not answer until `answer` is called. */
function unanswered() {
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  return { answer, operation: () => answered };
}
const at = async () => 'read';

describe('a folder that does not answer', () => {
  it('is given up after the time limit, and refused at once until it answers', async () => {
    const access = new FileAccess();
    const { answer, operation } = unanswered();
    await expect(access.run('/nfs', SHORT_MS, operation)).rejects.toMatchObject({
      code: 'unanswered',
      message: 'was not read within 0.001 s',
    });
    expect(access.unanswered()).toEqual(['/nfs']);
    let asked = 0;
    const again = access.run('/nfs', LONG_MS, async () => void asked++);
    await expect(again).rejects.toThrow('is on a file system that does not answer');
    expect(asked).toBe(0);
    answer();
    await expect.poll(() => access.unanswered()).toEqual([]);
    expect(await access.run('/nfs', LONG_MS, at)).toBe('read');
  });

  it('occupies one place, however many read from it, and leaves the other for all other folders', async () => {
    const access = new FileAccess();
    const { answer, operation } = unanswered();
    const readers = Array.from({ length: 20 }, () => access.run('/nfs', SHORT_MS, operation));
    expect(await access.run('/etc', LONG_MS, at)).toBe('read');
    const ends = await Promise.allSettled(readers);
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
    expect(await access.run('/etc', LONG_MS, at)).toBe('read');
    answer();
  });

  it('leaves two threads of the pool free, whichever operations hang', async () => {
    const access = new FileAccess();
    let begun = 0;
    const { answer, operation } = unanswered();
    const readers = ['/a', '/b', '/c', '/d'].map((folder) =>
      access.run(folder, SHORT_MS, () => {
        begun++;
        return operation();
      }),
    );
    await Promise.allSettled(readers);
    expect(begun).toBe(2);
    await expect(access.run('/e', LONG_MS, at)).rejects.toMatchObject({ code: 'unanswered' });
    answer();
    await expect.poll(() => access.unanswered()).toEqual([]);
    expect(await access.run('/e', LONG_MS, at)).toBe('read');
  });
});

describe('operations that end', () => {
  it('pass on what they return or throw, one at a time for each folder, in order', async () => {
    const access = new FileAccess();
    const order: number[] = [];
    const job = (number: number) =>
      access.run('/x', LONG_MS, async () => {
        order.push(number);
        await new Promise(setImmediate);
        order.push(number);
        if (number === 2) throw new Error('second');
        return number;
      });
    const ends = await Promise.allSettled([job(1), job(2), job(3)]);
    expect(order).toEqual([1, 1, 2, 2, 3, 3]);
    expect(ends.map((end) => (end.status === 'fulfilled' ? end.value : String(end.reason)))).toEqual([
      1,
      'Error: second',
      3,
    ]);
  });
});
