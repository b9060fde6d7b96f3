/** The pages for probes and Prometheus over HTTP. */
import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Verdict } from '../../src/health/checks.js';
import { serveHealth, type HealthPages } from '../../src/health/server.js';

const fine: Verdict = { ok: true, reason: 'fine' };

async function serve(pages: Partial<HealthPages> = {}): Promise<string> {
  const server = await serveHealth(
    {
      live: () => fine,
      ready: async () => ({ ready: true, checks: { temporal: fine } }),
      metrics: async () => ({ type: 'text/plain; version=0.0.4', text: 'a_total 1\n' }),
      ...pages,
    },
    { host: '127.0.0.1', port: 0 },
  );
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

describe('the pages', () => {
  it('answer 200 with reasons while all is well', async () => {
    const url = await serve();
    const live = await fetch(`${url}/livez`);
    expect([live.status, await live.json()]).toEqual([200, { live: true, reason: 'fine' }]);
    const ready = await fetch(`${url}/readyz?verbose`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, checks: { temporal: fine } }]);
    const metrics = await fetch(`${url}/metrics`);
    expect([metrics.status, metrics.headers.get('content-type'), await metrics.text()]).toEqual([
      200,
      'text/plain; version=0.0.4',
      'a_total 1\n',
    ]);
  });

  it('answer 503 with reasons if something is wrong', async () => {
    const down: Verdict = { ok: false, reason: 'Temporal cannot be reached' };
    const url = await serve({ live: () => down, ready: async () => ({ ready: false, checks: { temporal: down } }) });
    const live = await fetch(`${url}/livez`);
    expect([live.status, await live.json()]).toEqual([503, { live: false, reason: 'Temporal cannot be reached' }]);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, checks: { temporal: down } }]);
  });

  it('answer HEAD without a body, other methods with 405 and other paths with 404', async () => {
    const url = await serve();
    const head = await fetch(`${url}/readyz`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x'.repeat(1_000_000) });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`${url}/livez/../secret`)).status).toBe(404);
    expect((await fetch(url)).status).toBe(404);
  });

  it('show no internal error', async () => {
    const url = await serve({ metrics: () => Promise.reject(new Error('the-secret-key')) });
    const answer = await fetch(`${url}/metrics`);
    expect([answer.status, await answer.text()]).toEqual([500, '{"error":"failed"}\n']);
  });
});

it('refuses to start where the port is taken', async () => {
  const url = await serve();
  const pages = {
    live: () => fine,
    ready: async () => ({ ready: true, checks: {} }),
    metrics: async () => ({ type: '', text: '' }),
  };
  await expect(serveHealth(pages, { host: '127.0.0.1', port: Number(new URL(url).port) })).rejects.toThrow(
    'EADDRINUSE',
  );
});

it('closes at once, even if a client is still connected', async () => {
  const server = await serveHealth(
    { live: () => fine, ready: () => new Promise(() => {}), metrics: async () => ({ type: 'text/plain', text: '' }) },
    { host: '127.0.0.1', port: 0 },
  );
  const waiting = request({ port: server.port, path: '/readyz' }).end();
  const cut = new Promise<void>((resolve) => waiting.once('error', () => resolve()));
  await new Promise<void>((resolve) => waiting.once('socket', (socket) => socket.once('connect', () => resolve())));
  await server.close();
  await cut;
});
