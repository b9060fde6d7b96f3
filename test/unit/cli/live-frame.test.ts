/** What the live view draws, in terminals of different sizes. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createColors } from '../../../src/cli/colors.js';
import { footLines } from '../../../src/cli/live/foot.js';
import { frame, type Size } from '../../../src/cli/live/frame.js';
import { cutLine, fitted, wrapped } from '../../../src/cli/live/lines.js';
import { WATCHING, type Mode } from '../../../src/cli/live/live.js';
import { possibleOrders } from '../../../src/cli/live/orders.js';
import { eventsBetween } from '../../../src/cli/render-events.js';
import { progressBlocks } from '../../../src/cli/render-progress.js';
import type { RunSnapshot } from '../../../src/client/report-snapshot.js';
import type { StepProgress, TargetProgress } from '../../../src/domain/report/progress.js';
import { aRun, aRunOf, aShownStep, aShownTarget } from '../../support/live.js';

const plain = createColors(false);
const narrow: Size = { columns: 80, rows: 24 };

function drawn(snapshot: RunSnapshot, size: Size = narrow, mode: Mode = WATCHING, colors = plain): string[] {
  const foot = footLines({ mode, hint: null, snapshot, actor: 'bob', hasKeys: true }, colors);
  return frame({ run: progressBlocks(snapshot, 60_000, colors), foot }, size, colors);
}

const tasks = {
  ...{ atMs: 57_000, total: 8, done: 2, before: 1 },
  shown: [
    { name: 'SEPARATOR_PREPARE', state: 'succeeded' },
    { name: 'SEPARATOR_BUILDING', state: 'running' },
    { name: 'SEPARATOR_VERIFY', state: 'pending' },
  ],
} as const;
const restart = (change: Partial<StepProgress> = {}) =>
  aShownStep({
    ...{ state: 'running', startedAtMs: 30_000, usual: { p50Ms: 50_000, p90Ms: 60_000, jobs: 9 } },
    ...{ cloudJobId: 'JOB66761060-f209-407c-a093-4df6f531b9dc', tasks, doing: 'following' },
    ...change,
  });
const many = (ended: number, toCome: number, current: TargetProgress) =>
  aRun(
    [
      ...Array.from({ length: ended }, (_, index) =>
        aShownTarget(`shop/cart/prod-${index + 1}`, {
          outcome: index === 1 ? 'failed' : 'succeeded',
          phase: 'finished',
        }),
      ),
      current,
    ],
    Array.from({ length: toCome }, (_, index) => `shop/cart/next-${index + 1}`),
  );
const blocked = {
  step: 'restart',
  why: 'Indeterminate: nothing shows it',
  untilMs: 3_600_000,
  result: 'indeterminate',
} as const;
const asked = {
  ...{ step: null, title: 'Restart everything', need: 1, roles: [], notRequester: true, votes: [] },
  ...{ askedAtMs: 0, untilMs: 3_600_000 },
};

describe('the live view', () => {
  it('shows each step with its elapsed time against the usual one, and the tasks of its cloud job', () => {
    const steps = [
      aShownStep({ id: 'stop', title: 'stop', state: 'succeeded', startedAtMs: 10_000, endedAtMs: 30_000 }),
      restart(),
      aShownStep({ id: 'start', title: 'start', usual: { p50Ms: 12_000, p90Ms: 20_000, jobs: 9 } }),
    ];
    expect(drawn(aRunOf(steps))).toEqual([
      'recover night-1  running, 1m',
      '',
      'shop/cart/prod-1  running',
      '  ✓ stop succeeded 20s',
      '  ● restart running 30s, usually 50s  [######----]',
      '      cloud job JOB66761060-f209-407c-a093-4df6f531b9dc',
      '        2 of 8 tasks done (asked 3s ago)',
      '        … 1 before  ✓\u00a0SEPARATOR_PREPARE  ●\u00a0SEPARATOR_BUILDING',
      '        ○\u00a0SEPARATOR_VERIFY  … 4 more',
      '  ○ start usually 12s',
      '',
      'p pause   x abort   q leave',
    ]);
  });

  it('shows what a step waits for besides its cloud job', () => {
    const text = drawn(aRunOf([restart({ doing: 'verifying', seen: 'RUNNING 1/2, version 1.4.1' })])).join('\n');
    expect(text).toMatch(/ {6}waits until the desired state has held, last seen RUNNING 1\/2, version\n {6}1\.4\.1\n/);
    expect(drawn(aRunOf([restart({ doing: 'preparing' })])).join('\n')).toContain('reads the instance before it sends');
  });

  it.each([
    [80, 24],
    [40, 24],
    [40, 12],
    [20, 8],
    [80, 5],
  ])('fits into %i columns and %i rows, whatever is shown', (columns, rows) => {
    const long = aShownTarget(`shop/${'checkout-with-a-long-name-'.repeat(5)}/产品${'服务'.repeat(60)}`, {
      steps: [
        restart(),
        ...Array.from({ length: 30 }, (_, index) => aShownStep({ id: `s${index}`, title: `scale ${index}` })),
      ],
    });
    const run = many(30, 40, { ...long, blocked });
    for (const mode of modes(run)) {
      const lines = drawn(run, { columns, rows }, mode);
      expect(lines.length).toBeLessThan(rows);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('cuts long names and never a command, which a shell takes as one', () => {
    const run = aRunOf([restart()], { run: { pause: { state: 'paused', actor: 'ann', reason: 'slow', sinceMs: 0 } } });
    const lines = drawn({ ...run, workflowId: 'restart-20261130T154417-0001f3' }, { columns: 40, rows: 24 });
    const at = lines.findIndex((line) => line.includes('runbook resume'));
    expect(lines.slice(at, at + 3)).toEqual([
      '  runbook resume \\',
      '    restart-20261130T154417-0001f3 \\',
      "    --reason '…'",
    ]);
    const long = aShownTarget(`shop/${'checkout'.repeat(20)}/prod-1`);
    expect(drawn(aRun([long])).find((line) => line.startsWith('shop/'))).toMatch(/^shop\/checkout.*…$/);
  });

  it('gives many targets as many lines as there are: what has ended gives way first', () => {
    const current = aShownTarget('shop/cart/now', { steps: [restart()] });
    expect(drawn(many(4, 3, current))).toContain('to come: shop/cart/next-1, shop/cart/next-2, shop/cart/next-3');
    const lines = drawn(many(40, 30, current), { columns: 80, rows: 20 });
    expect(lines).toHaveLength(19);
    expect(lines).toContain('… 35 more that ended: 35 succeeded');
    expect(lines).toContain('shop/cart/prod-2  failed');
    expect(lines).toContain('shop/cart/prod-40  succeeded');
    expect(lines).toContain('  ● restart running 30s, usually 50s  [######----]');
    expect(lines).toContain('to come: shop/cart/next-1, shop/cart/next-2, shop/cart/next-3, … 27 more');
    expect(lines.at(-1)).toBe('p pause   x abort   q leave');
  });

  it('counts the steps that do not fit, and keeps the one that runs', () => {
    const ended = Array.from({ length: 20 }, (_, index) =>
      aShownStep({ id: `w${index}`, title: `wait ${index}s`, state: 'succeeded', startedAtMs: 0, endedAtMs: 1_000 }),
    );
    const toCome = Array.from({ length: 20 }, (_, index) => aShownStep({ id: `t${index}`, title: `check ${index}` }));
    const lines = drawn(aRunOf([...ended, restart(), ...toCome]), { columns: 80, rows: 15 });
    expect(lines).toHaveLength(14);
    expect(lines).toContain('  … 20 steps before');
    expect(lines).toContain('  ● restart running 30s, usually 50s  [######----]');
    expect(lines.find((line) => line.includes('more to come'))).toMatch(/^ {2}… 1\d more to come$/);
  });

  it('has the same lines without colours', () => {
    const run = many(3, 2, { ...aShownTarget('shop/cart/now', { steps: [restart()] }), blocked });
    const painted = drawn(run, narrow, WATCHING, createColors(true)).join('\n');
    expect(painted).toContain('\u001b[');
    expect(stripVTControlCharacters(painted)).toBe(drawn(run).join('\n'));
  });
});

describe('what a person can do', () => {
  const wordsOf = (run: RunSnapshot) => possibleOrders(run).map(({ command }) => command);

  it('is in the last line, by key', () => {
    expect(drawn(aRunOf([restart()], { run: { approval: asked } })).at(-1)).toBe(
      'a approve   n reject   p pause   x abort   q leave',
    );
    expect(drawn(aRun([{ ...aShownTarget('shop/cart/now'), blocked }])).at(-1)).toBe(
      't retry-step   s skip-step   m mark-succeeded   p pause   x abort   q leave',
    );
  });

  it('is what the run would accept', () => {
    const pause = { state: 'paused', actor: 'ann', reason: 'slow', sinceMs: 0 } as const;
    expect(wordsOf(aRunOf([restart()], { run: { pause } }))).toEqual(['resume', 'abort']);
    expect(wordsOf(aRun([{ ...aShownTarget('a/b/c'), blocked }], [], { pause }))).toEqual(['resume', 'abort']);
    expect(wordsOf(aRunOf([restart()], { run: { phase: 'finished' } }))).toEqual([]);
    expect(wordsOf(aRunOf([restart()], { run: { abort: { actor: 'ann', reason: 'x', sinceMs: 0 } } }))).toEqual([]);
  });

  it('is not shown as a command to type while it would be refused', () => {
    const target = { ...aShownTarget('a/b/c'), blocked };
    const pause = { state: 'paused', actor: 'ann', reason: 'slow', sinceMs: 0 } as const;
    const isPaused = aRun([target], [], { pause });
    const text = drawn(isPaused).join('\n');
    expect(text).toContain("  runbook resume night-1 --reason '…'");
    expect(text).toContain('blocked at restart');
    expect(text).toContain('  resume the run first; then the step can be decided');
    expect(text).not.toContain('retry-step');
    expect(eventsBetween(null, isPaused).join('\n')).toMatch(/blocked at restart.*; resume the run first$/m);
    const aborted = aRun([target], [], { abort: { actor: 'ann', reason: 'x', sinceMs: 0 } });
    expect(drawn(aborted).join('\n')).not.toMatch(/retry-step|resume/);
    expect(eventsBetween(null, aborted).join('\n')).not.toMatch(/retry-step|resume/);
  });

  it('is named again before it is confirmed, with its target', () => {
    const [order] = possibleOrders(aRun([{ ...aShownTarget('a/b/c'), blocked }]));
    const mode = { name: 'confirming', order, reason: 'no job' } as Mode;
    expect(drawn(aRun([]), narrow, mode).slice(-4)).toEqual([
      'retry-step restart of a/b/c',
      'as bob; the instance is read, then the step is carried out once more',
      'Why: no job',
      'Type y to retry-step restart of a/b/c, n to go back',
    ]);
  });

  it('is bound to what was seen: the plan, the target and the step', () => {
    const [approve] = possibleOrders(aRun([aShownTarget('a/b/c', { approval: { ...asked, step: 'done' } })]));
    expect(approve).toMatchObject({ command: 'approve', target: 'a/b/c', step: 'done', planHash: 'h' });
    const [retry] = possibleOrders(aRun([{ ...aShownTarget('a/b/c'), blocked }]));
    expect(retry).toMatchObject({ command: 'retryStep', target: 'a/b/c', step: 'restart' });
  });

  it('has commands to type as well, with what is waited for and until when', () => {
    const text = drawn(aRun([{ ...aShownTarget('a/b/c'), blocked }])).join('\n');
    expect(text).toContain('  blocked at restart, until 1970-01-01T01:00:00Z: Indeterminate: nothing shows\n  it\n');
    expect(text).toContain("  runbook retry-step night-1 a/b/c --reason '…'");
    expect(drawn(aRunOf([], { run: { approval: asked } })).join('\n')).toContain(
      "  runbook approve night-1 --reason '…'",
    );
  });

  it('is explained where a step is blocked: where to check first, and which decision fits what is seen', () => {
    const step = aShownStep({ state: 'indeterminate', startedAtMs: 0, endedAtMs: 1_000, failure: blocked.why });
    const text = drawn(aRun([aShownTarget('a/b/c', { steps: [step], blocked })]));
    expect(text.slice(text.indexOf('  blocked at restart, until 1970-01-01T01:00:00Z'), -2)).toEqual([
      '  blocked at restart, until 1970-01-01T01:00:00Z',
      '  check first, then choose:',
      '  runbook targets a/b/c',
      '    mark-succeeded: the cloud job of this action is there',
      '    retry-step: none is there, and it was not done; sends it again',
      '    skip-step: done by hand, or not needed',
      '    no one decides until 1970-01-01T01:00:00Z: the step ends indeterminate',
      "  runbook retry-step night-1 a/b/c --reason '…'",
      '  or skip-step, or mark-succeeded, in place of retry-step',
    ]);
    expect(text.filter((line) => line.includes(blocked.why))).toHaveLength(1);
  });

  it('has another end where a failed step is blocked and no one decides', () => {
    const text = drawn(aRun([aShownTarget('a/b/c', { blocked: { ...blocked, result: 'failed' } })])).join('\n');
    expect(text).toContain('what was done is undone, as after\n    a failed step');
    expect(text).not.toContain('the step ends indeterminate');
  });

  it('shows what is approved: on which targets, for whom, why, and what it resumes', () => {
    const about = { requestedBy: 'ann', reason: 'disk full', resumes: 'night-0' };
    const paths = Array.from({ length: 7 }, (_, index) => `a/b/${index + 1}`);
    expect(drawn(aRun([], paths, { phase: 'waiting', approval: asked, ...about })).slice(1, 6)).toEqual([
      '  waits for approval, 0 of 1, until 1970-01-01T01:00:00Z: Restart everything',
      '  requested by ann: disk full',
      '  resumes run night-0',
      '  7 targets: a/b/1, a/b/2, a/b/3, a/b/4, a/b/5, … 2 more',
      "  runbook approve night-1 --reason '…'",
    ]);
    const waiting = aRun([], ['a/b/c'], { phase: 'waiting', approval: asked, ...about });
    expect(eventsBetween(null, waiting).join('\n')).toContain(
      "Restart everything; requested by ann: disk full; resumes run night-0; target: a/b/c; type: runbook approve night-1 --reason '…'",
    );
    const ofStep = aShownTarget('a/b/c', { approval: { ...asked, step: 'done' } });
    expect(drawn(aRun([ofStep], [], about))).toContain('  requested by ann: disk full');
  });

  it('is not shown where no keys are read', () => {
    expect(
      footLines({ mode: WATCHING, hint: null, snapshot: aRunOf([]), actor: 'bob', hasKeys: false }, plain),
    ).toEqual([]);
  });
});

describe('an abort', () => {
  const abort = { actor: 'ann', reason: 'wrong version', sinceMs: 0 };

  it('is shown until the run has ended, and is one event', () => {
    const run = aRunOf([restart()], { run: { abort } });
    expect(drawn(run).slice(0, 3)).toEqual([
      'recover night-1  being aborted, 1m',
      'aborted by ann: wrong version (1970-01-01T00:00:00Z); what is in flight is',
      'finished, then onCancel of the runbook is followed',
    ]);
    expect(eventsBetween(aRunOf([restart()]), run)).toEqual(['recover: aborted by ann: wrong version']);
    expect(eventsBetween(run, run)).toEqual([]);
  });
});

describe('the tasks of a cloud job in a pipe', () => {
  it('are one line each time another one is done', () => {
    const after = (done: number) => aRunOf([restart({ tasks: { ...tasks, done } })]);
    expect(eventsBetween(after(2), after(2))).toEqual([]);
    expect(eventsBetween(after(2), after(3))).toEqual(['shop/cart/prod-1: restart, 3 of 8 tasks done']);
  });
});

function modes(run: RunSnapshot): Mode[] {
  const [order] = possibleOrders(run);
  if (order === undefined) throw new Error('something is possible');
  const reason = 'because '.repeat(100);
  return [
    WATCHING,
    { name: 'watching', notice: { text: 'refused '.repeat(50), isRefused: true } },
    { name: 'asking', order, reason },
    { name: 'confirming', order, reason },
    { name: 'sending', order },
  ];
}

/** Chinese characters take two columns. */
function widthOf(line: string): number {
  return Array.from(line).reduce((sum, character) => sum + (/\p{Script=Han}/u.test(character) ? 2 : 1), 0);
}

describe('a run with thousands of lines', () => {
  /** Marks have no width, so that as many as one likes stand in one column. */
  const hostile = `${'e\u0301\u0302\u0303'.repeat(40)}👩‍👩‍👧‍👦${'\u0300'.repeat(400)}`;
  const failing = (path: string, state: StepProgress['state'], outcome: TargetProgress['outcome']) =>
    aShownTarget(path, {
      ...{ outcome, phase: outcome === null ? ('running' as const) : ('finished' as const) },
      steps: Array.from({ length: 20 }, (_none, index) =>
        aShownStep({ id: `s${index}`, title: hostile, state, startedAtMs: 0, endedAtMs: 1_000, failure: hostile }),
      ),
    });

  it.each([
    ['whose targets are under way', 'running', null],
    ['whose targets have ended', 'failed', 'failed'],
  ] as const)('%s is measured only as far as it can be seen', (_what, state, outcome) => {
    const targets = Array.from({ length: 50 }, (_none, index) => failing(`a/b/${index}`, state, outcome));
    const run = progressBlocks(aRun(targets), 60_000, plain);
    const measured = new Set<object>();
    for (const line of run.targets.flatMap(({ head, steps, asks }) => [
      head,
      ...steps.flatMap((s) => s.lines),
      ...asks,
    ])) {
      const { text } = line;
      Object.defineProperty(line, 'text', { get: () => (measured.add(line), text) });
    }
    const lines = frame({ run, foot: [] }, narrow, plain);
    expect(lines).toHaveLength(narrow.rows - 1);
    expect(measured.size).toBeLessThan(3 * narrow.rows);
  });

  it('shows the end of the last target where nothing fits, as before', () => {
    const targets = Array.from({ length: 3 }, (_none, index) =>
      aShownTarget(`a/b/${index}`, {
        steps: Array.from({ length: 20 }, (_step, step) =>
          aShownStep({ id: `s${step}`, title: `t${index}-${step}`, state: 'running' }),
        ),
      }),
    );
    const lines = drawn(aRun(targets));
    expect(lines).toHaveLength(narrow.rows - 1);
    expect(lines.findLast((line) => line.includes('t2-19'))).toBeDefined();
    expect(lines.some((line) => line.includes('t0-'))).toBe(false);
  });
});

describe('a text without end', () => {
  it.each([
    ['of marks without a width', `a${'\u0301'.repeat(100_000)}`],
    ['of wide characters', '警'.repeat(100_000)],
    ['of halves of pairs', '\ud83d\ude00'.repeat(100_000)],
  ])('%s is drawn as far as there is room, and marked', (_what, text) => {
    for (const line of [cutLine(0, text), wrapped(2, text)]) {
      const lines = fitted(line, 80);
      expect(lines.length).toBeLessThanOrEqual(3);
      expect(lines.at(-1)).toMatch(/…$/);
      expect(lines.join('').length).toBeLessThan(2_000);
      // Half of a pair would become another character.
      expect(Buffer.from(lines.join('')).toString()).toBe(lines.join(''));
    }
  });

  it('keeps its colour to itself', () => {
    const [line = ''] = fitted(wrapped(0, `\u001b[31ma${'\u0301'.repeat(100_000)}\u001b[39m`), 80);
    expect(line.slice(-5)).toBe('\u001b[0m…');
  });
});
