/** `runbook ls`: the group that needs a person, and the columns. */
import { describe, expect, it } from 'vitest';
import type { ListedRun } from '../../../src/client/list-runs.js';
import { createColors } from '../../../src/cli/colors.js';
import { renderRuns, stateOf } from '../../../src/cli/render-runs.js';

const plain = createColors(false);
const aRun = (change: Partial<ListedRun> = {}): ListedRun => ({
  ...{ workflowId: 'incident-1', runId: 'r', runbook: 'recover', targets: ['shop/checkout/prod-1'] },
  ...{ status: 'COMPLETED', open: false, outcome: 'succeeded', startedAtMs: 0, endedAtMs: 61_000 },
  ...{ requestedBy: 'alice', attention: null, left: [] },
  ...change,
});
const open = { status: 'RUNNING', open: true, outcome: null, endedAtMs: null } as const;

describe('a list of runs', () => {
  it('begins with those that need a person, and what to type', () => {
    const needsYou = [
      aRun({ outcome: 'indeterminate', status: 'FAILED', attention: 'indeterminate', workflowId: 'a b' }),
      aRun({ ...open, attention: 'waitingForApproval', requestedBy: null }),
    ];
    const runs = [aRun({ ...open, targets: ['a/b/c', 'a/b/d'] }), aRun({ workflowId: 'x', requestedBy: null })];
    const text = renderRuns({ needsYou, moreNeedYou: true, runs, more: true }, 121_000, plain);
    expect(text.split('\n')).toEqual([
      'NEEDS YOU',
      '! recover on shop/checkout/prod-1: it is not known what happened',
      '    ended 1970-01-01T00:01:01Z, 1m ago, requested by alice',
      "    → runbook report 'a b'",
      '! recover on shop/checkout/prod-1: waits for an approval',
      '    open for 2m 1s, since 1970-01-01T00:00:00Z',
      '    → runbook watch incident-1',
      '  There are more. Narrow the list, such as with --target',
      '',
      'state      started (UTC)     took   id          runbook  target                requested by',
      'running    1970-01-01 00:00  2m 1s  incident-1  recover  a/b/c +1              alice',
      'succeeded  1970-01-01 00:00  1m 1s  x           recover  shop/checkout/prod-1',
      'There are more runs. See them with a higher --limit, or narrow the list',
    ]);
  });

  it('shows what a run left behind, with the path where it had several targets', () => {
    const left = ['a', 'b', 'c', 'd'].map((path) => ({ path, what: 'status STOPPED (RUNNING before)' }));
    const shown = (change: Partial<ListedRun>) =>
      renderRuns(
        {
          needsYou: [aRun({ outcome: 'failed', status: 'FAILED', attention: 'leftChanged', ...change })],
          ...{ moreNeedYou: false, runs: [], more: false },
        },
        121_000,
        plain,
      ).split('\n');
    expect(shown({ left: left.slice(0, 1) }).slice(0, 5)).toEqual([
      'NEEDS YOU',
      '! recover on shop/checkout/prod-1: it did not succeed, and left this behind',
      '    status STOPPED (RUNNING before)',
      '    ended 1970-01-01T00:01:01Z, 1m ago, requested by alice',
      '    → runbook report incident-1',
    ]);
    expect(shown({ left, targets: ['a', 'b', 'c', 'd'] }).slice(2, 6)).toEqual([
      ...['a', 'b', 'c'].map((path) => `    ${path}: status STOPPED (RUNNING before)`),
      '    … 1 more',
    ]);
  });

  it('without runs is a sentence', () => {
    const none = { needsYou: [], moreNeedYou: false, runs: [], more: false };
    expect(renderRuns(none, 0, plain)).toBe('No run matches');
    const one = { ...none, needsYou: [aRun({ attention: 'noReport', outcome: null, status: 'TERMINATED' })] };
    expect(renderRuns(one, 0, plain).split('\n').at(-1)).toBe('No other run matches');
  });

  it('counts targets that the search attribute leaves out', () => {
    const runs = [aRun({ targets: ['a/b/c', '#00000000001', '+12 more'] })];
    expect(renderRuns({ needsYou: [], moreNeedYou: false, runs, more: false }, 0, plain)).toContain(' a/b/c +1 ');
  });

  it.each([
    [{}, 'succeeded'],
    [open, 'running'],
    [{ ...open, targets: [] }, 'planning'],
    [{ ...open, status: 'PAUSED' }, 'paused'],
    [{ outcome: null, status: 'TERMINATED' }, 'terminated'],
    [{ outcome: null, status: 'TIMED_OUT' }, 'timed out'],
  ])('shows the state of %j as %s', (change, state) => {
    expect(stateOf(aRun(change))).toBe(state);
  });
});
