/** The Markdown for the Temporal UI: every target or step with its state; foreign text cannot break it, and it is never too long. */
import { describe, expect, it } from 'vitest';
import { runProgressMarkdown, targetProgressMarkdown } from '../../../../src/domain/report/progress-markdown.js';
import type { RunProgress, StepProgress, TargetProgress } from '../../../../src/domain/report/progress.js';
import { DETAILS_BYTES } from '../../../../src/domain/sizes.js';
import { utf8Bytes } from '../../../../src/domain/text/text.js';

const run: RunProgress = {
  runbook: 'restart',
  phase: 'running',
  planHash: 'hash',
  startedAtMs: 0,
  targets: [
    { path: 'shop/web/a', leaseId: 'l', childRunId: 'c', outcome: 'succeeded' },
    { path: 'shop/web/b', leaseId: 'l', childRunId: 'c', outcome: null },
    { path: 'shop/web/c', leaseId: 'l', childRunId: null, outcome: null },
  ],
  outcome: null,
};
const step: StepProgress = {
  id: 'stop',
  title: 'stop',
  state: 'running',
  startedAtMs: 1,
  endedAtMs: null,
  cloudJobId: 'JOB-1',
  seen: 'RUNNING 2/2',
  failure: null,
};
const target: TargetProgress = {
  path: 'shop/web/a',
  phase: 'running',
  seen: 'RUNNING 2/2',
  steps: [step],
  compensations: [],
  outcome: null,
};
const rowsOf = (text: string) => text.split('\n').filter((line) => line.startsWith('| '));

describe('the details of a run', () => {
  it('have a row for each target, with its outcome or what it does', () => {
    expect(rowsOf(runProgressMarkdown(run)).slice(2)).toEqual([
      '| shop/web/a | succeeded |',
      '| shop/web/b | running |',
      '| shop/web/c | waiting |',
    ]);
  });

  it.each(['see https://x/y | z', String.raw`a@b \| c \\| d`, 'a | b'])(
    'have two cells in each row, whatever the reason of a blocked step is: %s',
    (why) => {
      const blocked = { step: 'stop', result: 'failed', why, untilMs: 60_000 } as const;
      const [, row = ''] = rowsOf(
        runProgressMarkdown({
          ...run,
          targets: run.targets.slice(0, 1).map((each) => ({ ...each, outcome: null, blocked })),
        }),
      ).filter((line) => !line.startsWith('| ---'));
      // A bar ends a cell unless an odd number of backslashes is before it.
      expect(row.match(/(?<!\\)(?:\\\\)*\|/g)).toHaveLength(3);
    },
  );

  it('begin with what the run waits for', () => {
    const waiting = { why: 'Changes are frozen', looksAgainAtMs: 60_000, givesUpAtMs: 120_000 };
    const [first] = runProgressMarkdown({ ...run, phase: 'waiting', waiting }).split('\n');
    expect(first).toContain('Changes are frozen');
    expect(first).toContain('1970-01-01T00:02:00Z');
  });

  it('have what an approver has to know of the run', () => {
    const approval = {
      ...{ step: null, title: 'all', need: 1, roles: [], notRequester: false, votes: [] },
      ...{ askedAtMs: 0, untilMs: 60_000 },
    };
    const text = runProgressMarkdown({ ...run, approval, requestedBy: 'ann', reason: 'disk full', resumes: 'night-0' });
    expect(text).toMatch(
      /Send the Update `approve`[^\n]*\n\nrequested by ann: disk full\n\nresumes run night-0\n\n\| target/,
    );
  });

  it('say who asked for it, also while nothing is waited for', () => {
    expect(runProgressMarkdown({ ...run, requestedBy: 'ann', reason: "it hung; don't wait" })).toMatch(
      /^requested by ann: it hung; don't wait\n\n\| target/,
    );
  });

  it('begin with the target that is blocked, and where to decide about it', () => {
    const blocked = { step: 'restart', why: 'Indeterminate: nothing shows it', untilMs: 0 };
    const [first, ...others] = run.targets;
    const targets = [
      { ...first, outcome: null, leaseId: 'runbook-target/p/i', blocked },
      ...others,
    ] as typeof run.targets;
    const [head, , where] = runProgressMarkdown({ ...run, targets }).split('\n');
    expect(head).toBe(
      '**shop/web/a: blocked at restart, until 1970-01-01T00:00:00Z: Indeterminate: nothing shows it**',
    );
    expect(where).toContain('`runbook-target/p/i`');
    const pause = { state: 'paused', actor: 'ann', reason: 'slow', sinceMs: 0 } as const;
    expect(runProgressMarkdown({ ...run, targets, pause })).not.toContain('runbook-target/p/i');
  });

  it('say how a pause is ended', () => {
    const pause = { state: 'paused', actor: 'ann', reason: 'slow', sinceMs: 0 } as const;
    const [head, , how] = runProgressMarkdown({ ...run, pause }).split('\n');
    expect(head).toBe('**paused by ann: slow**');
    expect(how).toMatch(/^Send the Update `resume` or `abort` to this workflow/);
  });

  it('begin with who aborted the run', () => {
    const abort = { actor: 'ann', reason: '*wrong* version', sinceMs: 0 };
    expect(runProgressMarkdown({ ...run, abort }).split('\n')[0]).toBe(
      String.raw`**aborted by ann: \*wrong\* version**`,
    );
  });

  it('always fit', () => {
    const targets = Array.from({ length: 100 }, (_item, index) => ({
      path: `shop/web/${'x'.repeat(500)}${index}`,
      leaseId: 'l',
      childRunId: null,
      outcome: null,
    }));
    expect(utf8Bytes(runProgressMarkdown({ ...run, targets }))).toBeLessThanOrEqual(DETAILS_BYTES);
  });
});

describe('the details of a target', () => {
  it('have a row for each step and undo', () => {
    const undo = { ...step, id: 'undo-stop', title: 'undo: start', cloudJobId: null, seen: null };
    expect(rowsOf(targetProgressMarkdown({ ...target, compensations: [undo] })).slice(2)).toEqual([
      '| stop | running | JOB-1 | `RUNNING 2/2` |',
      '| undo: start | running |  |  |',
    ]);
  });

  it('say until when the running step usually ends, as a time of day', () => {
    const usual = { p50Ms: 12_000, p90Ms: 20_000, jobs: 41 };
    const steps = [
      { ...step, usual, state: 'succeeded' as const },
      { ...step, usual, title: 'start', startedAtMs: 1_000 },
    ];
    expect(targetProgressMarkdown({ ...target, steps }).split('\n')).toContain(
      '**start**: usually ends by 1970-01-01T00:00:21Z; unusually late after 1970-01-01T00:00:31Z',
    );
    expect(targetProgressMarkdown({ ...target, steps }).match(/usually ends/g)).toHaveLength(1);
    expect(targetProgressMarkdown(target)).not.toContain('usually');
  });

  it.each<[string, Partial<TargetProgress>, string]>([
    ['its phase and the newest reading', {}, '**shop/web/a**: running, last seen `RUNNING 2/2`'],
    ['its outcome once it has ended', { outcome: 'failed', seen: null }, '**shop/web/a**: failed'],
  ])('say first %s', (_what, change, head) => {
    expect(targetProgressMarkdown({ ...target, ...change }).split('\n')[0]).toBe(head);
  });

  it('show foreign text as text', () => {
    const hostile = { ...step, seen: 'a | b\n| c | **d**' };
    const text = targetProgressMarkdown({ ...target, steps: [hostile] });
    expect(rowsOf(text)).toHaveLength(3);
  });
});
