/** Resolved alarms that reach a rule which their labels do not match, and false resolutions, against a real server. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KNOWN_INCIDENTS_QUERY } from '../../src/domain/alarms/alarm.js';
import { aRule } from '../support/alarms.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
  });
});
afterAll(() => stack.close());

const rule = () => aRule(temporal.client, temporal.taskQueue);
const elsewhere = { status: 'resolved', start: { problem: 'its labels lead elsewhere' }, onlyIfKnown: true } as const;

describe('a resolution whose labels match another rule', () => {
  it('calls off the firing that waits in this rule', async () => {
    const one = rule();
    const brakes = { debounceMs: 3_600_000 };
    await one.decide([one.alarm()], brakes);
    expect(await one.decide([one.alarm(elsewhere)], brakes)).toMatchObject([{ kind: 'calledOff' }]);
    expect((await one.log()).map(({ decision }) => decision.kind)).toEqual(['calledOff', 'waiting']);
  });

  it('changes nothing in a rule that has no firing for it', async () => {
    const one = rule();
    const brakes = { debounceMs: 3_600_000 };
    await one.decide([one.alarm()], brakes);
    const other = one.alarm({ incident: 'other', ...elsewhere });
    expect(await one.decide([other, one.alarm()], brakes)).toMatchObject([null, { kind: 'repeated' }]);
    expect((await one.log()).map(({ decision }) => decision.kind)).toEqual(['repeated', 'waiting']);
    const late = one.alarm({ incident: 'other', atMs: other.atMs - 1 });
    expect(await one.decide([late], brakes)).toMatchObject([{ kind: 'waiting' }]);
  });
});

describe('a rule that is asked what it knows', () => {
  it('names what waits and what was started, not what was called off', async () => {
    const one = rule();
    await one.decide([one.alarm({ incident: 'started' })]);
    const waiting = ['waits', 'off'].map((incident) => one.alarm({ incident }));
    await one.decide([...waiting, one.alarm({ incident: 'off', status: 'resolved' })], { debounceMs: 3_600_000 });
    const handle = temporal.client.workflow.getHandle(one.workflowId);
    expect(await handle.query(KNOWN_INCIDENTS_QUERY)).toEqual(['started', 'waits']);
  });

  it('names what is being decided', async () => {
    const one = rule();
    await one.decide([one.alarm({ incident: 'first' })], { debounceMs: 3_600_000 });
    const handle = temporal.client.workflow.getHandle(one.workflowId);
    // Each start takes a while, and the rule answers meanwhile.
    const starts = one.decide(Array.from({ length: 20 }, (_, at) => one.alarm({ incident: `i-${at}` })));
    const seen: string[][] = [];
    const ask = async () => seen.push(await handle.query<string[]>(KNOWN_INCIDENTS_QUERY));
    while ((seen.at(-1)?.length ?? 0) < 21) await ask();
    expect(seen.every((incidents) => incidents.length === 1 || incidents.length === 21)).toBe(true);
    await starts;
  });
});

describe('a firing that continues after a false resolution', () => {
  it('starts its run, once', async () => {
    const { instanceId, path } = await stack.newInstance();
    const one = rule();
    const now = Date.now();
    const sentAt = (minutesAgo: number) => ({ saidAtMs: now - minutesAgo * 60_000, target: path });
    const firing = { atMs: now - 3_600_000 };
    const [waiting] = await one.decide([one.alarm({ ...firing, ...sentAt(30) })], { debounceMs: 60_000 });
    const resolved = one.alarm({ status: 'resolved', atMs: now - 1_200_000, ...sentAt(20) });
    expect(await one.decide([resolved])).toMatchObject([{ kind: 'calledOff' }]);
    expect(await one.decide([one.alarm({ ...firing, ...sentAt(15) })])).toMatchObject([{ kind: 'calledOff' }]);
    const { runId } = waiting ?? {};
    expect(await one.decide([one.alarm({ ...firing, ...sentAt(5) })])).toMatchObject([{ kind: 'started', runId }]);
    expect(await one.decide([one.alarm({ ...firing, ...sentAt(0) })])).toMatchObject([{ kind: 'repeated', runId }]);
    await stack.report(runId ?? '');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });
});
