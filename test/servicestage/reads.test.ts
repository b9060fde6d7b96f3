/** Reads over real sockets: time limits, abort, bodies that are too large or unreadable, and paging without end. */
import { describe, expect, it } from 'vitest';
import { clientOf, failureOf, READ, TARGET } from './client.js';
import { answer, startRawServer, type Behaviour } from './raw-server.js';

const INSTANCE = { status_detail: { status: 'RUNNING' } };

describe('a read', () => {
  it.each<{ name: string; behaviour: Behaviour; message: RegExp }>([
    { name: 'is reset', behaviour: { onRequest: (socket) => socket.resetAndDestroy() }, message: /ECONNRESET/ },
    { name: 'is never answered', behaviour: {}, message: /ETIMEDOUT/ },
    {
      name: 'gets HTML of a load balancer',
      behaviour: { onRequest: (socket) => answer(socket, 502, '<html><h1>502 Bad Gateway</h1></html>') },
      message: /502: 502 Bad Gateway$/,
    },
    {
      name: 'gets a redirect',
      behaviour: { onRequest: (socket) => answer(socket, 307, '', { Location: '/elsewhere' }) },
      message: /307/,
    },
    {
      name: 'gets a body larger than 8 MiB',
      behaviour: { onRequest: (socket) => answer(socket, 200, 'x'.repeat(9 * 1024 * 1024)) },
      message: /larger than 8 MiB/,
    },
  ])('that $name is Unreachable, asked once', async ({ behaviour, message }) => {
    const server = await startRawServer(behaviour);
    const error = await failureOf(clientOf(server).readInstance(TARGET, { timeoutMs: 500 }));
    expect(error).toMatchObject({ code: 'Unreachable', sent: 'no' });
    expect(error.message).toMatch(message);
    expect(server.arrivals).toHaveLength(1);
  });

  it.each([
    ['no JSON', '<html>OK</html>'],
    ['nothing', ''],
    ['JSON without the status', { status_detail: {} }],
  ])('that gets 200 with %s is an UnreadableAnswer', async (_name, body) => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, body) });
    const error = await failureOf(clientOf(server).readInstance(TARGET, READ));
    expect(error).toMatchObject({ code: 'UnreadableAnswer', sent: 'no' });
    expect(error.message).toContain('undocumented shape');
  });

  it('that is aborted on the way rethrows the reason of the signal', async () => {
    const abort = new AbortController();
    const reason = new Error('the worker shuts down');
    const server = await startRawServer({ onRequest: () => abort.abort(reason) });
    const reading = clientOf(server).readInstance(TARGET, { timeoutMs: 5_000, signal: abort.signal });
    await expect(reading).rejects.toBe(reason);
  });

  it('that was aborted before it began sends nothing', async () => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, INSTANCE) });
    const reason = new Error('cancelled');
    const reading = clientOf(server).readInstance(TARGET, { ...READ, signal: AbortSignal.abort(reason) });
    await expect(reading).rejects.toBe(reason);
    expect(server.connections).toBe(0);
  });

  it('that waits for the budget is aborted too', async () => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, INSTANCE) });
    const client = clientOf({ ...server, requestsPerSecond: 0.001, burst: 1 });
    await client.readInstance(TARGET, READ);
    const abort = new AbortController();
    const waiting = expect(client.readInstance(TARGET, { ...READ, signal: abort.signal })).rejects.toThrow('cancelled');
    abort.abort(new Error('cancelled'));
    await waiting;
    expect(server.arrivals).toHaveLength(1);
  });
});

describe('the request budget of a client', () => {
  it('gives a POST that finds no place BudgetExhausted, unsent, and a released place to the next, once', async () => {
    const server = await startRawServer({ onRequest: (socket) => answer(socket, 200, INSTANCE) });
    const client = clientOf({ ...server, requestsPerSecond: 0.001, burst: 2 });
    const reserve = () => client.reservePost({ budgetWaitMs: 50, credentialsWaitMs: 100 });
    const held = await reserve();
    await reserve();
    expect(await failureOf(reserve())).toMatchObject({ code: 'BudgetExhausted', sent: 'no' });
    held.release();
    held.release();
    await reserve();
    expect(await failureOf(reserve())).toMatchObject({ code: 'BudgetExhausted', sent: 'no' });
    expect(server.connections).toBe(0);
  });

  it('closes for everybody after a 429', async () => {
    const text = 'policy user over ratelimit,limit:5,time:5 minute';
    const server = await startRawServer({
      onRequest: (socket) => answer(socket, 429, { error_code: 'APIGW.0308', error_msg: text }),
    });
    const client = clientOf(server);
    const throttled = await failureOf(client.readInstance(TARGET, READ));
    expect(throttled).toMatchObject({ code: 'Throttled', sent: 'no', retryAfterMs: 300_000 });
    const error = await failureOf(client.reservePost({ budgetWaitMs: 50, credentialsWaitMs: 100 }));
    expect(error.code).toBe('BudgetExhausted');
    expect(server.arrivals).toHaveLength(1);
  });
});

describe('paging', () => {
  const rows = (count: number) => Array.from({ length: count }, (_row, index) => ({ id: `app-${index}`, name: 'n' }));
  const offsetOf = (path: string) => Number(new URL(path, 'http://host').searchParams.get('offset'));

  it('continues without a total while pages are full', async () => {
    const server = await startRawServer({
      onRequest: (socket, { path }) =>
        answer(socket, 200, { applications: rows(230).slice(offsetOf(path), offsetOf(path) + 100) }),
    });
    expect(await clientOf(server).listApplications(READ)).toHaveLength(230);
    expect(server.arrivals).toHaveLength(3);
  });

  it('reads a long list in two calls, where the total shows how long it is', async () => {
    const limitOf = (path: string) => Number(new URL(path, 'http://host').searchParams.get('limit'));
    const server = await startRawServer({
      onRequest: (socket, { path }) => {
        const page = rows(1_050).slice(offsetOf(path), offsetOf(path) + limitOf(path));
        answer(socket, 200, { count: 1_050, applications: page });
      },
    });
    expect(await clientOf(server).listApplications(READ)).toHaveLength(1_050);
    expect(server.arrivals.map(({ path }) => limitOf(path))).toEqual([100, 1_000]);
  });

  it('reads on where a server takes the larger page for its smallest', async () => {
    const server = await startRawServer({
      onRequest: (socket, { path }) => {
        const most = path.includes('limit=1000') ? 10 : 100;
        answer(socket, 200, { count: 3_000, applications: rows(3_000).slice(offsetOf(path), offsetOf(path) + most) });
      },
    });
    expect(await clientOf(server).listApplications(READ)).toHaveLength(3_000);
    expect(server.arrivals.filter(({ path }) => path.includes('limit=1000'))).toHaveLength(1);
  });

  it('ends when a page comes back empty, whatever the total is', async () => {
    const server = await startRawServer({
      onRequest: (socket, { path }) =>
        answer(socket, 200, { count: 1_000, applications: offsetOf(path) === 0 ? rows(3) : [] }),
    });
    expect(await clientOf(server).listApplications(READ)).toHaveLength(3);
    expect(server.arrivals).toHaveLength(2);
  });

  it('ends even when the API pages for ever', async () => {
    const server = await startRawServer({
      onRequest: (socket) => answer(socket, 200, { count: 1_000_000, applications: rows(1) }),
    });
    expect(await clientOf(server).listApplications(READ)).toHaveLength(200);
  });
});

it('reports each unlisted status once', async () => {
  const server = await startRawServer({
    onRequest: (socket, { path }) =>
      answer(
        socket,
        200,
        path.includes('/jobs/')
          ? { job: { JOB_ID: 'JOB1', EXECUTION_STATUS: 'PAUSED' } }
          : { status_detail: { status: 'GRAYING' } },
      ),
  });
  const unlisted: string[] = [];
  const client = clientOf({ ...server, onUnlistedStatus: (status) => unlisted.push(status) });
  for (let round = 0; round < 2; round++) {
    expect((await client.readInstance(TARGET, READ)).status).toBe('GRAYING');
    expect((await client.readCloudJob('JOB1', READ)).status).toBe('PAUSED');
  }
  expect(unlisted).toEqual(['GRAYING', 'PAUSED']);
});
