/** The wait at a gate: when it is checked again, when the run gives up, and what the report contains. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  closedAfterPassing,
  FIRST_GATE,
  MOST_GATE_REPORTS,
  nextAtGate,
  type GateCommand,
  type GateRules,
  type GateState,
} from '../../../../src/domain/gates/gate-wait.js';
import { gateAt, type Closing, type Freeze, type ReadFreezes } from '../../../../src/domain/gates/gates.js';

const MINUTE = 60_000;
const freeze = (fromMinute: number, toMinute: number): Freeze => ({
  calendar: 'prod',
  name: 'Year end',
  fromMs: fromMinute * MINUTE,
  toMs: toMinute * MINUTE,
});
const openFrom = (minute: number, cutoffMinute: number) => ({
  opensAtMs: minute * MINUTE,
  durationMs: (cutoffMinute - minute) * MINUTE,
  cutoffMs: 0,
});
const needing = (minute: number) => ({ ms: minute * MINUTE, jobs: { least: 41, most: 41 } });
const frozen = (...freezes: Freeze[]): ReadFreezes => ({ freezes, unreadable: [] });
const UNREADABLE: ReadFreezes = { freezes: [], unreadable: ['prod.yaml: the calendar cannot be read'] };
const rules = (change: Partial<GateRules> = {}): GateRules => ({ window: null, waitAtMostMs: null, ...change });

/** Runs the commands like the workflow, with a clock that jumps to the end of each wait. */
function arrive(
  given: GateRules,
  calendarsAt: (nowMs: number) => ReadFreezes,
  { state = FIRST_GATE, atMs = 0, target = 'web' }: { state?: GateState; atMs?: number; target?: string } = {},
) {
  const checkedAtMs: number[] = [];
  let event: Parameters<typeof nextAtGate>[1] = { kind: 'ready' };
  let nowMs = atMs;
  let current = state;
  for (;;) {
    const { state: after, next } = nextAtGate(current, event, given, nowMs);
    current = after;
    if (next.kind === 'open' || next.kind === 'closed') return { state: current, end: next, checkedAtMs };
    if (next.kind === 'wait') {
      nowMs = next.untilMs;
      event = { kind: 'ready' };
    } else {
      checkedAtMs.push(nowMs);
      event = { kind: 'calendarsRead', target, calendars: calendarsAt(nowMs) };
    }
  }
}

const minutes = (values: readonly number[]) => values.map((value) => value / MINUTE);
const failureOf = (end: GateCommand) => (end.kind === 'closed' ? end.failure.name : end.kind);

describe('a run that comes to a gate', () => {
  it.each<[string, GateRules, ReadFreezes, string, number[]]>([
    ['continues at once if it is open', rules(), frozen(), 'open', [0]],
    ['ends at once in a freeze that it may not wait for', rules(), frozen(freeze(0, 5)), 'ChangeFreeze', [0]],
    [
      'waits for the end of a freeze',
      rules({ waitAtMostMs: 60 * MINUTE }),
      frozen(freeze(0, 5), freeze(5, 8)),
      'open',
      [0, 8],
    ],
    [
      'checks a long freeze again every ten minutes, since it may be lifted, and then gives up',
      rules({ waitAtMostMs: 25 * MINUTE }),
      frozen(freeze(0, 500)),
      'ChangeFreeze',
      [0, 10, 20, 25],
    ],
    [
      'waits for its window to open',
      rules({ window: openFrom(7, 60), waitAtMostMs: 60 * MINUTE }),
      frozen(),
      'open',
      [0, 7],
    ],
    [
      'ends at once if its window opens too late',
      rules({ window: openFrom(61, 90), waitAtMostMs: 60 * MINUTE }),
      frozen(),
      'OutsideWindow',
      [0],
    ],
    [
      'waits only until the cut-off of its window',
      rules({ window: openFrom(0, 15), waitAtMostMs: 60 * MINUTE }),
      frozen(freeze(0, 500)),
      'OutsideWindow',
      [0, 10, 15],
    ],
    [
      'ends at once if its steps do not fit into the window, however long it may wait',
      rules({ window: { ...openFrom(7, 60), needed: needing(53) }, waitAtMostMs: 60 * MINUTE }),
      frozen(),
      'OutsideWindow',
      [0],
    ],
    [
      'continues in a window that its steps fit into',
      rules({ window: { ...openFrom(7, 60), needed: needing(52) }, waitAtMostMs: 60 * MINUTE }),
      frozen(),
      'open',
      [0, 7],
    ],
    [
      'waits for the end of a freeze only for as long as its steps still fit',
      rules({ window: { ...openFrom(0, 20), needed: needing(5) }, waitAtMostMs: 60 * MINUTE }),
      frozen(freeze(0, 500)),
      'OutsideWindow',
      [0, 10, 15],
    ],
    [
      'waits for a calendar that cannot be read',
      rules({ waitAtMostMs: 10 * MINUTE }),
      UNREADABLE,
      'ChangeFreeze',
      [0, 10],
    ],
  ])('%s', (_what, given, calendars, expected, checked) => {
    const { end, checkedAtMs } = arrive(given, () => calendars);
    expect(failureOf(end)).toBe(expected);
    expect(minutes(checkedAtMs)).toEqual(checked);
  });

  it('continues if the freeze was lifted meanwhile', () => {
    const lifted = (nowMs: number) => (nowMs < 10 * MINUTE ? frozen(freeze(0, 500)) : frozen());
    const { end, checkedAtMs } = arrive(rules({ waitAtMostMs: 60 * MINUTE }), lifted);
    expect(end.kind).toBe('open');
    expect(minutes(checkedAtMs)).toEqual([0, 10]);
  });

  it('shows when it checks again and when it gives up', () => {
    const { next } = nextAtGate(
      FIRST_GATE,
      { kind: 'calendarsRead', target: 'web', calendars: frozen(freeze(0, 500)) },
      rules({ waitAtMostMs: 25 * MINUTE }),
      0,
    );
    const waiting = { looksAgainAtMs: 10 * MINUTE, givesUpAtMs: 25 * MINUTE };
    expect(next).toMatchObject({ kind: 'wait', untilMs: 10 * MINUTE, waiting });
  });

  it('reports in its failure how long it waited, if it was allowed to wait', () => {
    const frozenForLong = () => frozen(freeze(0, 500));
    const { end } = arrive(rules({ waitAtMostMs: 25 * MINUTE }), frozenForLong);
    expect(end.kind === 'closed' ? end.failure.message : '').toMatch(/25m .* 25m/);
    const { end: refused } = arrive(rules(), frozenForLong);
    expect(refused.kind === 'closed' ? refused.failure.message : '').not.toContain('waited');
  });
});

describe('several targets', () => {
  const given = rules({ waitAtMostMs: 30 * MINUTE });

  it('share the time that the run may wait', () => {
    const first = arrive(given, () => frozen(freeze(0, 20)), { target: 'a' });
    expect(first.state.waitedMs).toBe(20 * MINUTE);
    const second = arrive(given, () => frozen(freeze(40, 500)), { state: first.state, atMs: 45 * MINUTE, target: 'b' });
    expect(failureOf(second.end)).toBe('ChangeFreeze');
    expect(minutes(second.checkedAtMs)).toEqual([45, 55]);
    expect(second.state.waitedMs).toBe(30 * MINUTE);
  });

  it('do not wait while one of them acts', () => {
    const first = arrive(given, () => frozen(freeze(0, 5)), { target: 'a' });
    const second = arrive(given, () => frozen(), { state: first.state, atMs: 90 * MINUTE, target: 'b' });
    expect(second.state.waitedMs).toBe(5 * MINUTE);
  });
});

describe('a gate that closes after the target has passed it', () => {
  const closing: Closing = { atMs: 20 * MINUTE, failure: 'ChangeFreeze', why: 'Changes are frozen' };
  const passed = arrive(rules({ waitAtMostMs: 60 * MINUTE }), () => frozen(freeze(20, 30)), { atMs: 10 * MINUTE });

  it('is reported', () => {
    const { reports } = closedAfterPassing(passed.state, 'web', closing, 21 * MINUTE);
    expect(reports).toMatchObject([
      { target: 'web', failure: 'ChangeFreeze', firstLookAtMs: 21 * MINUTE, opensAtMs: null },
    ]);
  });

  it('makes the target wait again', () => {
    const state = closedAfterPassing(passed.state, 'web', closing, 21 * MINUTE);
    const again = arrive(rules({ waitAtMostMs: 60 * MINUTE }), () => frozen(freeze(20, 30)), {
      state,
      atMs: 21 * MINUTE,
    });
    expect(again.end.kind).toBe('open');
    expect(minutes(again.checkedAtMs)).toEqual([21, 30]);
  });

  it('is not checked before it has closed by the local clock, and shows no wait until then', () => {
    const state = closedAfterPassing(passed.state, 'web', closing, 19 * MINUTE);
    const { next } = nextAtGate(state, { kind: 'ready' }, rules(), 19 * MINUTE);
    expect(next).toEqual({ kind: 'wait', untilMs: 20 * MINUTE, waiting: null });
    expect(nextAtGate(state, { kind: 'ready' }, rules(), 20 * MINUTE).next).toEqual({ kind: 'readCalendars' });
  });
});

describe('the lines of the report', () => {
  it('are empty if the gate was open at once', () => {
    expect(arrive(rules(), () => frozen()).state.reports).toEqual([]);
  });

  it('count consecutive checks with the same answer, and show when the gate was open', () => {
    const { state } = arrive(rules({ waitAtMostMs: 60 * MINUTE }), () => frozen(freeze(0, 25)));
    expect(state.reports).toMatchObject([
      { target: 'web', looks: 3, firstLookAtMs: 0, lastLookAtMs: 20 * MINUTE, opensAtMs: 25 * MINUTE },
      { target: 'web', looks: 1, failure: null, why: null, firstLookAtMs: 25 * MINUTE },
    ]);
  });

  it('omit those in the middle if there are too many', () => {
    let state = FIRST_GATE;
    for (let index = 0; index < MOST_GATE_REPORTS + 5; index++) {
      const closing: Closing = { atMs: 0, failure: 'ChangeFreeze', why: `${index}` };
      state = closedAfterPassing(state, 'web', closing, index);
    }
    const reasons = state.reports.map(({ why }) => Number(why));
    expect(reasons).toHaveLength(MOST_GATE_REPORTS);
    expect(reasons[0]).toBe(0);
    expect(reasons.at(-1)).toBe(MOST_GATE_REPORTS + 4);
  });
});

it('uses the latest time that it has seen if the clock is behind', () => {
  const { state } = nextAtGate(FIRST_GATE, { kind: 'ready' }, rules(), 9 * MINUTE);
  const calendars = frozen(freeze(0, 8));
  const { next } = nextAtGate(state, { kind: 'calendarsRead', target: 'web', calendars }, rules(), 7 * MINUTE);
  expect(next.kind).toBe('open');
});

describe('any wait', () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 40 }))
    .map(([from, length]) => freeze(from, from + length));
  const anyRules = fc
    .tuple(
      fc.option(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 60 })), { nil: null }),
      fc.option(fc.integer({ min: 0, max: 120 }), { nil: null }),
      fc.option(fc.integer({ min: 0, max: 70 }), { nil: null }),
    )
    .map(([window, waitAtMost, needed]): GateRules => ({
      window:
        window === null
          ? null
          : { ...openFrom(window[0], window[0] + window[1]), needed: needed === null ? null : needing(needed) },
      waitAtMostMs: waitAtMost === null ? null : waitAtMost * MINUTE,
    }));

  it('ends open at the first allowed moment, exactly if the run may wait for it', () => {
    fc.assert(
      fc.property(
        anyRules,
        fc.array(span, { maxLength: 8 }),
        fc.integer({ min: 0, max: 100 }),
        (given, freezes, minute) => {
          const atMs = minute * MINUTE;
          const { end, state } = arrive(given, () => frozen(...freezes), { atMs });
          const first = gateAt(atMs, given.window, freezes);
          const opensAtMs = first.open ? atMs : first.opensAtMs;
          const isInTime = opensAtMs !== null && opensAtMs <= atMs + (given.waitAtMostMs ?? 0);
          expect(end.kind).toBe(isInTime ? 'open' : 'closed');
          if (isInTime) expect(state.nowMs).toBe(opensAtMs);
          if (end.kind === 'open' && given.window?.needed)
            expect(state.nowMs + given.window.needed.ms).toBeLessThan(given.window.opensAtMs + given.window.durationMs);
          expect(state.waitedMs).toBe(state.nowMs - atMs);
          expect(state.waitedMs).toBeLessThanOrEqual(given.waitAtMostMs ?? 0);
        },
      ),
    );
  });
});
