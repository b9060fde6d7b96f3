// A flood of alarms on the gateway, half of them forged: does it stay up, does its memory stay flat, is started exactly what the rule allows? `npm run build` first.
// node bench/gateway-flood.mjs [alarms in a flood, 10000] [floods, 3] [--write]. Exits with 1 when more or less was started, something was answered wrongly, or a figure is over its limit.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareWithBaseline, words } from './baseline.mjs';
import { startProcess } from './start-process.mjs';
import { startWorld } from './world.mjs';

const ALARMS = Number(words[0] ?? 10_000);
const FLOODS = Number(words[1] ?? 3);
const INSTANCES = 50;
const ALLOWED = 20;
const CONNECTIONS = 200;
const TOKEN = 'the-token-of-this-bench-0123456789';

const world = await startWorld();
for (let index = 0; index < INSTANCES; index++) await world.newInstance(`prod-${index}`);
const folder = await mkdtemp(join(tmpdir(), 'gateway-flood-'));
await writeFile(join(folder, 'token'), TOKEN);
await writeFile(
  join(folder, 'alarms.yaml'),
  `owner: flood
senders: { prod: { kind: alertmanager, tokenFiles: [token] } }
rules:
  hung:
    when: { alertname: InstanceHangs }
    runbook: restart
    target: shop/checkout/\${{ labels.instance }}
    within: [shop/checkout/*]
    coolDown: 1h
    atMost: { runs: ${ALLOWED}, within: 1d }
    atOnce: unlimited
`,
);
const worker = await world.startWorker();
const command = ['gateway', '--file', join(folder, 'alarms.yaml'), '--port', '0', '--json'];
const gateway = await startProcess(command, world.env, (line) => line.includes('"url"'));
const { url } = JSON.parse(gateway.line);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

let isRight = true;
let peakMiB = 0;
const beforeMiB = await memoryMiB();
console.log(`before: ${beforeMiB} MiB`);
for (let flood = 1; flood <= FLOODS; flood++) await one(flood);
await new Promise((resolve) => setTimeout(resolve, 5_000));
const restarts = (await world.accepted()).length;
const started = await metric('decisions_total{rule="hung",decision="started"}');
if (started !== ALLOWED || restarts !== ALLOWED) isRight = false;
console.log(`after: ${await memoryMiB()} MiB; runs started ${started}, restarts sent ${restarts}, allowed ${ALLOWED}`);
isRight = (await compareWithBaseline('gateway-flood', { peakMemoryRatio: peakMiB / beforeMiB })) && isRight;
console.log(isRight ? 'as it should be' : 'WRONG');
agent.destroy();
gateway.child.kill('SIGTERM');
worker.kill('SIGTERM');
await world.close();
await rm(folder, { recursive: true });
process.exitCode = isRight ? 0 : 1;

/** Every second alarm is forged. A genuine one is sent again until it is accepted, as Alertmanager does. */
async function one(flood) {
  const answers = {};
  const measure = () =>
    memoryMiB().then(
      (nowMiB) => {
        peakMiB = Math.max(peakMiB, nowMiB);
      },
      () => undefined,
    );
  const measuring = setInterval(() => void measure(), 250);
  const beganMs = Date.now();
  const toSend = Array.from({ length: ALARMS }, (_, index) => index);
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let index = toSend.pop(); index !== undefined; index = toSend.pop()) {
        const isForged = index % 2 === 1;
        const body = bodyOf(flood, index);
        for (;;) {
          const status = await post(body, isForged ? `forged-${index}-0123456789abcdef` : TOKEN);
          answers[status] = (answers[status] ?? 0) + 1;
          if (isForged ? status === 401 : status === 200) break;
          if (status !== 503) isRight = false;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    }),
  );
  clearInterval(measuring);
  const seconds = (Date.now() - beganMs) / 1_000;
  const counted = Object.entries(answers).map(([status, count]) => `${count} × ${status}`);
  console.log(
    `flood ${flood}: ${ALARMS} alarms in ${seconds.toFixed(1)} s (${Math.round(ALARMS / seconds)}/s), ${counted.join(', ')}; memory at most ${peakMiB} MiB so far`,
  );
}

function bodyOf(flood, index) {
  const labels = {
    alertname: 'InstanceHangs',
    instance: `prod-${index % INSTANCES}`,
    flood: String(flood),
    n: String(index),
  };
  const fingerprint = `${flood}${index}`.padStart(16, '0');
  const startsAt = new Date(Date.now() - 60_000).toISOString();
  const alert = { status: 'firing', labels, annotations: {}, startsAt, endsAt: '0001-01-01T00:00:00Z', fingerprint };
  return JSON.stringify({ version: '4', groupKey: '{}', truncatedAlerts: 0, status: 'firing', alerts: [alert] });
}

function post(body, token) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}`, 'content-length': Buffer.byteLength(body) };
    const sent = request(`${url}/alarms/prod`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    });
    sent.once('error', () => resolve(0));
    sent.end(body);
  });
}

async function metric(name) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text
    .split('\n')
    .find((each) => each.startsWith(`runbook_gateway_${name} `) || each.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

async function memoryMiB() {
  return Math.round((await metric('process_resident_memory_bytes')) / 1024 ** 2);
}
