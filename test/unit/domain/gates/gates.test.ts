/** Windows and freezes: open or closed, why, and when it could open. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cutoffAt,
  gateAt,
  MOST_FREEZES,
  relevantFreezes,
  type Freeze,
  type Gate,
  type TargetWindow,
  type Window,
} from '../../../../src/domain/gates/gates.js';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);
const window: Window = { opensAtMs: at('2026-12-01T01:00:00Z'), durationMs: 2 * HOUR, cutoffMs: HOUR / 2 };
const freeze = (from: string, to: string, name = 'Year end'): Freeze => ({
  calendar: 'prod-freeze',
  name,
  fromMs: at(from),
  toMs: at(to),
});

describe('a window', () => {
  it.each([
    ['before it opens', '2026-12-01T00:59:59Z', false],
    ['when it opens', '2026-12-01T01:00:00Z', true],
    ['just before its cut-off', '2026-12-01T02:29:59Z', true],
    ['at its cut-off', '2026-12-01T02:30:00Z', false],
    ['after its end', '2026-12-01T03:00:00Z', false],
  ])('%s', (_when, now, open) => {
    expect(gateAt(at(now), window, []).open).toBe(open);
  });

  it('names the times at which it opens, closes and cuts off', () => {
    expect(gateAt(at('2026-12-01T00:00:00Z'), window, [])).toEqual({
      open: false,
      failure: 'OutsideWindow',
      why: 'The maintenance window is open 2026-12-01T01:00:00Z to 2026-12-01T03:00:00Z, nothing new after 2026-12-01T02:30:00Z: it has not opened yet',
      opensAtMs: window.opensAtMs,
    });
    const past = gateAt(at('2026-12-01T02:45:00Z'), window, []);
    expect(past).toMatchObject({ failure: 'OutsideWindow', opensAtMs: null });
    expect(past).toMatchObject({ why: expect.stringContaining('its cut-off has passed') as unknown });
  });
});

describe('a window that the steps must fit into', () => {
  const MINUTE = 60_000;
  const until3: Window = { ...window, cutoffMs: 0 };
  const needing = (ms: number, jobs: { least: number; most: number } | null = { least: 41, most: 41 }) => ({
    ...until3,
    needed: { ms, jobs },
  });
  const whyAt = (now: string, given: TargetWindow) => {
    const gate = gateAt(at(now), given, []);
    return gate.open ? 'open' : `${gate.failure}: ${gate.why.replace(/^.*?Z to .*?Z[^:]*: /, '')}`;
  };

  it.each([
    ['with more than enough time', '2026-12-01T02:00:00Z', 'open'],
    ['just before the last moment', '2026-12-01T02:47:59Z', 'open'],
    [
      'at the last moment',
      '2026-12-01T02:48:00Z',
      'OutsideWindow: the target is not begun, because its steps take up to 12m (nine in ten, from 41 cloud jobs): they had to begin before 2026-12-01T02:48:00Z',
    ],
    [
      'later',
      '2026-12-01T02:51:00Z',
      'OutsideWindow: the target is not begun, because its steps take up to 12m (nine in ten, from 41 cloud jobs) and the window ends in 9m: they had to begin before 2026-12-01T02:48:00Z',
    ],
    ['after its end', '2026-12-01T03:00:00Z', 'OutsideWindow: its end has passed'],
  ])('%s', (_when, now, expected) => {
    expect(whyAt(now, needing(12 * MINUTE))).toBe(expected);
  });

  it('is never open if it is too short, which is known before it opens', () => {
    expect(whyAt('2026-12-01T00:00:00Z', needing(2 * HOUR, { least: 12, most: 41 }))).toBe(
      'OutsideWindow: the target is not begun, because its steps take up to 2h (nine in ten, from 12 to 41 cloud jobs for each step) and the whole window is 2h',
    );
    expect(whyAt('2026-12-01T01:30:00Z', needing(3 * HOUR, null))).toBe(
      'OutsideWindow: the target is not begun, because its steps take at least 3h (waits and verification alone) and the whole window is 2h',
    );
  });

  it('closes at its cut-off where that is earlier', () => {
    const early = { ...needing(12 * MINUTE), cutoffMs: HOUR / 2 };
    expect(whyAt('2026-12-01T02:29:59Z', early)).toBe('open');
    expect(whyAt('2026-12-01T02:30:00Z', early)).toBe('OutsideWindow: its cut-off has passed');
  });

  it('closes for the target if a freeze ends too late for it', () => {
    const freezes = [freeze('2026-12-01T01:00:00Z', '2026-12-01T02:50:00Z')];
    const gate = gateAt(at('2026-12-01T01:30:00Z'), needing(12 * MINUTE), freezes);
    expect(gate).toMatchObject({ failure: 'ChangeFreeze', opensAtMs: null });
    expect(gate).toMatchObject({ why: expect.stringContaining('no longer fits into the window') as unknown });
  });
});

describe('a freeze', () => {
  it('closes the gate from its start until just before its end, and names its times', () => {
    const freezes = [freeze('2026-12-20T00:00:00Z', '2027-01-02T00:00:00Z')];
    const closing = { atMs: at('2026-12-20T00:00:00Z'), failure: 'ChangeFreeze' };
    expect(gateAt(at('2026-12-19T23:59:59Z'), null, freezes)).toMatchObject({ open: true, closing });
    expect(gateAt(at('2027-01-02T00:00:00Z'), null, freezes)).toEqual({ open: true, closing: null });
    expect(gateAt(at('2026-12-20T00:00:00Z'), null, freezes)).toEqual({
      open: false,
      failure: 'ChangeFreeze',
      why: 'Changes are frozen: prod-freeze "Year end" 2026-12-20T00:00:00Z to 2027-01-02T00:00:00Z. No target is started before 2027-01-02T00:00:00Z',
      opensAtMs: at('2027-01-02T00:00:00Z'),
    });
  });

  it('that touches the next one ends with it', () => {
    const freezes = [
      freeze('2026-12-02T00:00:00Z', '2026-12-03T00:00:00Z'),
      freeze('2026-12-01T00:00:00Z', '2026-12-02T00:00:00Z'),
    ];
    expect(gateAt(at('2026-12-01T05:00:00Z'), null, freezes)).toMatchObject({ opensAtMs: at('2026-12-03T00:00:00Z') });
  });

  it('beyond the cut-off leaves no moment to open', () => {
    const freezes = [freeze('2026-12-01T00:00:00Z', '2026-12-01T02:30:00Z')];
    for (const now of ['2026-12-01T00:30:00Z', '2026-12-01T01:30:00Z'])
      expect(gateAt(at(now), window, freezes)).toMatchObject({ open: false, opensAtMs: null });
  });

  it('is assumed if a calendar cannot be read', () => {
    const gate = gateAt(at('2026-12-01T01:30:00Z'), window, [], ['prod.ics: the calendar cannot be read (EACCES)']);
    expect(gate).toMatchObject({ open: false, failure: 'ChangeFreeze', opensAtMs: null });
    expect(gate).toMatchObject({ why: expect.stringContaining('EACCES') as unknown });
  });
});

const span = fc
  .tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 40 }))
  .map(([fromMs, lengthMs]): Freeze => ({ calendar: 'c', name: 'n', fromMs, toMs: fromMs + lengthMs }));
const spans = fc.array(span, { maxLength: 12 });
const needs = fc.option(
  fc.integer({ min: 0, max: 70 }).map((ms) => ({ ms, jobs: { least: 10, most: 10 } })),
  { nil: null },
);
const windows: fc.Arbitrary<TargetWindow | null> = fc.option(
  fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 2, max: 60 }), fc.integer({ min: 0, max: 59 }), needs)
    .map(([opensAtMs, durationMs, cutoffMs, needed]) => ({
      ...{ opensAtMs, durationMs, needed },
      cutoffMs: cutoffMs % durationMs,
    })),
  { nil: null },
);
const frozen = (ms: number, freezes: readonly Freeze[]) =>
  freezes.some(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
const fits = (ms: number, { opensAtMs, durationMs, needed }: TargetWindow) =>
  !needed || ms + needed.ms < opensAtMs + durationMs;
const allowed = (ms: number, window: TargetWindow | null, freezes: readonly Freeze[]) =>
  (window === null || (window.opensAtMs <= ms && ms < cutoffAt(window) && fits(ms, window))) && !frozen(ms, freezes);

const answerOf = (gate: Gate) => (gate.open ? {} : { failure: gate.failure, why: gate.why });

describe('any gate', () => {
  it('is open exactly within its window, where the steps fit, and outside every freeze', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150 }), windows, spans, (now, window, freezes) => {
        expect(gateAt(now, window, freezes).open).toBe(allowed(now, window, freezes));
      }),
    );
  });

  it('closes at the first forbidden moment, or never', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150 }), windows, spans, (now, window, freezes) => {
        const gate = gateAt(now, window, freezes);
        if (!gate.open) return;
        const moments = Array.from({ length: 300 }, (_item, index) => now + index);
        const atMs = moments.find((ms) => !allowed(ms, window, freezes));
        expect(gate.closing?.atMs).toBe(atMs);
        if (atMs !== undefined) expect(gate.closing).toMatchObject(answerOf(gateAt(atMs, window, freezes)));
      }),
    );
  });

  it('can open at the first allowed moment, or never', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150 }), windows, spans, (now, window, freezes) => {
        const gate = gateAt(now, window, freezes);
        if (gate.open) return;
        const moments = Array.from({ length: 300 }, (_item, index) => now + index);
        expect(gate.opensAtMs).toBe(moments.find((ms) => allowed(ms, window, freezes)) ?? null);
      }),
    );
  });

  it('is the same with only the relevant freezes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150 }), windows, spans, (now, window, freezes) => {
        const relevant = gateAt(now, window, relevantFreezes(freezes));
        const all = gateAt(now, window, freezes);
        expect(relevant.open).toBe(all.open);
        if (!relevant.open && !all.open) expect(relevant.opensAtMs).toBe(all.opensAtMs);
        if (relevant.open && all.open) expect(relevant.closing?.atMs).toBe(all.closing?.atMs);
      }),
    );
  });
});

it('keeps only the first of very many freezes', () => {
  const many = Array.from({ length: 500 }, (_item, index) => ({
    calendar: 'c',
    name: 'n',
    fromMs: index * 10,
    toMs: index * 10 + 5,
  }));
  expect(relevantFreezes(many.reverse()).map(({ fromMs }) => fromMs)).toEqual(
    Array.from({ length: MOST_FREEZES }, (_item, index) => index * 10),
  );
});
