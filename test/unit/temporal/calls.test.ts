import { ValueError } from '@temporalio/common';
import { expect, it } from 'vitest';
import { reasonOf, toClientError } from '../../../src/temporal/calls.js';

it('an encrypted payload that this process has no key for is an error that names the variables', () => {
  const error = toClientError(new ValueError('Unknown encoding: binary/encrypted'), 'run');
  expect(error).toMatchObject({ name: 'AccessDenied', message: expect.stringContaining('RUNBOOK_ENCRYPTION_KEYS') });
  const other = new ValueError('Unknown encoding: odd');
  expect(toClientError(other, 'run')).toBe(other);
});

it.each([
  [
    'Error: 80FC30A7EB7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl3_record.c:350:\n',
    'it does not use TLS',
  ],
  [
    'Error: 40A7:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../deps/openssl/rec.c:1605:SSL alert number 42\n',
    'sslv3 alert bad certificate',
  ],
  ['Failed to connect (2026-11-30T23:00:40.449Z)', 'it closed the connection at once, as one that expects TLS does'],
  [
    "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames",
    "Hostname/IP does not match certificate's altnames",
  ],
  ['Error: connect ECONNREFUSED 127.0.0.1:9', 'connect ECONNREFUSED 127.0.0.1:9'],
])('the cause of a failed connection is shown without codes: %s', (lastError, reason) => {
  expect(reasonOf(new Error(`No connection established. Last error: ${lastError}. Resolution note: `))).toBe(reason);
});
