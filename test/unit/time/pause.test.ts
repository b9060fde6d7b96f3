import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { orDeadline } from '../../../src/time/pause.js';

describe('orDeadline', () => {
  it('returns the result of the promise, or null once the deadline has passed', async () => {
    expect(await orDeadline(Promise.resolve('there'), Date.now() + 1_000)).toBe('there');
    expect(await orDeadline(delay(200, 'late'), Date.now() + 10)).toBeNull();
  });
});
