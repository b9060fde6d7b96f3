/** The server's reason for a lost attempt, in plain words. */
import { expect, it } from 'vitest';
import { plainFailure } from '../../../src/client/lost-attempt.js';

it('a heartbeat timeout is explained, and every other reason is kept', () => {
  expect(plainFailure('activity Heartbeat timeout')).toBe('its worker crashed, was killed, or lost its connection');
  expect(plainFailure('GET /v3/x: ECONNREFUSED')).toBe('GET /v3/x: ECONNREFUSED');
});
