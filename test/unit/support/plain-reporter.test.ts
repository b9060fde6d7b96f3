import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TestModule } from 'vitest/node';
import { closingLines } from '../../support/plain-reporter.js';

type State = 'passed' | 'failed' | 'skipped';

/** As much of vitest's module as the reporter reads. */
function aModule(states: readonly State[], errors: readonly string[] = [], ofSuite: readonly string[] = []) {
  const module = {
    type: 'module',
    relativeModuleId: 'test/a.test.ts',
    errors: () => errors.map((message) => ({ message })),
  };
  const tests = states.map((state, index) => ({
    type: 'test',
    module,
    fullName: `s > t${index}`,
    result: () => ({ state }),
  }));
  const suite = { type: 'suite', module, fullName: 's', errors: () => ofSuite.map((message) => ({ message })) };
  return { ...module, children: { allTests: () => tests, allSuites: () => [suite] } } as unknown as TestModule;
}

describe('the closing lines of a test run', () => {
  it('are the count alone where all passed', () => {
    expect(closingLines([aModule(['passed', 'passed']), aModule(['passed'])], [])).toEqual(['3 passed, 0 failed']);
  });

  it('name each test that failed, or was skipped', () => {
    expect(closingLines([aModule(['passed', 'failed', 'skipped'])], [])).toEqual([
      'Failed: test/a.test.ts > s > t1',
      'Failed: test/a.test.ts > s > t2',
      '1 passed, 2 failed',
    ]);
  });

  it('name no more than fit a screen', () => {
    const lines = closingLines([aModule(Array.from({ length: 100 }, () => 'skipped' as const))], []);
    expect(lines).toHaveLength(32);
    expect(lines.slice(-2)).toEqual(['and 70 more, which failed or did not run', '0 passed, 100 failed']);
  });

  it('name each error outside any test, and count it', () => {
    const unhandled = [
      { name: 'NoReport', message: 'restart-1 left no report\nmore', VITEST_TEST_PATH: resolve('test/b.test.ts') },
      { message: 'Channel has been shut down' },
    ];
    expect(closingLines([aModule(['passed'], ['cannot be parsed'], ['no server'])], unhandled)).toEqual([
      'Failed outside any test: Error: cannot be parsed, in test/a.test.ts',
      'Failed outside any test: Error: no server, in test/a.test.ts > s',
      'Failed outside any test: NoReport: restart-1 left no report, while test/b.test.ts ran',
      'Failed outside any test: Error: Channel has been shut down, while no test file ran',
      '1 passed, 4 failed',
    ]);
  });
});
