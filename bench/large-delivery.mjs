// One delivery of 1,000 alarms, the most there may be: how long until its answer, and how often does its sender have to come again? `npm run build` first.
// node bench/large-delivery.mjs [alarms, 1000]. Each alarm has a target of its own, which is not there, so that its run ends at once.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporalServer } from '../dist/embedded/temporal-server.js';
import { startSimulator } from '../dist/simulator/server.js';
import { startProcess } from './start-process.mjs';
import { workerEnv } from './worker-env.mjs';

const ALARMS = Number(process.argv[2] ?? 1_000);
const TOKEN = 'the-token-of-this-bench-0123456789';

const server = await startTemporalServer({ env: process.env, say: console.error });
const simulator = await startSimulator({ world: 'empty' });
const env = workerEnv({ server, simulator, usualDurations: 'restart=300ms' });
const folder = await mkdtemp(join(tmpdir(), 'large-delivery-'));
await writeFile(join(folder, 'token'), TOKEN);
const worker = await startProcess(['worker'], env, (line) => line.includes('"worker ready"'));
for (const rules of [1, 20]) {
  await one(`few-${rules}`, rules, 'atMost: { runs: 3, within: 1d }');
  await one(`many-${rules}`, rules, 'atOnce: unlimited');
}
worker.child.kill('SIGTERM');
await simulator.close();
await server.close();
await rm(folder, { recursive: true });

/** Sends one delivery until it is taken. */
async function one(owner, rules, brakes) {
  const file = join(folder, `${owner}.yaml`);
  const entries = Array.from({ length: rules }, (_, index) => rule(index, brakes)).join('');
  await writeFile(
    file,
    `owner: ${owner}\nsenders: { prod: { kind: alertmanager, tokenFiles: [token] } }\nrules:\n${entries}`,
  );
  const words = ['gateway', '--file', file, '--port', '0', '--json'];
  const gateway = await startProcess(words, env, (line) => line.includes('"url"'));
  const { url } = JSON.parse(gateway.line);
  const body = bodyOf(rules);
  const tries = [];
  while (tries.at(-1)?.status !== 200 && tries.length < 20) {
    // As `Retry-After` says.
    if (tries.length > 0) await new Promise((resolve) => setTimeout(resolve, 5_000));
    tries.push(await post(url, body));
  }
  const told = tries.map(({ status, seconds, kinds }) => `${status} in ${seconds} s${kinds}`).join(', ');
  console.log(`${rules} rules, ${brakes}: ${told}`);
  gateway.child.kill('SIGTERM');
  await new Promise((resolve) => gateway.child.once('exit', resolve));
}

function rule(index, brakes) {
  return `  hung-${index}:
    when: { alertname: Hangs${index} }
    runbook: restart
    target: shop/checkout/\${{ labels.instance }}
    within: [shop/checkout/*]
    coolDown: 10m
    ${brakes}
`;
}

function bodyOf(rules) {
  const startsAt = new Date(Date.now() - 60_000).toISOString();
  const alerts = Array.from({ length: ALARMS }, (_, index) => ({
    status: 'firing',
    labels: {
      alertname: `Hangs${index % rules}`,
      instance: `prod-${rules}-${index}`,
      team: 'platform',
      severity: 'page',
    },
    annotations: { summary: `the instance prod-${index} hangs` },
    startsAt,
    endsAt: '0001-01-01T00:00:00Z',
    fingerprint: `${index}`.padStart(16, '0'),
  }));
  return JSON.stringify({ version: '4', groupKey: '{}', truncatedAlerts: 0, status: 'firing', alerts });
}

async function post(url, body) {
  const beganMs = Date.now();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${url}/alarms/prod`, { method: 'POST', headers, body });
  const { decisions = [] } = await answer.json();
  const kinds = new Map();
  for (const { decision } of decisions) kinds.set(decision, (kinds.get(decision) ?? 0) + 1);
  const told = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  return {
    status: answer.status,
    seconds: ((Date.now() - beganMs) / 1_000).toFixed(1),
    kinds: told === '' ? '' : ` (${told})`,
  };
}
