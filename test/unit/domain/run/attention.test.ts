import { describe, expect, it } from 'vitest';
import { attentionOf, type AttentionFacts } from '../../../../src/domain/run/attention.js';
import { OUTCOMES } from '../../../../src/domain/report/report.js';

const facts = (change: Partial<AttentionFacts>): AttentionFacts => ({
  ...{ status: 'COMPLETED', state: null, outcome: 'succeeded', endedAtMs: 1_000, leftChanged: false },
  ...change,
});
const open = { status: 'RUNNING', outcome: null, endedAtMs: null };

describe('a run needs a person', () => {
  it('if it ended with one of two outcomes', () => {
    const needing = OUTCOMES.filter((outcome) => attentionOf(facts({ status: 'FAILED', outcome }), 0) !== null);
    expect(needing).toEqual(['indeterminate', 'compensationFailed']);
  });

  it('if it ended without success and left an instance changed', () => {
    const failed = { status: 'FAILED', outcome: 'failed' as const };
    expect(attentionOf(facts({ ...failed, leftChanged: true }), 0)).toBe('leftChanged');
    expect(attentionOf(facts({ ...failed, leftChanged: true }), 1_001)).toBeNull();
    expect(attentionOf(facts({ ...failed, outcome: 'indeterminate', leftChanged: true }), 0)).toBe('indeterminate');
  });

  it('for as long as is asked', () => {
    const ended = facts({ status: 'FAILED', outcome: 'indeterminate', endedAtMs: 1_000 });
    expect(attentionOf(ended, 1_000)).toBe('indeterminate');
    expect(attentionOf(ended, 1_001)).toBeNull();
  });

  it('if it ended without a report, because nothing was undone', () => {
    expect(attentionOf(facts({ status: 'TERMINATED', outcome: null }), 0)).toBe('noReport');
    expect(attentionOf(facts({ status: 'TIMED_OUT', outcome: null }), 0)).toBe('noReport');
  });

  it('while it waits for one, however long', () => {
    for (const state of ['paused', 'blocked', 'waitingForApproval'])
      expect(attentionOf(facts({ ...open, state }), 9e15)).toBe(state);
    expect(attentionOf(facts({ ...open, status: 'PAUSED' }), 0)).toBe('paused');
  });

  it('not while it runs, and not for a state it had before it ended', () => {
    expect(attentionOf(facts(open), 0)).toBeNull();
    expect(attentionOf(facts({ ...open, state: 'running' }), 0)).toBeNull();
    expect(attentionOf(facts({ state: 'paused' }), 0)).toBeNull();
  });
});
