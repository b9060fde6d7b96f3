/** What a rule decides, kind by kind, and what holds for any order of deliveries. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DECISIONS, MOST_ALARMS_AT_ONCE, UNMATCHED, type Brakes, type RuleAlarm } from '../../../src/domain/alarm.js';
import {
  decide,
  decideDue,
  dueFirings,
  nextDueAtMs,
  noteEnds,
  runsToAsk,
  type Decided,
} from '../../../src/domain/alarm-rule.js';
import { requestProblem } from '../../../src/domain/alarm-rule-checks.js';
import {
  EMPTY_STATE,
  forget,
  logged,
  MOST_OPEN,
  toldOf,
  type RuleState,
} from '../../../src/domain/alarm-rule-state.js';
import type { RunSeen } from '../../../src/domain/contract.js';
import { anAlarm, NO_BRAKES, OWNER } from '../../support/alarms.js';

const SECOND = 1_000;
const DAY = 86_400_000;
const T0 = Date.UTC(2026, 10, 25);

/** A rule under a clock: what the workflow does around the pure state, without Temporal. */
class Rule {
  state: RuleState = EMPTY_STATE;
  nowMs = T0;
  seen: RunSeen[] = [];
  readonly started: string[] = [];
  readonly withdrawn: string[] = [];

  constructor(
    readonly brakes: Partial<Brakes> = {},
    readonly rule = 'rule',
  ) {}

  alarm(change: Parameters<typeof anAlarm>[0] = {}): RuleAlarm {
    return anAlarm({ receivedAtMs: this.nowMs, ...change });
  }

  decide(alarm: RuleAlarm) {
    return this.#apply((state) => decide(state, alarm, this.#circumstances));
  }

  due() {
    return dueFirings(this.state, this.nowMs).map((firing) =>
      this.#apply((state) => decideDue(state, firing, this.#circumstances)),
    );
  }

  end(runId: string) {
    this.seen = [...this.seen.filter((run) => run.runId !== runId), { runId, targets: [], endedAtMs: this.nowMs }];
  }

  get #circumstances() {
    const { rule, nowMs, seen } = this;
    return { owner: OWNER, rule, brakes: { ...NO_BRAKES, ...this.brakes }, nowMs, seen };
  }

  #apply(step: (state: RuleState) => Decided) {
    const { state, decision, effect } = step(forget(noteEnds(this.state, this.seen), this.nowMs));
    this.state = state;
    if (effect?.kind === 'start') this.started.push(effect.runId);
    if (effect?.kind === 'withdraw') this.withdrawn.push(...effect.runIds);
    return { ...decision, effect };
  }
}

const ran = (rule: Rule, change: Parameters<typeof anAlarm>[0] = {}) => {
  const { runId } = rule.decide(rule.alarm(change));
  rule.end(runId ?? '');
  return runId;
};
const foreign = (endedAtMs: number | null): RunSeen => ({
  runId: 'by-hand',
  targets: ['shop/checkout/disk-1'],
  endedAtMs,
});
const ofNoRule = (status: RuleAlarm['status']) => {
  const rule = new Rule({}, UNMATCHED);
  return rule.decide(rule.alarm({ status, start: { problem: '' } }));
};
/** Lets time pass between two deliveries. */
const later = (rule: Rule, ms: number) => {
  rule.nowMs += ms;
  return rule;
};

/** `noted` is said of no alarm: alarm-rule-notes.test.ts. */
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
      'one that was dropped, when it comes again',
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
      'a copy of a pair that says another beginning',
      {},
      (rule) => {
        const atMs = rule.nowMs - 30 * SECOND;
        ran(rule, { atMs });
        return later(rule, DAY).decide(rule.alarm({ episode: 'of the other of the pair', atMs: atMs + SECOND }));
      },
    ],
  ],
  busy: [
    [
      'a run of its own on the target',
      {},
      (rule) => {
        rule.decide(rule.alarm());
        return rule.decide(rule.alarm({ incident: 'other', target: 'shop/checkout/disk-1' }));
      },
    ],
    [
      'a run of its own for the incident',
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
      'a run of its own that has ended',
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
      'one more while one is under way',
      { atOnce: 1 },
      (rule) => {
        rule.decide(rule.alarm());
        return rule.decide(rule.alarm({ incident: 'disk-2' }));
      },
    ],
    [
      'more than any rule keeps',
      {},
      (rule) => {
        for (let at = 0; at < MOST_OPEN; at++) rule.decide(rule.alarm({ incident: `i-${at}` }));
        return rule.decide(rule.alarm());
      },
    ],
  ],
  noTarget: [['labels that make no target', {}, (rule) => rule.decide(rule.alarm({ start: { problem: 'no label' } }))]],
  unmatched: [
    ['what no rule takes', {}, () => ofNoRule('firing')],
    ['a resolution that no rule takes', {}, () => ofNoRule('resolved')],
  ],
  withdrawn: [
    [
      'a resolution while its run is under way',
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
      'a repeat of what was called off',
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
      'a resolution of what nobody knows',
      { onResolved: 'withdraw' },
      (rule) => rule.decide(rule.alarm({ status: 'resolved' })),
    ],
    [
      'a resolution of a firing before',
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
      'a resolution of a rule that does nothing then',
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
  it('about what no rule takes leaves nothing but its line in the log', () => {
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

  it('of a firing after a resolution has a run id of its own', () => {
    const rule = new Rule();
    const first = ran(rule);
    later(rule, SECOND).decide(rule.alarm({ status: 'resolved' }));
    expect(later(rule, SECOND).decide(rule.alarm()).runId).toBe(`${first}-2`);
  });

  it('starts the run on the target that the brakes were looked at for, in the name of the rule', () => {
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

  it('asks only for runs that it depends on', () => {
    const rule = new Rule();
    const { runId } = rule.decide(rule.alarm());
    rule.decide(rule.alarm({ incident: 'disk-2' }));
    const question = [{ target: 'shop/checkout/disk-1', incident: 'disk-1' }];
    const asked = runsToAsk(rule.state, question, { ...NO_BRAKES, coolDownMs: SECOND }, T0);
    expect(asked).toEqual({ runIds: [runId], targets: ['shop/checkout/disk-1'], sinceMs: T0 - SECOND });
    expect(runsToAsk(rule.state, question, { ...NO_BRAKES, atOnce: 1 }, T0).runIds).toHaveLength(2);
  });
});

describe('what is remembered', () => {
  it('is forgotten a week after it was seen last, but not what waits or is under way', () => {
    const rule = new Rule({ debounceMs: 30 * DAY });
    rule.decide(rule.alarm());
    const open = new Rule();
    open.decide(open.alarm());
    const ended = new Rule();
    ran(ended);
    for (const each of [rule, open, ended])
      later(each, 8 * DAY).decide(each.alarm({ start: { problem: '' }, incident: 'x' }));
    expect([rule, open, ended].map(({ state }) => state.firings.length)).toEqual([1, 1, 0]);
    expect(nextDueAtMs(rule.state)).toBe(T0 + 30 * DAY);
  });

  it('at its longest, after any flood, fits into a payload, and so does what one update brings', () => {
    const long = (at: number, bytes: number) => `${at}`.padEnd(8, '-') + '警'.repeat((bytes - 12) / 3);
    const inputs = { note: '警'.repeat(450) };
    const longest = (rule: Rule, at: number, of: Parameters<typeof anAlarm>[0] = {}) => {
      const target = long(at, 420);
      const start = { runbook: 'r', target, arguments: { targets: [], inputs } };
      const texts = { incident: long(at, 250), episode: long(at, 250), sender: long(at, 250), name: long(at, 700) };
      return rule.alarm({ ...texts, summary: long(at, 1_000), start, ...of });
    };
    const rule = new Rule({ debounceMs: DAY });
    const flooded = (count: number, from: number, ends: boolean) => {
      for (let at = from; at < from + count; at++) {
        const alarm = longest(rule, at);
        const { effect: _effect, ...decision } = rule.decide(alarm);
        if (ends) rule.seen = [{ runId: decision.runId ?? '', targets: [], endedAtMs: rule.nowMs }];
        rule.decide(longest(rule, at + 10_000, { status: 'resolved' }));
        const line = { decidedAtMs: T0, rule: 'rule', alarm: toldOf(alarm), target: long(at, 420), decision };
        rule.state = logged(rule.state, line);
      }
    };
    Object.assign(rule.brakes, { debounceMs: 0 });
    flooded(1_000, 0, true);
    Object.assign(rule.brakes, { debounceMs: DAY });
    flooded(MOST_OPEN, 5_000, false);
    const size = Buffer.byteLength(JSON.stringify(forget(rule.state, T0)));
    expect(size).toBeGreaterThan(1_500_000);
    expect(size).toBeLessThan(2_000_000);
    const alarms = Array.from({ length: MOST_ALARMS_AT_ONCE }, (_, at) => longest(rule, at));
    const request = { rule: 'rule', brakes: NO_BRAKES, alarms };
    expect(requestProblem(request, 'rule')).toBeNull();
    expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThan(2_000_000);
  });
});

describe('however deliveries are repeated, reordered and mixed with resolutions', () => {
  interface Delivery {
    readonly incident: number;
    readonly nth: number;
    readonly status: 'firing' | 'resolved';
  }
  /** The n-th firing of an incident begins at 200 n seconds and ends 100 s later; all deliveries come after both. */
  const deliveries = fc.array(
    fc.record<Delivery>({
      incident: fc.integer({ min: 0, max: 3 }),
      nth: fc.integer({ min: 0, max: 2 }),
      status: fc.constantFrom('firing', 'firing', 'resolved'),
    }),
    { maxLength: 60 },
  );
  const brakes = fc.record({
    debounceMs: fc.constantFrom(0, 5 * SECOND),
    coolDownMs: fc.constantFrom(0, 20 * SECOND),
    atMost: fc.option(fc.record({ runs: fc.integer({ min: 1, max: 3 }), withinMs: fc.constantFrom(30 * SECOND, DAY) })),
    atOnce: fc.option(fc.integer({ min: 1, max: 3 })),
    onResolved: fc.constantFrom('nothing', 'withdraw'),
  });
  const ends = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });

  it.each(['of its own', 'one for all of an incident'])(
    'a firing has at most one run, with an episode %s, and no brake is passed',
    (episodes) => {
      fc.assert(
        fc.property(deliveries, brakes, ends, (all, given, durations) => {
          const rule = new Rule(given);
          const open = new Map<string, number>();
          const startsAtMs: number[] = [];
          for (const { incident, nth, status } of all) {
            later(rule, SECOND);
            for (const [runId] of [...open].filter(([, endsAtMs]) => endsAtMs <= rule.nowMs)) {
              rule.end(runId);
              open.delete(runId);
            }
            const begunMs = T0 - DAY + nth * 200 * SECOND;
            const atMs = status === 'firing' ? begunMs : begunMs + 100 * SECOND;
            const episode = `${incident}${episodes === 'of its own' ? `-${nth}` : ''}`;
            const before = rule.started.length;
            rule.due();
            const target = `a/b/${incident}`;
            rule.decide(rule.alarm({ incident: `${incident}`, episode, target, status, atMs }));
            for (const runId of rule.started.slice(before)) {
              open.set(runId, rule.nowMs + (durations[startsAtMs.length % durations.length] ?? 1) * SECOND);
              startsAtMs.push(rule.nowMs);
            }
            expect(open.size).toBeLessThanOrEqual(given.atOnce ?? Infinity);
            const { atMost } = given;
            const recent = startsAtMs.filter((startMs) => startMs > rule.nowMs - (atMost?.withinMs ?? 0));
            expect(recent.length).toBeLessThanOrEqual(atMost?.runs ?? Infinity);
          }
          expect(new Set(rule.started).size).toBe(rule.started.length);
          const most = episodes === 'of its own' ? 1 : 3;
          for (const runId of rule.started) {
            const ofEpisode = rule.started.filter((other) => other.slice(0, 33) === runId.slice(0, 33));
            expect(ofEpisode.length).toBeLessThanOrEqual(most);
          }
        }),
        { numRuns: 500 },
      );
    },
  );
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

  it('that falls due when nobody knows any more whether it fires starts nothing; a repeat may', () => {
    const rule = later(waitingRule(), 12 * 3_600 * SECOND);
    expect(rule.due()).toMatchObject([{ kind: 'calledOff', effect: null }]);
    expect(rule.decide(rule.alarm()).kind).toBe('waiting');
  });
});

it('a resolution by a clock that was ahead does not silence what fires later', () => {
  const rule = new Rule();
  rule.decide(rule.alarm({ status: 'resolved', receivedAtMs: T0 + 3_600 * SECOND, atMs: T0 + 3_600 * SECOND }));
  later(rule, 10 * SECOND);
  expect(rule.decide(rule.alarm({ atMs: T0 + 5 * SECOND })).kind).toBe('started');
});
