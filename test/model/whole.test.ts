/** What `npm test` plays a sample of, as a whole: more than a minute of CPU, so it is part of `npm run test:system`. */
import { expect, it } from 'vitest';
import { OPERATED, playOperated } from './operated-seeds.js';
import { runProgram } from './programs.js';

/** Far more than needed, so that a slow machine does not fail the test. */
const LONGEST_MS = 900_000;

it(
  'every case of the exhaustive suite leads where its table says and breaks no promise',
  { timeout: LONGEST_MS },
  async () => {
    const { exitCode, output } = await runProgram('run-exhaustive.ts');
    expect(output).toMatch(/^0 lines differ, 0 promises broken, /m);
    expect(exitCode).toBe(0);
  },
);

it('no retry is sent too early in 10,000 more interleavings', { timeout: LONGEST_MS }, () => {
  const { broken, counts } = playOperated(5_001, 15_000);
  expect(broken.slice(0, 10)).toEqual([]);
  for (const what of OPERATED) expect(counts[what], what).toBeGreaterThan(200);
});
