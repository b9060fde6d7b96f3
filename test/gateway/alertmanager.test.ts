/**
 * Two real Alertmanagers that cannot reach each other, each with its own gateway: an alert that both deliver starts one
 * run.
 */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ALARM_LOG_QUERY, alarmRuleId, type DecidedAlarm } from '../../src/domain/alarms/alarm.js';
import { startAlertmanager } from '../support/alertmanager.js';
import { restartRule, TOKEN, useGateway } from '../support/gateway.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

it('one alert, posted to both as Prometheus does, starts one run; its resolution is logged', async () => {
  const owner = desk.newOwner();
  const file = await desk.file(owner, { hung: restartRule() });
  const pair = await Promise.all(
    [1, 2].map(async () => {
      const { url } = await desk.start(file);
      return startAlertmanager({ webhookUrl: `${url}/alarms/prod`, token: TOKEN, repeatInterval: '2s' });
    }),
  );
  onTestFinished(async () => void (await Promise.all(pair.map((alertmanager) => alertmanager.close()))));
  const { instanceId, path } = await stack.newInstance();
  const instance = path.split('/')[2] ?? '';
  const alert = {
    labels: { alertname: 'InstanceHangs', instance },
    startsAt: new Date(Date.now() - 5_000).toISOString(),
  };
  const post = (more = {}) => Promise.all(pair.map((alertmanager) => alertmanager.post([{ ...alert, ...more }])));
  const kinds = async () => {
    const log = await temporal.client.workflow
      .getHandle(alarmRuleId(owner, 'hung'))
      .query<DecidedAlarm[]>(ALARM_LOG_QUERY)
      .catch(() => []);
    return log.map(({ decision }) => decision.kind);
  };
  await post();
  await expect.poll(kinds).toContain('repeated');
  await post({ endsAt: new Date().toISOString() });
  await expect.poll(kinds).toContain('resolved');
  expect((await kinds()).filter((kind) => kind === 'started')).toHaveLength(1);
  await expect.poll(() => stack.accepted(instanceId)).toEqual(['restart']);
});
