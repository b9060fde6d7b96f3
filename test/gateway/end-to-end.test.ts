/** Alarms over HTTP to reports: the whole product, against a real server, a real worker and the simulator. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShownRuns } from '../../src/cli/render-runs.js';
import { alertmanagerBody, deliver, restartRule, useGateway } from '../support/gateway.js';
import { runbookProcess } from '../support/command-line.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

/** An instance, and the alarm that names it. */
async function anInstance(alertname = 'InstanceHangs') {
  const { instanceId, path } = await stack.newInstance();
  const instance = path.split('/')[2] ?? '';
  return { instanceId, path, labels: { alertname, instance } };
}

async function aGateway(...[more]: Parameters<typeof restartRule>) {
  const owner = desk.newOwner();
  const gateway = await desk.start(await desk.file(owner, { hung: restartRule(more) }));
  return { owner, url: gateway.url };
}

describe.concurrent('one alarm', () => {
  it('starts one run, whose report has the requester and the reason', async () => {
    const { owner, url } = await aGateway();
    const { instanceId, path, labels } = await anInstance();
    const body = alertmanagerBody([{ labels, annotations: { summary: 'prod hangs since noon' } }]);
    const { status, json } = await deliver(url, body);
    expect(status).toBe(200);
    const [decision] = json.decisions ?? [];
    expect(decision).toMatchObject({ alarm: 'InstanceHangs', rule: 'hung', decision: 'started' });
    const run = decision?.run ?? '';
    expect(run).toMatch(new RegExp(`^alarm-${owner}-hung-[0-9a-f]{16}$`));
    const report = await stack.report(run);
    expect(report).toMatchObject({
      outcome: 'succeeded',
      requestedBy: `alarm rule ${owner}/hung`,
      reason: 'prod hangs since noon',
      targets: [{ path }],
    });
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
    const again = await deliver(url, body);
    expect(again.json.decisions).toMatchObject([{ decision: 'repeated', run }]);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('is the requester that runbook ls shows while its run is open', async () => {
    const { owner, url } = await aGateway();
    const { instanceId, path, labels } = await anInstance();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    await deliver(url, alertmanagerBody([{ labels }]));
    await until(async () => {
      const { stdout } = await runbookProcess(['ls', '--open', '--target', path, '--json'], desk.env);
      return (JSON.parse(stdout) as ShownRuns).runs[0]?.requestedBy === `alarm rule ${owner}/hung`;
    });
    await stack.control.finish(instanceId);
  });

  it('starts one run at two gateways side by side, however often it comes', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { hung: restartRule() });
    const [left, right] = await Promise.all([desk.start(file), desk.start(file)]);
    const { instanceId, labels } = await anInstance();
    const body = alertmanagerBody([{ labels }]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => deliverUntilDecided((index % 2 === 0 ? left : right).url, body)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const decisions = answers.flatMap(({ json }) => json.decisions ?? []);
    // None if the answer with it came too late and was asked for again.
    expect(decisions.filter(({ decision }) => decision === 'started').length).toBeLessThanOrEqual(1);
    expect(new Set(decisions.map(({ run }) => run)).size).toBe(1);
    await stack.report(decisions[0]?.run ?? '');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('is limited to the targets that the file allows', async () => {
    const { url } = await aGateway({ within: ['shop/checkout/allowed'] });
    const { instanceId, labels } = await anInstance();
    const { json } = await deliver(
      url,
      alertmanagerBody([
        { labels },
        { labels: { alertname: 'InstanceHangs', instance: 'a/../b' } },
        { labels: { alertname: 'Else' } },
      ]),
    );
    expect(json.decisions).toMatchObject([
      { decision: 'noTarget', why: expect.stringContaining('is not within shop/checkout/allowed'), run: null },
      { decision: 'noTarget', why: expect.stringContaining('not a plain name'), run: null },
      { decision: 'unmatched', rule: null, run: null },
    ]);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });
});

describe.concurrent('brakes', () => {
  it('start at most as many runs as the rule may', async () => {
    const { url } = await aGateway({ atMost: { runs: 2, within: '1h' } });
    const hanging = await Promise.all(Array.from({ length: 5 }, () => anInstance()));
    const { json } = await deliver(url, alertmanagerBody(hanging.map(({ labels }) => ({ labels }))));
    const kinds = (json.decisions ?? []).map(({ decision }) => decision);
    expect(kinds).toEqual(['started', 'started', 'tooMany', 'tooMany', 'tooMany']);
    for (const { run } of json.decisions ?? []) if (run !== null) await stack.report(run);
    const accepted = await Promise.all(hanging.map(({ instanceId }) => stack.accepted(instanceId)));
    expect(accepted.flat()).toEqual(['restart', 'restart']);
  });

  it('a run that makes its own alarm fire again does not start itself again', async () => {
    const { url } = await aGateway({ coolDown: '1h' });
    const { instanceId, labels } = await anInstance();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const first = await deliver(url, alertmanagerBody([{ labels }]));
    const run = first.json.decisions?.[0]?.run ?? '';
    const during = await deliver(
      url,
      alertmanagerBody([{ labels, startsAt: new Date(Date.now() - 20).toISOString() }]),
    );
    await until(async () => (await stack.control.finish(instanceId)).finished > 0);
    await stack.report(run);
    const after = await deliver(url, alertmanagerBody([{ labels, startsAt: new Date(Date.now() - 10).toISOString() }]));
    expect(['busy', 'repeated']).toContain(during.json.decisions?.[0]?.decision);
    expect(after.json.decisions).toMatchObject([{ decision: 'coolingDown', run }]);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('an alarm that is resolved within its debounce starts nothing; one that still fires starts one run', () =>
    withLead(async (leadMs) => {
      const { url } = await aGateway({ debounce: `${leadMs}ms` });
      const [short, long] = [await anInstance(), await anInstance()];
      const waits = await deliver(url, alertmanagerBody([{ labels: short.labels }, { labels: long.labels }]));
      expect(waits.json.decisions).toMatchObject([{ decision: 'waiting' }, { decision: 'waiting' }]);
      const endsAt = new Date(Date.now() - 1).toISOString();
      const resolved = await deliver(url, alertmanagerBody([{ labels: short.labels, status: 'resolved', endsAt }]));
      const decision = resolved.json.decisions?.[0]?.decision;
      if (decision === 'resolved') return false; // It had been due.
      expect(decision).toBe('calledOff');
      const run = waits.json.decisions?.[1]?.run ?? '';
      await until(async () => (await stack.accepted(long.instanceId)).length > 0);
      await stack.report(run);
      expect(await stack.accepted(long.instanceId)).toEqual(['restart']);
      expect(await stack.accepted(short.instanceId)).toEqual([]);
      return true;
    }));
});

it('a forged delivery starts nothing', async () => {
  const { owner, url } = await aGateway();
  const { instanceId, labels } = await anInstance();
  expect((await deliver(url, alertmanagerBody([{ labels }]), 'another-token-0123456789')).status).toBe(401);
  expect(await stack.accepted(instanceId)).toEqual([]);
  await expect(temporal.client.workflow.getHandle(`runbook-alarm-rule/${owner}/hung`).describe()).rejects.toThrow(
    'not found',
  );
});

/** As a sender does: a busy machine may not decide within the time of one answer. */
async function deliverUntilDecided(url: string, body: string): ReturnType<typeof deliver> {
  for (;;) {
    const answer = await deliver(url, body);
    if (answer.status !== 503) return answer;
  }
}
