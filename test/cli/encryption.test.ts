/** Encryption by the environment alone, in the built processes: worker, command line, codec server, and their refusals. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../../src/worker.js';
import { endOf, runbookProcess, spawnCommand, untilShown } from '../support/command-line.js';
import { newKey, useEncryption } from '../support/encrypted.js';
import { plainPlaces } from '../support/plain-places.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const FIRST = newKey('2026-05');
const SECOND = newKey('2026-11');
const TOKEN = 'a-token-of-this-test-0123456789';

const plain = useTemporal();
const encrypted = useEncryption(plain, FIRST);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(encrypted.temporal);
});
afterAll(() => stack.close());

interface Payloads {
  readonly payloads: { readonly metadata: Record<string, string>; readonly data: string }[];
}

it('a worker and commands with a file of keys run encrypted, follow a rotation without a restart, and a codec server decrypts', async () => {
  const taskQueue = `encrypted-${randomUUID()}`;
  const file = await encrypted.keys(FIRST);
  const env = { ...encrypted.env, RUNBOOK_TASK_QUEUE: taskQueue, RUNBOOK_ENCRYPTION_KEYS: file };
  const workerLog: string[] = [];
  const worker = await startWorkerProcess({
    ...{ address: plain.address, taskQueue, simulator: stack.simulator },
    env: { RUNBOOK_ENCRYPTION_KEYS: file },
    onLine: (line) => workerLog.push(line),
  });
  onTestFinished(() => worker.kill('SIGKILL'));
  const server = spawnCommand(['codec-server', '--port', '0', '--json'], {
    ...env,
    RUNBOOK_CODEC_TOKEN: TOKEN,
    TEMPORAL_APIKEY: 'mistyped',
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  const ended = endOf(server);
  const { url } = JSON.parse((await untilShown(server, /\n/)).split('\n')[0] ?? '') as { url: string };

  /** Runs a runbook. @returns its first payload as the server has it */
  const run = async (reason: string): Promise<Payloads> => {
    const { path, instanceId } = await stack.newInstance();
    const id = `encrypted-${instanceId}`;
    const words = ['start', 'restart', '-t', path, '--id', id, '--reason', reason, '--wait'];
    expect(await runbookProcess(words, env)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(reason) as unknown,
    });
    const { events } = await plain.client.workflow.getHandle(id).fetchHistory();
    expect(plainPlaces(events, reason)).toEqual([]);
    const { input } = events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
    return {
      payloads: (input?.payloads ?? []).map(({ metadata, data }) => ({
        metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
        data: base64(data),
      })),
    };
  };
  const decoded = async (payloads: Payloads) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/decode`, { method: 'POST', headers, body: JSON.stringify(payloads) });
    const { payloads: [only] = [] } = (await answer.json()) as Partial<Payloads>;
    return Buffer.from(only?.data ?? '', 'base64').toString();
  };
  const keyOf = ({ payloads }: Payloads) =>
    Buffer.from(payloads[0]?.metadata['encryption-key-id'] ?? '', 'base64').toString();

  const old = await run('before-the-rotation');
  await writeFile(file, `${FIRST}\n${SECOND}\n`);
  await writeFile(file, `${SECOND}\n${FIRST}\n`);
  // The worker has read the first key alone, and meets the second one in the start of this run.
  const rotated = await run('after-the-rotation');
  expect([keyOf(old), keyOf(rotated)]).toEqual(['2026-05', '2026-11']);
  const aboutKeys = workerLog.filter((line) => line.includes('"msg":"encryption keys"')).join('\n');
  expect(aboutKeys).toContain(`"what":"The file of keys ${file} has changed: 2026-11 encrypts`);
  for (const key of [FIRST, SECOND]) expect(aboutKeys).not.toContain(key.split(' ')[1] ?? key);
  expect(await decoded(old)).toContain('before-the-rotation');
  expect(await decoded(rotated)).toContain('after-the-rotation');
  server.kill('SIGTERM');
  const { exitCode, stdout, stderr } = await ended;
  expect([exitCode, stderr]).toEqual([0, 'The codec server has stopped\n']);
  // The address is the first line also where the log has a warning about the start.
  const [address, ...log] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(address).toEqual({ url, origins: [] });
  expect(log.slice(0, 2)).toMatchObject([
    { level: 'info', msg: 'codec server ready', origins: [], unauthenticated: false },
    { level: 'warn', msg: 'configuration warning' },
  ]);
});

describe('a process is refused', () => {
  it.each([[['worker']], [['ls']], [['codec-server']]])('with a wrong file of keys: %j', async (words) => {
    const env = { ...encrypted.env, RUNBOOK_ENCRYPTION_KEYS: await encrypted.keys('2026-11 bm90IGEga2V5') };
    const { exitCode, stderr } = await runbookProcess(words, env);
    expect(stderr).toContain(
      'RUNBOOK_ENCRYPTION_KEYS: the file of keys: line 1 has a key "2026-11" of 9 bytes instead of 32',
    );
    expect(exitCode).toBe(2);
  });

  it('as a worker that brings a codec of its own as well', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => written.mockRestore());
    const { projectId: HUAWEICLOUD_SDK_PROJECT_ID, url: SERVICESTAGE_ENDPOINT } = stack.simulator;
    const serviceStage = { HUAWEICLOUD_SDK_PROJECT_ID, SERVICESTAGE_ENDPOINT, SERVICESTAGE_TOKEN: 'x' };
    const env = { ...encrypted.env, ...serviceStage };
    expect(await main(env, { dataConverter: { payloadCodecs: [] } })).toBe(2);
    expect(written.mock.calls.join()).toContain('the process that calls the worker brings a data converter of its own');
  });

  it('as a codec server that anyone could use', async () => {
    expect(
      await runbookProcess(['codec-server', '--host', '0.0.0.0', '--unauthenticated'], encrypted.env),
    ).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Anyone who reaches 0.0.0.0 could read every payload') as unknown,
    });
    const { exitCode, stderr } = await runbookProcess(['codec-server'], encrypted.env);
    expect(stderr).toContain('RUNBOOK_CODEC_TOKEN: no caller could be accepted');
    expect(exitCode).toBe(2);
  });
});
