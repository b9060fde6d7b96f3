/** The schedule files of docs/schedules.md are right, are applied as they stand, and need nothing the second time. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { useSchedules } from '../support/schedules.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useSchedules(temporal);

it('every schedule file in the documentation can be applied', async () => {
  const text = await readFile(new URL('../../docs/schedules.md', import.meta.url), 'utf8');
  const files = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, block = '']) => block)
    .filter((block) => /^owner:/m.test(block));
  expect(files.length).toBeGreaterThan(0);
  for (const block of files) {
    const owner = desk.newOwner();
    const file = await desk.file(owner, block.replace(/^owner: \S+/m, `owner: ${owner}`));
    expect((await desk.apply(file)).every(({ result }) => result === 'created')).toBe(true);
    expect((await desk.diff(file)).every(({ status }) => status === 'unchanged')).toBe(true);
  }
});
