/** A worker without work notices a replaced secret within seconds, and its next probe asks whether it is accepted. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SecretFileNotice } from '../../../src/config/secret-files.js';
import { followSecretFiles } from '../../../src/worker/follow-secret-files.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('checks the files until it is stopped, and only a new value is asked about', async () => {
  let report: (notice: SecretFileNotice) => void = () => {};
  const checks: SecretFileNotice[] = [
    { level: 'warn', text: 'SK_FILE: the file is empty; the value of before still counts' },
    { level: 'info', text: 'SK_FILE: the new value counts from now on' },
  ];
  const lines: unknown[] = [];
  const line = (level: string) => (fields: object) => void lines.push([level, fields]);
  let asked = 0;
  let keysChecked = 0;
  const stop = followSecretFiles(
    {
      secretFiles: {
        reportTo: (to) => (report = to),
        check: () => {
          const notice = checks.shift();
          if (notice !== undefined) report(notice);
        },
      },
      checkKeys: () => void keysChecked++,
    },
    { secretChanged: () => void asked++ },
    { info: line('info'), warn: line('warn') },
    1_000,
  );
  await vi.advanceTimersByTimeAsync(1_000);
  expect([lines.length, asked]).toEqual([1, 0]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(lines).toEqual([
    ['warn', { what: 'SK_FILE: the file is empty; the value of before still counts' }],
    ['info', { what: 'SK_FILE: the new value counts from now on' }],
  ]);
  expect([asked, keysChecked]).toEqual([1, 2]);
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
