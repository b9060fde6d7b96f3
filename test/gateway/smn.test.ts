/** Alarms of Cloud Eye through SMN, signed by a key of the test, from HTTP to runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { Calls } from '../../src/temporal/calls.js';
import { startGateway, type RunningGateway } from '../../src/gateway/gateway.js';
import { restartRule, useGateway, type Answered } from '../support/gateway.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { startConsole } from './senders/console.js';
import { confirmationBody, PROJECT, smnBody, type SmnFields } from './senders/deliveries.js';
import { ATTACKER, SETTINGS, SMN } from './senders/smn-sender.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
const gateways: RunningGateway[] = [];
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close()));
  await stack.close();
});

async function aGateway({ dry = false, confirmHosts = SETTINGS.confirmHosts } = {}) {
  const owner = desk.newOwner();
  const rule = restartRule({
    when: { sender: 'prod', alertname: 'cpu' },
    target: 'shop/checkout/${{ labels.resourceName }}',
  });
  const { rules } = await desk.read(await desk.file(owner, { cpu: rule }));
  const settings = { ...SETTINGS, certificates: [SMN.cert], confirmHosts };
  const gateway = await startGateway({
    alarms: { owner, rules, senders: [{ name: 'prod', settings }] },
    host: '127.0.0.1',
    port: 0,
    temporal: dry ? null : { calls: new Calls(temporal.client), taskQueue: temporal.taskQueue },
    log: pino({ level: 'silent' }),
  });
  gateways.push(gateway);
  return gateway.url;
}

/** Without a Content-Type: that of SMN is not documented. */
async function send(url: string, body: SmnFields): Promise<Pick<Answered, 'status' | 'json'>> {
  const answer = await fetch(`${url}/alarms/prod`, { method: 'POST', body: Buffer.from(JSON.stringify(body)) });
  return { status: answer.status, json: (await answer.json()) as Answered['json'] };
}

const now = () => `${new Date().toISOString().slice(0, 19)}Z`;
const message = (resourceName: string, isAlarm = true) =>
  JSON.stringify({
    version: 'v1',
    data: { AlarmRuleName: 'cpu', IsAlarm: isAlarm, ResourceName: resourceName, RegionId: 'cn-north-4' },
  });
const signed = (change: SmnFields, key = SMN.key) => smnBody({ timestamp: now(), ...change }, { key });

async function anInstance() {
  const { instanceId, path } = await stack.newInstance();
  return { instanceId, name: path.split('/')[2] ?? '' };
}

describe('a notification', () => {
  it('starts one run, also when SMN sends it again', async () => {
    const url = await aGateway();
    const { instanceId, name } = await anInstance();
    const body = signed({ message: message(name) });
    const first = await send(url, body);
    expect(first).toMatchObject({ status: 200, json: { decisions: [{ rule: 'cpu', decision: 'started' }] } });
    await stack.report(first.json.decisions?.[0]?.run ?? '');
    expect((await send(url, body)).json.decisions).toMatchObject([{ decision: 'repeated' }]);
    expect(
      (await send(url, signed({ message: message(name, false), message_id: 'b'.repeat(32) }))).json.decisions,
    ).toMatchObject([{ decision: 'resolved' }]);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('that is forged, of a foreign topic, changed or an hour old starts nothing', async () => {
    const url = await aGateway();
    const { instanceId, name } = await anInstance();
    const good = signed({ message: message(name) });
    const hourAgo = `${new Date(Date.now() - 3_700_000).toISOString().slice(0, 19)}Z`;
    const bad: [SmnFields, number, string][] = [
      [signed({ message: message(name) }, ATTACKER.key), 403, 'forged'],
      [signed({ message: message(name), topic_urn: `urn:smn:cn-north-4:${PROJECT}:other` }), 403, 'foreignTopic'],
      [{ ...good, message: message('other') }, 403, 'forged'],
      [signed({ message: message(name), timestamp: hourAgo }), 403, 'tooOld'],
      [{ message: message(name) }, 400, 'unreadable'],
    ];
    for (const [body, status, error] of bad) expect(await send(url, body)).toMatchObject({ status, json: { error } });
    expect(await stack.accepted(instanceId)).toEqual([]);
    expect((await send(url, good)).status).toBe(200);
  });

  it('in prose starts nothing and is accepted', async () => {
    const url = await aGateway();
    expect(await send(url, signed({ message: 'CPU is high. Please check.' }))).toEqual({
      status: 200,
      json: { decisions: [] },
    });
  });
});

describe('a confirmation', () => {
  it('is followed once; a console that fails makes SMN send it again', async () => {
    const statuses = [500, 200];
    const { host, links } = await startConsole(() => statuses.shift() ?? 500);
    const url = await aGateway({ confirmHosts: [host] });
    const body = confirmationBody(SMN.key, { timestamp: now(), subscribe_url: `https://${host}/confirm?token=t` });
    expect((await send(url, body)).status).toBe(503);
    expect(await send(url, body)).toEqual({ status: 200, json: { confirmation: 'confirmed' } });
    expect((await send(url, body)).status).toBe(200);
    expect(links).toHaveLength(2);
  });

  it('is not followed in a dry run', async () => {
    const { host, links } = await startConsole(() => 200);
    const url = await aGateway({ dry: true, confirmHosts: [host] });
    const body = confirmationBody(SMN.key, { timestamp: now(), subscribe_url: `https://${host}/confirm?token=t` });
    expect(await send(url, body)).toEqual({ status: 200, json: { confirmation: 'not in a dry run' } });
    expect(links).toEqual([]);
  });
});
