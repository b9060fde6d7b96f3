// One delivery of 1,000 alarms, the most allowed: how long until it is answered, and how often must its sender repeat it? `npm run build` first.
// node bench/large-delivery.mjs [alarms, 1000] [--write]. Each alarm names a target that does not exist, so that its run ends at once.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareWithBaseline, words } from './baseline.mjs';
import { startProcess } from './start-process.mjs';
import { startWorld } from './world.mjs';

const ALARMS = Number(words[0] ?? 1_000);
const TOKEN = 'the-token-of-this-bench-0123456789';

const world = await startWorld();
const figures = {};
const folder = await mkdtemp(join(tmpdir(), 'large-delivery-'));
await writeFile(join(folder, 'token'), TOKEN);
const worker = await world.startWorker();
for (const rules of [1, 20]) {
  await one(`few-${rules}`, rules, 'atMost: { runs: 3, within: 1d }');
  await one(`many-${rules}`, rules, 'atOnce: unlimited');
}
worker.kill('SIGTERM');
await world.close();
await rm(folder, { recursive: true });
process.exitCode = (await compareWithBaseline('large-delivery', figures)) ? 0 : 1;

/** Sends one delivery until it is accepted. */
async function one(owner, rules, brakes) {
  const file = join(folder, `${owner}.yaml`);
  const entries = Array.from({ length: rules }, (_, index) => rule(index, brakes)).join('');
  await writeFile(
    file,
    `owner: ${owner}\nsenders: { prod: { kind: alertmanager, tokenFiles: [token] } }\nrules:\n${entries}`,
  );
  const command = ['gateway', '--file', file, '--port', '0', '--json'];
  const gateway = await startProcess(command, world.env, (line) => line.includes('"url"'));
  const { url } = JSON.parse(gateway.line);
  const body = bodyOf(rules);
  const tries = [];
  while (tries.at(-1)?.status !== 200 && tries.length < 20) {
    // As `Retry-After` asks.
    if (tries.length > 0) await new Promise((resolve) => setTimeout(resolve, 5_000));
    tries.push(await post(url, body));
  }
  const answers = tries.map(({ status, seconds, kinds }) => `${status} in ${seconds} s${kinds}`).join(', ');
  console.log(`${rules} rules, ${brakes}: ${answers}`);
  figures[`${owner} deliveries`] = tries.length;
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
  const counted = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  return {
    status: answer.status,
    seconds: ((Date.now() - beganMs) / 1_000).toFixed(1),
    kinds: counted === '' ? '' : ` (${counted})`,
  };
}
