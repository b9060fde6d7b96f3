/** The decisions of a rule, one kind after another. */
import { describe, expect, it } from 'vitest';
import { UNMATCHED, type Brakes, type DECISIONS, type RuleAlarm } from '../../../../src/domain/alarms/alarm.js';
import { runsToAsk } from '../../../../src/domain/alarms/alarm-rule.js';
import { EMPTY_STATE, MOST_OPEN } from '../../../../src/domain/alarms/alarm-rule-state.js';
import type { RunSeen } from '../../../../src/domain/contract.js';
import { NO_BRAKES } from '../../../support/alarms.js';
import { DAY, later, ran, Rule, SECOND, T0 } from '../../../support/rule-under-a-clock.js';

const foreign = (endedAtMs: number | null): RunSeen => ({
  runId: 'by-hand',
  targets: ['shop/checkout/disk-1'],
  endedAtMs,
});
const ofNoRule = (status: RuleAlarm['status']) => {
  const rule = new Rule({}, UNMATCHED);
  return rule.decide(rule.alarm({ status, start: { problem: '' } }));
};
/** `noted` is never the decision on an alarm: see alarm-rule-notes.test.ts. */
const STORIES: Record<
  Exclude<keyof typeof DECISIONS, 'noted'>,
  readonly [title: string, brakes: Partial<Brakes>, (rule: Rule) => object][]
> = {
  started: [
    ['a first firing', {}, (rule) => rule.decide(rule.alarm())],
    [
      'another incident on another target',
      { coolDownMs: 60 * SECOND },
      (rule) => (ran(rule), rule.decide(rule.alarm({ incident: 'disk-2' }))),
    ],
    [
      'the same episode after its resolution',
      {},
      (rule) => {
        ran(rule);
        later(rule, 10 * SECOND).decide(rule.alarm({ status: 'resolved' }));
        return later(rule, 10 * SECOND).decide(rule.alarm());
      },
    ],
    [
      'a new episode after the cool-down',
      { coolDownMs: 60 * SECOND },
      (rule) => {
        ran(rule);
        return later(rule, 60 * SECOND).decide(rule.alarm({ episode: 'disk-1-2' }));
      },
    ],
    [
      'the end of its debounce',
      { debounceMs: 60 * SECOND },
      (rule) => {
        rule.decide(rule.alarm());
        return later(rule, 60 * SECOND).due()[0] ?? {};
      },
    ],
    [
      'a dropped alarm, when it is delivered again',
      { coolDownMs: 60 * SECOND },
      (rule) => {
        rule.seen = [foreign(rule.nowMs)];
        rule.decide(rule.alarm());
        return later(rule, 60 * SECOND).decide(rule.alarm());
      },
    ],
    [
      'one more once a run has ended',
      { atOnce: 1 },
      (rule) => (ran(rule), rule.decide(rule.alarm({ incident: 'disk-2' }))),
    ],
  ],
  waiting: [['a first firing under a debounce', { debounceMs: 60 * SECOND }, (rule) => rule.decide(rule.alarm())]],
  repeated: [
    ['the same firing again', {}, (rule) => (rule.decide(rule.alarm()), later(rule, DAY).decide(rule.alarm()))],
    [
      'the same firing while it waits',
      { debounceMs: DAY },
      (rule) => (rule.decide(rule.alarm()), rule.decide(rule.alarm())),
    ],
    [
      'a late copy after the resolution',
      {},
      (rule) => {
        const alarm = rule.alarm();
        rule.decide(alarm);
        later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
        return later(rule, SECOND).decide({ ...alarm, receivedAtMs: rule.nowMs });
      },
    ],
    [
      'a late copy whose sender gives no time',
      {},
      (rule) => {
        rule.decide(rule.alarm({ atMs: rule.nowMs }));
        later(rule, SECOND).decide(rule.alarm({ status: 'resolved', atMs: rule.nowMs }));
        return later(rule, SECOND).decide(rule.alarm({ atMs: rule.nowMs }));
      },
    ],
    [
      'a copy from a paired sender with another start',
      {},
      (rule) => {
        const atMs = rule.nowMs - 30 * SECOND;
        ran(rule, { atMs });
        return later(rule, DAY).decide(rule.alarm({ episode: 'of the paired sender', atMs: atMs + SECOND }));
      },
    ],
  ],
  busy: [
    [
      'its own run on the target',
      {},
      (rule) => {
        rule.decide(rule.alarm());
        return rule.decide(rule.alarm({ incident: 'other', target: 'shop/checkout/disk-1' }));
      },
    ],
    [
      'its own run for the incident',
      {},
      (rule) => {
        rule.decide(rule.alarm());
        return later(rule, SECOND).decide(rule.alarm({ episode: 'new', target: 'shop/checkout/elsewhere' }));
      },
    ],
    ['a run of somebody else', {}, (rule) => ((rule.seen = [foreign(null)]), rule.decide(rule.alarm()))],
    [
      'a run of somebody else at the end of the debounce',
      { debounceMs: SECOND },
      (rule) => {
        rule.decide(rule.alarm());
        rule.seen = [foreign(null)];
        return later(rule, SECOND).due()[0] ?? {};
      },
    ],
  ],
  coolingDown: [
    [
      'its own run that has ended',
      { coolDownMs: 60 * SECOND },
      (rule) => {
        ran(rule);
        return later(rule, 59 * SECOND).decide(rule.alarm({ episode: 'disk-1-2' }));
      },
    ],
    [
      'a run of somebody else that has ended',
      { coolDownMs: 60 * SECOND },
      (rule) => {
        rule.seen = [foreign(rule.nowMs)];
        return later(rule, 59 * SECOND).decide(rule.alarm());
      },
    ],
  ],
  tooMany: [
    [
      'one more within the time',
      { atMost: { runs: 2, withinMs: DAY } },
      (rule) => {
        ran(rule);
        ran(rule, { incident: 'disk-2' });
        return later(rule, DAY - 1).decide(rule.alarm({ incident: 'disk-3' }));
      },
    ],
  ],
  tooManyAtOnce: [
    [
      'one more while one is running',
      { atOnce: 1 },
      (rule) => {
        rule.decide(rule.alarm());
        return rule.decide(rule.alarm({ incident: 'disk-2' }));
      },
    ],
    [
      'more than a rule can keep',
      {},
      (rule) => {
        for (let at = 0; at < MOST_OPEN; at++) rule.decide(rule.alarm({ incident: `i-${at}` }));
        return rule.decide(rule.alarm());
      },
    ],
  ],
  noTarget: [['labels without a target', {}, (rule) => rule.decide(rule.alarm({ start: { problem: 'no label' } }))]],
  unmatched: [
    ['an alarm that no rule matches', {}, () => ofNoRule('firing')],
    ['a resolution that no rule matches', {}, () => ofNoRule('resolved')],
  ],
  withdrawn: [
    [
      'a resolution while its run is running',
      { onResolved: 'withdraw' },
      (rule) => {
        rule.decide(rule.alarm());
        return later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
      },
    ],
  ],
  calledOff: [
    [
      'a resolution while it waits',
      { debounceMs: DAY },
      (rule) => {
        rule.decide(rule.alarm());
        return later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
      },
    ],
    [
      'a firing that arrives after its resolution',
      {},
      (rule) => {
        const alarm = rule.alarm();
        later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
        return later(rule, SECOND).decide({ ...alarm, receivedAtMs: rule.nowMs });
      },
    ],
    [
      'a repetition of a firing that was called off',
      { debounceMs: DAY },
      (rule) => {
        const alarm = rule.alarm();
        rule.decide(alarm);
        later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
        return later(rule, SECOND).decide({ ...alarm, receivedAtMs: rule.nowMs });
      },
    ],
  ],
  resolved: [
    [
      'a resolution of an unknown firing',
      { onResolved: 'withdraw' },
      (rule) => rule.decide(rule.alarm({ status: 'resolved' })),
    ],
    [
      'a resolution of an earlier firing',
      { debounceMs: DAY, onResolved: 'withdraw' },
      (rule) => {
        const resolved = rule.alarm({ status: 'resolved' });
        later(rule, SECOND).decide(rule.alarm());
        return later(rule, SECOND).decide({ ...resolved, receivedAtMs: rule.nowMs });
      },
    ],
    [
      'a resolution once its run has ended',
      { onResolved: 'withdraw' },
      (rule) => {
        ran(rule);
        return later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
      },
    ],
    [
      'a resolution if the rule ignores resolutions',
      {},
      (rule) => {
        rule.decide(rule.alarm());
        return later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
      },
    ],
    [
      'the same resolution again',
      { onResolved: 'withdraw' },
      (rule) => {
        rule.decide(rule.alarm());
        later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
        return rule.decide(rule.alarm({ status: 'resolved' }));
      },
    ],
  ],
};

describe.each(Object.entries(STORIES))('%s', (kind, stories) => {
  it.each(stories)('is decided for %s', (_title, brakes, story) => {
    expect(story(new Rule(brakes))).toMatchObject({ kind });
  });
});

describe('a decision', () => {
  it('on an unmatched alarm leaves only its line in the log', () => {
    const rule = new Rule({}, UNMATCHED);
    rule.decide(rule.alarm());
    expect(rule.state).toEqual(EMPTY_STATE);
  });

  it('names the run, and the time until which it holds', () => {
    const rule = new Rule({ coolDownMs: 60 * SECOND });
    const runId = `alarm-tests-rule-${rule.alarm().episodeHash.slice(0, 16)}`;
    expect(ran(rule)).toBe(runId);
    const untilMs = T0 + 60 * SECOND;
    const cooling = rule.decide(rule.alarm({ episode: 'disk-1-2', atMs: T0 + 1, receivedAtMs: T0 + 2 }));
    expect(cooling).toMatchObject({ kind: 'coolingDown', runId, untilMs });
    expect(cooling.why).toBe(
      `the run ${runId} on shop/checkout/disk-1 ended at 2026-11-25T00:00:00Z; none starts until 2026-11-25T00:01:00Z`,
    );
  });

  it('on a firing after a resolution has a new run id', () => {
    const rule = new Rule();
    const first = ran(rule);
    later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
    expect(later(rule, SECOND).decide(rule.alarm()).runId).toBe(`${first}-2`);
  });

  it('starts the run on the target that the brakes were checked for, in the name of the rule', () => {
    const rule = new Rule();
    const target = 'shop/checkout/prod-1';
    const given = { targets: ['shop/checkout/other'], requestedBy: 'mallory', inputs: { version: '1' } };
    const { effect } = rule.decide(rule.alarm({ start: { runbook: 'rollback', target, arguments: given } }));
    expect(effect).toMatchObject({
      kind: 'start',
      runbook: 'rollback',
      arguments: {
        targets: [target],
        requestedBy: 'alarm rule tests/rule',
        reason: 'it hangs',
        inputs: { version: '1' },
      },
    });
  });

  it('needs only the runs that it depends on', () => {
    const rule = new Rule();
    const { runId } = rule.decide(rule.alarm());
    rule.decide(rule.alarm({ incident: 'disk-2' }));
    const question = [{ target: 'shop/checkout/disk-1', incident: 'disk-1' }];
    const asked = runsToAsk(rule.state, question, { ...NO_BRAKES, coolDownMs: SECOND }, T0);
    expect(asked).toEqual({ runIds: [runId], targets: ['shop/checkout/disk-1'], sinceMs: T0 - SECOND });
    expect(runsToAsk(rule.state, question, { ...NO_BRAKES, atOnce: 1 }, T0).runIds).toHaveLength(2);
  });
});

describe('a debounce', () => {
  const waitingRule = () => {
    const rule = new Rule({ debounceMs: 60 * SECOND });
    rule.decide(rule.alarm());
    return rule;
  };

  it('that falls due a little late starts its run', () => {
    expect(later(waitingRule(), 5 * 60 * SECOND).due()).toMatchObject([{ kind: 'started' }]);
  });

  it('that falls due too late to know whether the alarm still fires starts nothing, but a repetition may', () => {
    const rule = later(waitingRule(), 12 * 3_600 * SECOND);
    expect(rule.due()).toMatchObject([{ kind: 'calledOff', effect: null }]);
    expect(rule.decide(rule.alarm()).kind).toBe('waiting');
  });
});
