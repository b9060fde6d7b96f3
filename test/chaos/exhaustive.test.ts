import { beforeAll, describe, expect, inject, it } from 'vitest';
import { casesOf, scenarios } from './exhaustive-cases.js';
import { runExhaustive, type ExhaustiveEnd } from './exhaustive.js';
import { installQuietRuntime } from '../support/quiet-runtime.js';

const LIMIT_MS = 1_200_000;

describe('every fault at every request', () => {
  let end: ExhaustiveEnd;
  beforeAll(async () => {
    installQuietRuntime();
    const temporal = { address: inject('temporalAddress'), bundlePath: inject('workflowBundlePath') };
    end = await runExhaustive({ temporal, write: false, say: (line) => process.stderr.write(`${line}\n`) });
  }, LIMIT_MS);

  it('gives each case its own id', () => {
    const ids = scenarios()
      .flatMap(casesOf)
      .map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(scenarios().map((scenario) => [scenario.id, scenario] as const))(
    'makes exactly the expected requests in an untouched %s, so that "each request" is true',
    (id, { requests }) => {
      const untouched = end.results.find((result) => result.case.id === `${id}/untouched`);
      expect(untouched?.requests).toEqual(requests.map(({ route }) => route));
    },
  );

  it('leads to the outcomes in exhaustive-outcomes.txt', () => {
    expect(end.different).toEqual([]);
  });

  it('breaks no promise, whatever the table expects', () => {
    expect(end.violations).toEqual([]);
  });
});
