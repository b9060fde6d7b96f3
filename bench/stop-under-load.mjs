// Starts and stops worker and gateway again and again while runs and alarms are under way, every second time with Temporal unreachable. Do they exit with 0 and without an error? `npm run build` first.
// node bench/stop-under-load.mjs [times, 10] [busy loops beside them, 0]. Exits with 1 if one of them exits otherwise, or prints an error thrown by Node or gRPC.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { RunbookClient } from '../dist/client/runbook-client.js';
import { startWorld, workerEnv } from './world.mjs';

const TIMES = Number(process.argv[2] ?? 10);
const BUSY_LOOPS = Number(process.argv[3] ?? 0);
const RUNS = 20;
const ALARMS = 40;
const TOKEN = 'the-token-of-this-bench-0123456789';
/** What a process prints that did not end clean. */
const ERROR = /Channel has been shut down|Unhandled|Uncaught|node:internal|^\s+at |MaxListeners|panicked/;

const world = await startWorld({ jobMs: 3_000 });
const { server, simulator } = world;
const link = await startLink(Number(server.address.split(':')[1]));
const folder = await mkdtemp(join(tmpdir(), 'stop-under-load-'));
await writeFile(join(folder, 'token'), TOKEN);
await writeFile(
  join(folder, 'alarms.yaml'),
  `owner: stop-under-load
senders: { prod: { kind: alertmanager, tokenFiles: [token] } }
rules:
  hung:
    when: { alertname: InstanceHangs }
    runbook: restart
    target: shop/checkout/\${{ labels.instance }}
    within: [shop/checkout/*]
    coolDown: 0s
    atOnce: unlimited
`,
);
const env = workerEnv(link.address, simulator, 'restart=3s');
const runbooks = await RunbookClient.connect({ address: server.address });
const busy = Array.from({ length: BUSY_LOOPS }, () => spawn(process.execPath, ['-e', 'for (;;);']));
process.once('exit', () => busy.forEach((loop) => loop.kill('SIGKILL')));

let isRight = true;
for (let time = 1; time <= TIMES; time++) await startAndStop(time, time % 2 === 0);
console.log(isRight ? 'as it should be' : 'WRONG');
for (const loop of busy) loop.kill('SIGKILL');
await runbooks.close();
await link.close();
await world.close();
await rm(folder, { recursive: true });
process.exitCode = isRight ? 0 : 1;

async function startAndStop(time, isTemporalDown) {
  const worker = await start(['worker'], '"worker ready"');
  const gateway = await start(['gateway', '--file', join(folder, 'alarms.yaml'), '--port', '0', '--json'], '"url"');
  const { url } = JSON.parse(gateway.readyLine);
  const names = Array.from({ length: RUNS + ALARMS }, (_, index) => `prod-${time}-${index}`);
  for (const name of names) await world.newInstance(name);
  await Promise.all(
    names.slice(ALARMS).map((name) => runbooks.start('restart', { targets: [`shop/checkout/${name}`] })),
  );
  const deliveries = names.slice(0, ALARMS).map((name) => deliver(url, name));
  // Another moment each time, from the first observation to after the first cloud jobs have ended.
  await delay(time * 400);
  if (isTemporalDown) link.cut();
  const beganMs = Date.now();
  worker.child.kill('SIGTERM');
  gateway.child.kill('SIGTERM');
  const codes = await Promise.all([worker.exitCode, gateway.exitCode]);
  link.restore();
  const answers = await Promise.all(deliveries);
  const errors = [...worker.lines, ...gateway.lines].filter((line) => ERROR.test(line));
  const isClean = codes.every((code) => code === 0) && errors.length === 0;
  isRight &&= isClean;
  const counted = [...new Set(answers)].map(
    (answer) => `${answers.filter((each) => each === answer).length} × ${answer}`,
  );
  console.log(
    `${time}: ${isTemporalDown ? 'Temporal down' : 'Temporal up'}; worker ${codes[0]}, gateway ${codes[1]}, after ${((Date.now() - beganMs) / 1_000).toFixed(1)} s; alarms answered ${counted.join(', ')}`,
  );
  if (!isClean) console.log([...worker.lines.slice(-15), ...gateway.lines.slice(-15)].join('\n'));
}

async function deliver(url, instance) {
  const alert = {
    status: 'firing',
    labels: { alertname: 'InstanceHangs', instance },
    annotations: {},
    startsAt: new Date(Date.now() - 60_000).toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    fingerprint: instance,
  };
  const body = { version: '4', groupKey: '{}', truncatedAlerts: 0, status: 'firing', alerts: [alert] };
  const request = { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body: JSON.stringify(body) };
  return fetch(`${url}/alarms/prod`, request).then(
    async (answer) => {
      await answer.text();
      return answer.status;
    },
    () => 'not at all',
  );
}

async function start(words, readyText) {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const exitCode = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  const lines = [];
  const readyLine = await new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (line.includes(readyText)) resolve(line);
      });
  });
  return { child, exitCode, lines, readyLine };
}

/** A TCP link to the server that can be cut: connections are reset, and new ones, too, until it is restored. */
async function startLink(targetPort) {
  const sockets = new Set();
  let isCut = false;
  const listener = createServer((near) => {
    if (isCut) return near.resetAndDestroy();
    const far = connect(targetPort, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => [near, far].forEach((each) => each.destroy()));
      socket.once('close', () => {
        sockets.delete(socket);
        [near, far].forEach((each) => each.destroy());
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${listener.address().port}`,
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    restore: () => {
      isCut = false;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
