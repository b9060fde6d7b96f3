/** An access key in files that are replaced while requests are signed: halves, an old key, and what is sent again. */
import { describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/servicestage/auth.js';
import { Secret } from '../../src/servicestage/secret.js';
import { clientOf, failureOf, post, READ, TARGET } from './client.js';
import { answer, startRawServer, type Arrival } from './raw-server.js';

const accessKeyIn = ({ head }: Arrival) => /Access=([^,]+)/.exec(head)?.[1];
const INSTANCE = { name: 'prod-1', status_detail: { status: 'RUNNING', replica: 1, available_replica: 1 } };
const REFUSED = {
  error_code: 'APIGW.0301',
  error_msg: 'Incorrect IAM authentication information: verify aksk signature fail',
};

/** A server that takes one key, and files whose cache still has the key of before until they are read again. */
async function server({ onDisk }: { readonly onDisk: string }) {
  const running = await startRawServer({
    onRequest: (socket, arrival) => {
      if (accessKeyIn(arrival) !== 'AK2') answer(socket, 401, REFUSED);
      else answer(socket, 200, arrival.head.startsWith('POST') ? { job_id: 'JOB-1' } : INSTANCE);
    },
  });
  let cached = 'AK1';
  const key = (accessKey: string) => ({ accessKey, secretKey: new Secret(`secret-of-${accessKey}`) });
  const credentials: Credentials = {
    kind: 'keyFiles',
    read: () => key(cached),
    readAgain: () => key((cached = onDisk)),
  };
  return { running, client: clientOf({ endpoint: running.endpoint, credentials }) };
}

describe('a key that was just replaced', () => {
  it('a read that is refused is made once more, with the key that is in the files now', async () => {
    const { running, client } = await server({ onDisk: 'AK2' });
    expect(await client.readInstance(TARGET, READ)).toMatchObject({ status: 'RUNNING' });
    expect(running.arrivals.map(accessKeyIn)).toEqual(['AK1', 'AK2']);
  });

  it('a POST that is refused is not repeated here: the next attempt has the new key', async () => {
    const { running, client } = await server({ onDisk: 'AK2' });
    expect(await failureOf(post(client))).toMatchObject({ code: 'TokenExpired', sent: 'no' });
    expect(await post(client)).toEqual({ cloudJobId: 'JOB-1' });
    expect(running.arrivals.map(accessKeyIn)).toEqual(['AK1', 'AK2']);
  });
});

it('a key that is still the one in the files is not tried again: the API locks keys', async () => {
  const { running, client } = await server({ onDisk: 'AK1' });
  expect(await failureOf(client.readInstance(TARGET, READ))).toMatchObject({ code: 'NotAllowed', httpStatus: 401 });
  expect(await failureOf(post(client))).toMatchObject({ code: 'NotAllowed', sent: 'no' });
  expect(running.arrivals).toHaveLength(2);
});

it('a ready-made token in a file is replaced in the same way', async () => {
  const running = await startRawServer({
    onRequest: (socket, { head }) =>
      /x-auth-token: new/i.test(head)
        ? answer(socket, 200, INSTANCE)
        : answer(socket, 401, { error_code: 'APIGW.0307', error_msg: 'The token must be updated' }),
  });
  let cached = 'old';
  const token = new Secret({ read: () => cached, readAgain: () => (cached = 'new') });
  const client = clientOf({ endpoint: running.endpoint, credentials: { kind: 'token', token } });
  expect(await client.readInstance(TARGET, READ)).toMatchObject({ status: 'RUNNING' });
});
