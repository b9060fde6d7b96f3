/**
 * Bodies that arrive slowly, or in pieces, from unauthenticated senders: they block no valid delivery, and use little
 * memory.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { restartRule, useGateway } from '../support/gateway.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { webhookHeaders } from './senders/deliveries.js';

const desk = useGateway(useTemporal());
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let file: string;
let url: string;
beforeAll(async () => {
  await writeFile(join(desk.folder, 'secret'), SECRET);
  const senders = {
    deploys: { kind: 'webhook', secretFiles: ['secret'] },
    others: { kind: 'webhook', secretFiles: ['secret'] },
  };
  file = await desk.file(desk.newOwner(), { hung: restartRule() }, senders);
  ({ url } = await desk.start(file, 'dry'));
});

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** The signature is of the right form, and wrong: that shows when the body is there. */
async function beginBody(bodyHeader: string, at: string): Promise<Socket> {
  const socket = connect(Number(new URL(at).port), '127.0.0.1');
  open.push(socket);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  const forged = 'webhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,AAAA';
  socket.write(`POST /alarms/deploys HTTP/1.1\r\nhost: x\r\n${forged}\r\n${bodyHeader}\r\n\r\n`);
  return socket;
}

function beginBodies(count: number, bodyHeader: string, at = url): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, () => beginBody(bodyHeader, at)));
}

/** Right in all; `bytes` long with the spaces that it ends with. */
async function deliverRight(bytes = 0, sender = 'deploys', at = url) {
  const body = '{"id":"1","name":"InstanceHangs","status":"firing","labels":{"instance":"prod-1"}}'.padEnd(bytes);
  const headers = webhookHeaders(SECRET, body, { timestamp: String(Math.floor(Date.now() / 1_000)) });
  const answer = await fetch(`${at}/alarms/${sender}`, { method: 'POST', headers, body });
  return {
    status: answer.status,
    json: (await answer.json()) as object,
    retryAfter: answer.headers.get('retry-after'),
  };
}

async function write(sockets: readonly Socket[], bytes: Buffer): Promise<void> {
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => void socket.write(bytes, () => resolve()))));
}

describe('a valid delivery', () => {
  it('is accepted beside 200 bodies that arrive slowly, and those are cut off in time', async () => {
    const timeouts = { headersMs: 2_000, requestMs: 3_000 };
    const hurried = await desk.start(file, 'dry', { timeouts });
    const slow = await beginBodies(200, 'content-length: 1000', hurried.url);
    const closed = slow.map((socket) => once(socket.resume(), 'close'));
    await write(slow, Buffer.from('{"id":'));
    expect((await deliverRight(0, 'deploys', hurried.url)).status).toBe(200);
    await Promise.all(closed);
    expect((await deliverRight(0, 'deploys', hurried.url)).status).toBe(200);
  });

  it('is accepted beside large bodies that use all the memory reserved for them, unless it is large itself', async () => {
    const large: Socket[] = [];
    const sendLarge = async (count: number) => {
      const more = await beginBodies(count, 'content-length: 1048576');
      large.push(...more);
      await write(more, Buffer.alloc(1_000_000, 0x20));
    };
    await sendLarge(40);
    // The last of it is read a moment after it was sent. A delivery beside that can take the place of one that is then refused.
    await until(async () => {
      if ((await deliverRight(900_000)).status !== 200) return true;
      await sendLarge(1);
      return false;
    });
    expect((await deliverRight(60_000)).status).toBe(200);
    expect((await deliverRight(900_000, 'others')).status).toBe(200);
    const tooMuch = await deliverRight(900_000);
    expect(tooMuch).toEqual({ status: 503, json: { error: 'tooMuchAtOnce' }, retryAfter: '1' });
    for (const socket of large) socket.destroy();
    await until(async () => (await deliverRight(900_000)).status === 200);
  });
});

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const usedMiB = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 1024 ** 2;
  };

  it('equals the bytes received, even if each byte is its own chunk', async () => {
    const sockets = await beginBodies(10, 'transfer-encoding: chunked');
    const bytes = Buffer.from('1\r\nx\r\n'.repeat(60_000));
    const beforeMiB = usedMiB();
    await write(sockets, bytes);
    // Everything is read once no more is taken up.
    let lastMiB = 0;
    await until(() => {
      const seenMiB = lastMiB;
      lastMiB = usedMiB();
      return Math.abs(lastMiB - seenMiB) < 0.1;
    }, 300);
    expect(lastMiB - beforeMiB).toBeLessThan(10);
  });
});
