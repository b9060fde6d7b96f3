import { ValueError } from '@temporalio/common';
import { expect, it } from 'vitest';
import { toClientError } from '../../../src/temporal/calls.js';

it('an encrypted payload that this process has no key for is an error that names the variables', () => {
  const error = toClientError(new ValueError('Unknown encoding: binary/encrypted'), 'run');
  expect(error).toMatchObject({ name: 'AccessDenied', message: expect.stringContaining('RUNBOOK_ENCRYPTION_KEYS') });
  const other = new ValueError('Unknown encoding: odd');
  expect(toClientError(other, 'run')).toBe(other);
});
