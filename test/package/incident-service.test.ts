/** The example service as a process, through real HTTP: starts once for a key, reports, streams, cancels, refuses, and ends in order. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const MAIN = fileURLToPath(new URL('../../examples/incident-service/main.ts', import.meta.url));
const temporal = useTemporal();
let stack: Stack;
let service: Service;
beforeAll(async () => {
  stack = await startStack(temporal);
  service = await startService(temporal.address);
});
/** Also after a test that failed while it held the clock. */
afterEach(() => stack.control.time({ freeze: false }));
afterAll(async () => {
  service.child.kill('SIGKILL');
  await stack.close();
});

interface Service {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<number | null>;
}

async function startService(address: string): Promise<Service> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
    env: {
      PATH: process.env['PATH'],
      TEMPORAL_ADDRESS: address,
      RUNBOOK_TASK_QUEUE: temporal.taskQueue,
      PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  void ended.then(() => process.removeListener('exit', onExit));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listens on (\S+)/.exec(line)?.[1];
    if (url !== undefined) return { child, url, ended };
  }
  throw new Error('The service ended before it listened');
}

async function call(method: string, path: string, body?: unknown, { url } = service) {
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(`${url}${path}`, { method, body: text });
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Record<string, unknown> };
}

/** Events until the stream ends. */
async function eventsOf(path: string): Promise<{ event: string; data: Record<string, unknown> }[]> {
  const text = await (await fetch(`${service.url}${path}`)).text();
  return [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, event = '', data = '']) => ({
    event,
    data: JSON.parse(data) as Record<string, unknown>,
  }));
}

describe('the example service', () => {
  it('starts one run for a key, streams its progress, and returns its report', async () => {
    const { instanceId, path } = await stack.newInstance();
    const recovery = { target: path, reason: 'a test' };
    const first = await call('POST', `/incidents/${instanceId}/recover`, recovery);
    expect(first).toMatchObject({ status: 202, json: { started: 'started', run: `incident-${instanceId}` } });
    expect(first.headers.get('location')).toBe(`/incidents/${instanceId}`);
    const second = await call('POST', `/incidents/${instanceId}/recover`, recovery);
    expect(second).toMatchObject({ status: 200, json: { started: 'attached' } });
    const events = await eventsOf(`/incidents/${instanceId}/events`);
    expect(events.filter(({ event }) => event === 'progress').length).toBeGreaterThan(1);
    expect(events.at(-1)).toEqual({ event: 'end', data: { outcome: 'succeeded' } });
    const { json } = await call('GET', `/incidents/${instanceId}`);
    expect(json).toMatchObject({ state: 'ended', outcome: 'succeeded', report: { reason: 'a test' } });
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
    const other = await call('POST', `/incidents/${instanceId}/recover`, { ...recovery, version: '1.3.2' });
    expect(other).toMatchObject({ status: 409, json: { error: { name: 'RunIdTaken' } } });
  });

  it('shows the run in progress, and cancels it', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.time({ freeze: true });
    await call('POST', `/incidents/${instanceId}/recover`, { target: path });
    expect((await call('GET', `/incidents/${instanceId}`)).json).toMatchObject({ state: 'underWay' });
    while ((await stack.accepted(instanceId)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await call('POST', `/incidents/${instanceId}/cancel`)).toMatchObject({ json: { cancel: 'requested' } });
    await stack.control.time({ freeze: false });
    expect((await eventsOf(`/incidents/${instanceId}/events`)).at(-1)).toMatchObject({
      data: { outcome: 'cancelled' },
    });
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });

  it('refuses wrong requests with every problem at once, and finds no run for an unknown key', async () => {
    const wrong = await call('POST', '/incidents/4711/recover', { target: 'prod-1', verison: '1.4.0' });
    expect(wrong.status).toBe(400);
    expect(JSON.stringify(wrong.json)).toMatch(/target: write application.*verison/);
    expect(await call('POST', '/incidents/4711/recover', '{')).toMatchObject({ status: 400 });
    expect(await call('POST', `/incidents/${encodeURIComponent('a b')}/recover`, {})).toMatchObject({ status: 400 });
    for (const path of ['/incidents/unknown', '/incidents/unknown/events'])
      expect(await call('GET', path)).toMatchObject({ status: 404, json: { error: { name: 'RunNotFound' } } });
  });

  it('is healthy while Temporal answers, and answers 503 when it is unreachable', async () => {
    expect(await call('GET', '/health')).toMatchObject({ status: 200, json: { temporal: 'reachable', worker: true } });
    const alone = await startService('127.0.0.1:9');
    expect(await call('GET', '/health', undefined, alone)).toMatchObject({ status: 503 });
    const start = await call('POST', '/incidents/4711/recover', { target: 'a/b/c' }, alone);
    expect(start).toMatchObject({ status: 503, json: { error: { name: 'ServerUnreachable' } } });
    expect(start.headers.get('retry-after')).toBe('5');
    alone.child.kill('SIGTERM');
    expect(await alone.ended).toBe(0);
  });

  it('ends in order on SIGTERM: open streams are closed, runs continue', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.time({ freeze: true });
    await call('POST', `/incidents/${instanceId}/recover`, { target: path });
    const stream = await fetch(`${service.url}/incidents/${instanceId}/events`);
    service.child.kill('SIGTERM');
    expect(await stream.text()).not.toContain('event: end');
    expect(await service.ended).toBe(0);
    await stack.control.time({ freeze: false });
    expect((await stack.report(`incident-${instanceId}`)).outcome).toBe('succeeded');
  });
});
