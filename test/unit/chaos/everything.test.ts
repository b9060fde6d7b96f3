/** What judges a soak with everything switched on: it must find what does not agree, and excuse what a kill takes with it. */
import { describe, expect, it } from 'vitest';
import { describeFigure, disagreements, type Figure } from '../../chaos/everything/agreement.js';
import { LogLines } from '../../chaos/everything/log-lines.js';
import { pageOf, Pages, series } from '../../chaos/everything/pages.js';

const RUNS = series('runbook_runs_total');
const page = (startedAt: number, succeeded: number, failed = 0) =>
  pageOf(`# HELP runbook_runs_total Runs
process_start_time_seconds ${startedAt}
runbook_runs_total{runbook="a, {b}",outcome="succeeded"} ${succeeded}
runbook_runs_total{runbook="",outcome="failed"} ${failed}
runbook_runs_total_of_another_kind 100`);

describe('pages', () => {
  it('counters are added over processes: one that was started again begins at 0', () => {
    const pages = new Pages();
    for (const each of [page(1, 2), page(1, 5), page(9, 1, 1)]) pages.add('0', each);
    pages.add('1', page(1, 4));
    expect(pages.processes).toBe(3);
    expect(pages.sum(RUNS)).toEqual({ value: 11, largestIncrease: 4 });
    expect(pages.sum(series('runbook_runs_total', { outcome: 'failed' })).value).toBe(1);
    expect(pages.count).toBe(4);
  });
});

describe('agreement', () => {
  const figure: Figure = { name: 'runs', counted: 10, seen: 10, largestIncrease: 2 };

  it.each<[string, Partial<Figure>, number]>([
    ['the same', {}, 0],
    ['what two kills can take', { counted: 6 }, 2],
    ['a request without an answer that did arrive', { counted: 9, unclear: 1 }, 0],
    ['a request without an answer that did not', { unclear: 1 }, 0],
    ['a task that was repeated after a kill', { counted: 11, mayRepeat: true }, 1],
  ])('%s agrees', (_what, change, kills) => {
    expect(disagreements([{ ...figure, ...change }], kills)).toEqual([]);
  });

  it.each<[string, Partial<Figure>, number]>([
    ['one is missing without a kill', { counted: 9 }, 0],
    ['more are missing than kills can take', { counted: 5 }, 2],
    ['one too many', { counted: 11 }, 5],
    ['more repeated than kills', { counted: 12, mayRepeat: true }, 1],
  ])('%s', (_what, change, kills) => {
    expect(disagreements([{ ...figure, ...change }], kills)).toHaveLength(1);
  });

  it('the log of a soak shows both sides', () => {
    expect(describeFigure({ ...figure, unclear: 1 })).toBe(
      'runs: 10 and 1 without an answer by the metrics, 10 from outside',
    );
  });
});

describe('log lines', () => {
  it('finds text that is not JSON, a level by number and a secret, also one that was added later', () => {
    const secrets = ['first-secret'];
    const lines = new LogLines(secrets);
    lines.add('{"level":"info","msg":"worker ready"}');
    lines.add('{"probe":true,"rss":1}');
    expect(lines.problems()).toEqual([]);
    secrets.push('second-secret');
    lines.add('(node:1) Warning: something');
    lines.add('{"level":30,"msg":"old"}');
    lines.add('{"level":"warn","msg":"with second-secret"}');
    expect(lines.problems()).toHaveLength(3);
    expect(lines.summary()[0]).toBe('4 log lines:');
  });

  it('workers that log nothing are a problem', () => {
    expect(new LogLines([]).problems()).toEqual(['the workers logged nothing']);
  });
});
