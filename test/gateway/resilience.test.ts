/** The gateway when things break: Temporal unreachable, no worker, a kill in the middle of a burst, a stop, a flood. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { Calls } from '../../src/temporal/calls.js';
import { ALARM_LOG_QUERY, alarmRuleId, type DecidedAlarm } from '../../src/domain/alarms/alarm.js';
import { startGateway } from '../../src/gateway/gateway.js';
import { BreakableLink } from '../chaos/link.js';
import { alertmanagerBody, deliver, restartRule, startGatewayProcess, useGateway } from '../support/gateway.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { untilAllListed } from '../support/visibility.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

/** Alarms that one instance hangs: each its own alert on its own target, which cannot be restarted. */
function alertsNamed(prefix: string, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    labels: { alertname: 'InstanceHangs', instance: `${prefix}-${index}` },
  }));
}

async function startedRuns(owner: string): Promise<string[]> {
  await untilAllListed(temporal.client);
  const ids: string[] = [];
  for await (const { workflowId } of temporal.client.workflow.list({
    query: `WorkflowId STARTS_WITH "alarm-${owner}-"`,
  }))
    ids.push(workflowId);
  return ids.sort();
}

function logOf(owner: string): Promise<readonly DecidedAlarm[]> {
  return temporal.client.workflow.getHandle(alarmRuleId(owner, 'hung')).query(ALARM_LOG_QUERY);
}

/** As Alertmanager does after a 5xx or no answer at all: sends the same body until it is accepted. */
function untilTaken(urlNow: () => string, body: string): Promise<void> {
  return until(async () => {
    const answer = await deliver(urlNow(), body).catch(() => null);
    return answer?.status === 200;
  });
}

/** How many alarms it has read, whether they are decided or not. */
async function readAlarms(url: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(/^runbook_gateway_alarms_total\{sender="prod",status="firing"\} (\d+)$/m.exec(page)?.[1] ?? 0);
}

async function gatewayBehindALink() {
  const link = await BreakableLink.open(Number(temporal.address.split(':')[1]));
  const runbooks = RunbookClient.lazy({ address: `127.0.0.1:${link.port}` });
  const owner = desk.newOwner();
  const gateway = await startGateway({
    alarms: await desk.read(await desk.file(owner, { hung: restartRule() })),
    host: '127.0.0.1',
    port: 0,
    temporal: { calls: new Calls(runbooks.client), taskQueue: temporal.taskQueue },
    log: pino({ level: 'silent' }),
  });
  const close = async () => {
    await gateway.close();
    await runbooks.close();
    await link.close();
  };
  return { link, owner, gateway, close };
}

it('answers 503 and is not ready while Temporal is unreachable, and decides once when it is back', async () => {
  const { link, owner, gateway, close } = await gatewayBehindALink();
  link.cut();
  const body = alertmanagerBody(alertsNamed('away', 1));
  const away = await deliver(gateway.url, body);
  expect(away).toMatchObject({ status: 503, json: { error: 'notDecided' } });
  expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  link.restore();
  await untilTaken(() => gateway.url, body);
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  expect(await startedRuns(owner)).toHaveLength(1);
  await close();
});

it('treats a lost answer as not decided; the repeat finds the run', async () => {
  const { link, owner, gateway, close } = await gatewayBehindALink();
  expect((await deliver(gateway.url, alertmanagerBody(alertsNamed('warm', 1)))).status).toBe(200);
  const body = alertmanagerBody(alertsNamed('lost', 1));
  link.loseAnswers();
  expect((await deliver(gateway.url, body)).status).toBe(503);
  link.cut();
  link.restore();
  await untilTaken(() => gateway.url, body);
  expect(await startedRuns(owner)).toHaveLength(2);
  const kinds = (await logOf(owner)).map(({ decision }) => decision.kind);
  expect(kinds.filter((kind) => kind === 'started')).toHaveLength(2);
  await close();
});

describe('without a worker', () => {
  it('answers 503 in time for SMN, and decides once when one is back', async () => {
    const owner = desk.newOwner();
    const { url } = await desk.start(await desk.file(owner, { hung: restartRule() }));
    const body = alertmanagerBody(alertsNamed('no-worker', 3));
    await stack.close();
    const answers = await Promise.all([deliver(url, body), deliver(url, body)]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    stack = await startStack(temporal);
    await untilTaken(() => url, body);
    expect(await startedRuns(owner)).toHaveLength(3);
  });
});

describe('a process of its own', () => {
  it('killed in the middle of a burst and started again, each alarm has one run', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { hung: restartRule() });
    let gateway = await startGatewayProcess(['--file', file], desk.env);
    const bodies = alertsNamed('burst', 200).map((alert) => alertmanagerBody([alert]));
    const toSend = [...bodies];
    const taken: string[] = [];
    const sendAll = async () => {
      for (let body = toSend.shift(); body !== undefined; body = toSend.shift()) {
        await untilTaken(() => gateway.url, body);
        taken.push(body);
      }
    };
    const allTaken = Promise.all(Array.from({ length: 8 }, sendAll));
    for (const killAt of [20, 100]) {
      await until(() => taken.length >= killAt, 5);
      expect(await gateway.kill('SIGKILL')).toBeNull();
      expect(taken.length).toBeLessThan(bodies.length);
      gateway = await startGatewayProcess(['--file', file], desk.env);
    }
    await allTaken;
    expect(await startedRuns(owner)).toHaveLength(bodies.length);
    // The same bodies later: nothing new.
    for (const body of bodies.slice(0, 20)) await untilTaken(() => gateway.url, body);
    expect(await startedRuns(owner)).toHaveLength(bodies.length);
    expect(await gateway.kill('SIGTERM')).toBe(0);
  });

  it('stopped while Temporal is unreachable, exits with 0', async () => {
    const file = await desk.file(desk.newOwner(), { hung: restartRule() });
    const gateway = await startGatewayProcess(['--file', file], { TEMPORAL_ADDRESS: '127.0.0.1:9' });
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
    expect((await deliver(gateway.url, alertmanagerBody(alertsNamed('away', 1)))).status).toBe(503);
    const ended = await gateway.kill('SIGTERM');
    expect({ ended, last: gateway.lines.at(-1) }).toEqual({ ended: 0, last: 'The gateway has stopped' });
  });

  it('stopped, answers the requests it has accepted, accepts no new ones, and exits with 0', async () => {
    const owner = desk.newOwner();
    const gateway = await startGatewayProcess(['--file', await desk.file(owner, { hung: restartRule() })], desk.env);
    await deliver(gateway.url, alertmanagerBody(alertsNamed('first', 1)));
    const send = (name: string, count: number) =>
      alertsNamed(name, count).map((alert) => deliver(gateway.url, alertmanagerBody([alert])));
    const before = send('stop', 30);
    await until(async () => (await readAlarms(gateway.url)) > 1, 5);
    const ended = gateway.kill('SIGTERM');
    const settled = await Promise.allSettled([...before, ...send('late', 10)]);
    expect(await ended).toBe(0);
    const statuses = settled.map((each) => (each.status === 'fulfilled' ? each.value.status : 'not taken'));
    expect(statuses.filter((status) => status !== 200 && status !== 'not taken')).toEqual([]);
    const decided = settled.filter(({ status }) => status === 'fulfilled').length;
    expect(decided).toBeGreaterThan(0);
    // A request that was not accepted was not decided: every started run was answered.
    expect(await startedRuns(owner)).toHaveLength(decided + 1);
  });
});

it('a flood of 600, half of it forged, starts exactly what the rule allows', async () => {
  const owner = desk.newOwner();
  const file = await desk.file(owner, {
    hung: restartRule({ atMost: { runs: 7, within: '1h' }, atOnce: 'unlimited' }),
  });
  const { url } = await desk.start(file);
  const alerts = alertsNamed('flood', 300);
  const statuses = { taken: 0, refused: 0 };
  await Promise.all(
    alerts.map(async (alert, index) => {
      const body = alertmanagerBody([alert]);
      const forged = await deliver(url, body, `forged-token-${index}-0123456789`);
      if (forged.status === 401) statuses.refused++;
      await untilTaken(() => url, body);
      statuses.taken++;
    }),
  );
  expect(statuses).toEqual({ taken: 300, refused: 300 });
  expect(await startedRuns(owner)).toHaveLength(7);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('runbook_gateway_decisions_total{rule="hung",decision="started"} 7');
  expect(metrics).toContain('runbook_gateway_decisions_total{rule="hung",decision="tooMany"} 293');
  expect(metrics).toContain('runbook_gateway_refused_deliveries_total{sender="prod",reason="unauthorized"} 300');
  expect(metrics).toContain('runbook_gateway_queued_alarms{rule="hung"} 0');
});
