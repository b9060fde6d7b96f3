import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonBytes } from '../../../../src/domain/text/json-bytes.js';
import { extendTrail, trailWithin, type Decision, type TrailEntry } from '../../../../src/domain/once/trail.js';

type Step = Decision | readonly [Decision, string];

function trailOf(steps: readonly Step[]): readonly TrailEntry[] {
  return steps.reduce<readonly TrailEntry[]>((trail, step, index) => {
    const [decision, note] = typeof step === 'string' ? [step] : step;
    return extendTrail(trail, { attempt: index + 1, atMs: index, decision, ...(note === undefined ? {} : { note }) });
  }, []);
}

const shown = (trail: readonly TrailEntry[]) =>
  trail.map(({ decision, count }) => (count === undefined ? decision : `${decision} ×${count}`));

describe('a trail', () => {
  it('counts an entry that repeats, from its first time to its last', () => {
    const trail = trailOf(Array.from({ length: 440 }, () => 'entered' as const));
    expect(trail).toEqual([{ attempt: 1, atMs: 0, decision: 'entered', count: 440, lastAtMs: 439 }]);
  });

  it('counts entries that repeat over several attempts', () => {
    const attempt: Step[] = ['entered', 'sent', ['notSent', '429']];
    expect(shown(trailOf([...attempt, ...attempt, ...attempt, 'entered', 'sent', 'accepted']))).toEqual([
      'entered ×3',
      'sent ×3',
      'notSent ×3',
      'entered',
      'sent',
      'accepted',
    ]);
  });

  it('keeps the newest text of a failure, whose request id differs each time', () => {
    const trail = trailOf(['entered', ['failed', '503 (request 1)'], 'entered', ['failed', '503 (request 2)']]);
    expect(shown(trail)).toEqual(['entered ×2', 'failed ×2']);
    expect(trail[1]?.note).toBe('503 (request 2)');
  });

  it('does not merge entries that differ in more than the text of an error', () => {
    expect(shown(trailOf([['adopted', 'JOB-1'], ['adopted', 'JOB-2'], 'entered', ['entered', 'not first']]))).toEqual([
      'adopted',
      'adopted',
      'entered',
      'entered',
    ]);
  });

  it('has at most 40 entries and 4,000 bytes, the first and the newest among them', () => {
    const note = fc.option(fc.string({ unit: 'binary', maxLength: 400 }), { nil: undefined });
    const step = fc.tuple(fc.constantFrom<Decision>('entered', 'sent', 'notSent', 'failed', 'leftNoTrace'), note);
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
        const trail = trailOf(steps.map(([decision, words]) => (words === undefined ? decision : [decision, words])));
        expect(trail.length).toBeLessThanOrEqual(40);
        expect(jsonBytes(trail)).toBeLessThanOrEqual(4_000);
        expect(trail[0]?.atMs).toBe(0);
        const last = trail.at(-1);
        expect(last?.decision).toBe(steps.at(-1)?.[0]);
        expect(last?.lastAtMs ?? last?.atMs).toBe(steps.length - 1);
        const counted = trail.reduce((sum, { count = 1 }) => sum + count, 0);
        expect(counted).toBeLessThanOrEqual(steps.length);
      }),
      { numRuns: 25 },
    );
  });

  it('fits any bound, and is empty for the smallest', () => {
    const trail = trailOf(Array.from({ length: 30 }, (_, index): Step => ['adopted', `JOB-${index}`]));
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 4_000 }), (maxBytes) => {
        expect(jsonBytes(trailWithin(trail, maxBytes))).toBeLessThanOrEqual(maxBytes);
      }),
    );
    expect(trailWithin(trail, 10)).toEqual([]);
    expect(trailWithin(trail, 200).map(({ note }) => note)).toEqual(['JOB-0', 'JOB-28', 'JOB-29']);
  });

  it('fits any bound, however many bytes its characters take as JSON', () => {
    const character = fc.constantFrom('a', '"', '\u0001', '\ud800', 'é', '漢', '😀');
    const entry = fc.record({
      attempt: fc.constant(Number.MAX_SAFE_INTEGER),
      atMs: fc.constant(Number.MAX_SAFE_INTEGER),
      decision: fc.constant<Decision>('leftNoTrace'),
      note: fc.string({ unit: character, maxLength: 60 }),
      count: fc.constant(Number.MAX_SAFE_INTEGER),
      lastAtMs: fc.constant(Number.MAX_SAFE_INTEGER),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), fc.integer({ min: 2, max: 4_000 }), (trail, maxBytes) => {
        const kept = trailWithin(trail, maxBytes);
        expect(jsonBytes(kept)).toBeLessThanOrEqual(maxBytes);
        if (jsonBytes(trail) <= maxBytes) expect(kept).toEqual(trail);
      }),
    );
  });
});
