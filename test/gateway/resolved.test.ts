/**
 * A resolved alarm finds the rule that decided its firing, whatever labels it still has and however the file has
 * changed.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alarmRuleId } from '../../src/domain/alarms/alarm.js';
import { alertmanagerBody, deliver, restartRule, useGateway } from '../support/gateway.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

/** A target of its own: other runs on it would hold the rule back. */
const INSTANCE = `prod-${randomUUID()}`;
const SENDERS = { prod: { kind: 'bearer', tokenFiles: ['token'] } };
const HOUR_MS = 3_600_000;
const at = (hoursAgo: number) => new Date(Date.now() - hoursAgo * HOUR_MS).toISOString();
const waitsFor = (severity: string) =>
  restartRule({ when: { alertname: 'InstanceHangs', severity: [severity] }, debounce: '1h' });
const body = (status: string, labels: object, hoursAgo: number, name = 'InstanceHangs') =>
  JSON.stringify({ id: 'prod-1 hangs', name, status, labels, at: at(hoursAgo) });
const firing = body('firing', { severity: 'page', instance: INSTANCE }, 2);

const isThere = (owner: string, rule: string) =>
  temporal.client.workflow
    .getHandle(alarmRuleId(owner, rule))
    .describe()
    .then(
      () => true,
      () => false,
    );

describe('a resolved alarm', () => {
  it('without the labels that matched its firing calls the firing off, and creates no rule', async () => {
    const owner = desk.newOwner();
    const rules = { pages: waitsFor('page'), tickets: waitsFor('ticket') };
    const { url } = await desk.start(await desk.file(owner, rules, SENDERS));
    expect((await deliver(url, firing)).json.decisions).toMatchObject([{ rule: 'pages', decision: 'waiting' }]);
    const { status, json } = await deliver(url, body('resolved', {}, 1, 'changed'));
    expect(status).toBe(200);
    expect(json.decisions).toMatchObject([{ rule: 'pages', decision: 'calledOff' }]);
    expect(await isThere(owner, 'tickets')).toBe(false);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('runbook_gateway_decisions_total{rule="pages",decision="calledOff"} 1');
    expect(metrics).not.toMatch(/rule="tickets",decision="\w+"\} [1-9]/);
  });

  it('whose labels now match another rule calls the firing off', async () => {
    const owner = desk.newOwner();
    const rules = { pages: waitsFor('page'), tickets: waitsFor('ticket') };
    const { url } = await desk.start(await desk.file(owner, rules, SENDERS));
    await deliver(url, firing);
    const { json } = await deliver(url, body('resolved', { severity: 'ticket', instance: INSTANCE }, 1));
    expect(json.decisions).toMatchObject([{ rule: 'pages', decision: 'calledOff' }]);
  });

  it('calls its firing off after the rule was edited', async () => {
    const owner = desk.newOwner();
    const before = await desk.start(await desk.file(owner, { hung: waitsFor('page') }, SENDERS));
    await deliver(before.url, firing);
    const after = await desk.start(await desk.file(owner, { hung: waitsFor('ticket') }, SENDERS));
    const { json } = await deliver(after.url, body('resolved', { severity: 'page', instance: INSTANCE }, 1));
    expect(json.decisions).toMatchObject([{ rule: 'hung', decision: 'calledOff' }]);
  });

  it('that no rule knows is unmatched, once for each alarm', async () => {
    const owner = desk.newOwner();
    const rules = { pages: waitsFor('page'), tickets: waitsFor('ticket') };
    const { url } = await desk.start(await desk.file(owner, rules, SENDERS));
    await deliver(url, firing);
    const alarms = ['a', 'b'].map((id) => ({ id, name: 'Other', status: 'resolved', at: at(1) }));
    const { json } = await deliver(url, JSON.stringify({ alarms }));
    expect(json.decisions).toMatchObject([
      { rule: null, decision: 'unmatched' },
      { rule: null, decision: 'unmatched' },
    ]);
  });
});

it('many resolved alarms that none of many rules knows are answered in time', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `rule-${index}`);
  const rules = Object.fromEntries(
    names.map((name) => [name, restartRule({ when: { alertname: name }, debounce: '1h' })]),
  );
  const { url } = await desk.start(await desk.file(desk.newOwner(), rules));
  // Creates each rule.
  await deliver(url, alertmanagerBody(names.map((alertname) => ({ labels: { alertname, instance: INSTANCE } }))));
  const alerts = Array.from({ length: 500 }, (_, index) => ({
    labels: { alertname: 'Other', instance: `i-${index}` },
    status: 'resolved' as const,
  }));
  const { status, json } = await deliver(url, alertmanagerBody(alerts));
  expect(status).toBe(200);
  expect(json.decisions).toHaveLength(500);
});
