import { describe, expect, it } from 'vitest';
import { MOST_ALARMS_AT_ONCE, type AlarmDecision, type RuleAlarm } from '../../../src/domain/alarms/alarm.js';
import { RuleBatcher, Undecided } from '../../../src/gateway/rule-batcher.js';
import { anAlarm } from '../../support/alarms.js';

/** Updates that the test completes. */
function aRule() {
  const updates: { alarms: readonly RuleAlarm[]; answer(): void; fail(): void }[] = [];
  const queue = new RuleBatcher<RuleAlarm, AlarmDecision>(
    (alarms) =>
      new Promise((resolve, reject) => {
        updates.push({
          alarms,
          answer: () => resolve(alarms.map(({ incident }) => decided(incident))),
          fail: () => reject(new Undecided('the server is unreachable')),
        });
      }),
    ({ onlyIfKnown }) => onlyIfKnown === true,
  );
  return { queue, updates };
}

function decided(why: string): AlarmDecision {
  return { kind: 'started', why, runId: null, untilMs: null };
}

const alarms = (prefix: string, count: number, summary = '') =>
  Array.from({ length: count }, (_, index) => anAlarm({ incident: `${prefix}-${index}`, summary }));
const never = () => new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the batches of a rule', () => {
  it('has one update in flight; the next carries all alarms that came meanwhile, in order', async () => {
    const { queue, updates } = aRule();
    const first = queue.decide(alarms('a', 1), never());
    const second = queue.decide(alarms('b', 2), never());
    const third = queue.decide(alarms('c', 1), never());
    await turn();
    expect(updates).toHaveLength(1);
    expect(queue.length).toBe(3);
    updates[0]?.answer();
    expect(await first).toEqual([decided('a-0')]);
    await turn();
    expect(updates[1]?.alarms.map(({ incident }) => incident)).toEqual(['b-0', 'b-1', 'c-0']);
    updates[1]?.answer();
    expect(await second).toEqual([decided('b-0'), decided('b-1')]);
    expect(await third).toEqual([decided('c-0')]);
    expect(updates).toHaveLength(2);
  });

  it('sends no more at once than an update may contain, by number and by size', async () => {
    const { queue, updates } = aRule();
    const many = queue.decide(alarms('n', MOST_ALARMS_AT_ONCE + 1), never());
    updates[0]?.answer();
    await turn();
    expect(updates.map((update) => update.alarms.length)).toEqual([MOST_ALARMS_AT_ONCE, 1]);
    updates[1]?.answer();
    expect(await many).toHaveLength(MOST_ALARMS_AT_ONCE + 1);
    const large = queue.decide(alarms('s', 3, 'x'.repeat(300 * 1024)), never());
    for (let update = 2; update < 5; update++) {
      await turn();
      expect(updates[update]?.alarms).toHaveLength(1);
      updates[update]?.answer();
    }
    expect(await large).toHaveLength(3);
  });

  it('counts only alarms that will certainly be sent', async () => {
    const { queue, updates } = aRule();
    const inCase = alarms('c', 1_000).map((alarm) => ({ ...alarm, onlyIfKnown: true }));
    void queue.decide([...inCase, ...alarms('n', MOST_ALARMS_AT_ONCE + 1)], never());
    updates[0]?.answer();
    await turn();
    expect(updates.map((update) => update.alarms.length)).toEqual([1_000 + MOST_ALARMS_AT_ONCE, 1]);
  });

  it('a failed update fails its own alarms only, and the next update is still sent', async () => {
    const { queue, updates } = aRule();
    const first = queue.decide(alarms('a', 1), never());
    const second = queue.decide(alarms('b', 1), never());
    updates[0]?.fail();
    await expect(first).rejects.toThrow('the server is unreachable');
    await turn();
    updates[1]?.answer();
    expect(await second).toEqual([decided('b-0')]);
  });

  it('the alarms of a sender that hung up are not sent', async () => {
    const { queue, updates } = aRule();
    const first = queue.decide(alarms('a', 1), never());
    const hungUp = new AbortController();
    const waiting = queue.decide(alarms('b', 100), hungUp.signal);
    hungUp.abort(new Undecided('too late'));
    await expect(waiting).rejects.toThrow('too late');
    expect(queue.length).toBe(0);
    updates[0]?.answer();
    await first;
    await turn();
    expect(updates).toHaveLength(1);
  });

  it('rejects at once what exceeds its capacity', async () => {
    const { queue } = aRule();
    void queue.decide(alarms('a', 1), never());
    void queue.decide(alarms('b', 1_500), never());
    await expect(queue.decide(alarms('c', 501), never())).rejects.toThrow('too many alarms wait');
    void queue.decide(alarms('d', 500), never());
    expect(queue.length).toBe(2_000);
  });
});
