/** Reading any start arguments returns values or problems that can be acted on; it never throws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInputs, readStartArguments } from '../../../src/domain/plan/start-arguments.js';
import { parseRunbook } from '../../../src/runbooks/catalogue.js';
import type { Problem } from '../../../src/domain/failures.js';
import type { Runbook } from '../../../src/domain/runbook/runbook.js';

const ODD_NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length', ''];
const KEYS = ['targets', 'inputs', 'requestedBy', 'reason', 'dryRun', 'window', 'target', ...ODD_NAMES];

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(null, -0, 1e308, 2 ** 53, '', [], {}, true, 'true', '007', '1e3', '-1', '5m', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
/** As parsed from JSON: own keys of every name, no `undefined`. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null') as unknown;

function areWellFormed(problems: readonly Problem[]): void {
  for (const { code, place, found, remedy } of problems) {
    expect(code).toBe('invalid-arguments');
    expect([place, found, remedy].map((part) => part.trim())).not.toContain('');
  }
}

describe('start arguments', () => {
  it('of any kind are values, or problems that can be acted on', () => {
    fc.assert(
      fc.property(fc.oneof(odd, fc.anything()), (given) => {
        const { value, problems } = readStartArguments(given);
        expect(value === null && problems.length === 0).toBe(false);
        areWellFormed(problems);
      }),
      { numRuns: 500 },
    );
  });

  it('that are nearly right are values without additions, or problems', () => {
    const nearly = fc.dictionary(fc.constantFrom(...KEYS), fc.oneof(odd, fc.array(odd, { maxLength: 4 })), {
      maxKeys: 6,
    });
    fc.assert(
      fc.property(nearly, (given) => {
        const { value, problems } = readStartArguments(asJson(given));
        areWellFormed(problems);
        if (value === null || problems.length > 0) return;
        expect(value.targets.every((target) => typeof target === 'string' && target !== '')).toBe(true);
        expect(KEYS.slice(0, 5)).toEqual(expect.arrayContaining(Object.keys(value)));
      }),
      { numRuns: 400 },
    );
  });

  it('with an unknown key are refused, whatever its name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...ODD_NAMES), fc.string({ maxLength: 20 })), odd, (name, value) => {
        fc.pre(!KEYS.slice(0, 6).includes(name));
        const json = `{"targets": ["a/b/c"], ${JSON.stringify(name)}: ${JSON.stringify(value) ?? 'null'}}`;
        expect(readStartArguments(JSON.parse(json)).problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it('that are wrong at several places have a problem for each', () => {
    const wrong = { targets: [7], inputs: 'x', requestedBy: 3, reason: '', dryRun: 'yes', window: {}, extra: 1 };
    const keys = fc.subarray(Object.keys(wrong) as (keyof typeof wrong)[], { minLength: 2 });
    fc.assert(
      fc.property(keys, (chosen) => {
        const given = { targets: ['a/b/c'], ...Object.fromEntries(chosen.map((key) => [key, wrong[key]])) };
        const reported = readStartArguments(given).problems.map(({ place }) => place.split('.')[0]);
        expect(reported).toEqual(expect.arrayContaining(chosen));
      }),
      { numRuns: 100 },
    );
  });

  it('have short problems, however long they are', () => {
    const long = 'x'.repeat(100_000);
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_item, index) => [`key${index}`, 1]));
    for (const given of [{ [long]: 1 }, { targets: ['a/b/c'], ...many }, { targets: [long, long] }, long, [long]]) {
      const { problems } = readStartArguments(given);
      expect(JSON.stringify(problems).length).toBeLessThan(64 * 1024);
    }
  });
});

const RUNBOOK = parseRunbook(
  `name: x
title: t
inputs:
  count: { type: integer, minimum: 1, maximum: 9 }
  text: { type: string, enum: [a, b], default: a }
  constructor: { type: boolean, default: false }
  calm: { type: duration, default: 5s }
steps:
  - action: scale
    with: { replica: '\${{ inputs.count }}' }
  - action: rollback
    with: { version: '\${{ inputs.text }} \${{ inputs.constructor }}' }
    compensation: { irreversible: y }
  - wait: '\${{ inputs.calm }}'
`,
  'x.yaml',
) as Runbook;

describe('inputs', () => {
  it('of any kind are values of the declared types, or problems that can be acted on', () => {
    const names = [...Object.keys(RUNBOOK.inputs), ...ODD_NAMES, 'cuont'];
    const given = fc.dictionary(fc.constantFrom(...names), odd, { maxKeys: 6, noNullPrototype: true });
    fc.assert(
      fc.property(given, (values) => {
        const { inputs, problems } = readInputs(RUNBOOK, asJson(values) as Record<string, unknown>);
        areWellFormed(problems);
        if (problems.length > 0) return;
        expect(inputs['count']).toBeTypeOf('number');
        expect(['a', 'b']).toContain(inputs['text']);
        expect(inputs['constructor']).toBeTypeOf('boolean');
        expect(inputs['calm']).toBeTypeOf('string');
      }),
      { numRuns: 400 },
    );
  });

  it('that the runbook does not declare are refused, whatever their name', () => {
    for (const name of [...ODD_NAMES, 'cuont'].filter((odd) => odd !== 'constructor')) {
      const given = JSON.parse(`{"count": 1, ${JSON.stringify(name)}: 1}`) as Record<string, unknown>;
      expect(readInputs(RUNBOOK, given).problems.map(({ place }) => place)).toEqual([`inputs.${name}`]);
    }
  });

  it('are never filled from inherited properties', () => {
    const { problems } = readInputs(RUNBOOK, {});
    expect(problems.map(({ place }) => place)).toEqual(['inputs.count']);
  });

  it('have short problems, however long they are', () => {
    const long = 'x'.repeat(100_000);
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_item, index) => [`key${index}`, 1]));
    for (const given of [{ [long]: 1 }, { count: long }, { count: [long] }, { calm: long }, many])
      expect(JSON.stringify(readInputs(RUNBOOK, given).problems).length).toBeLessThan(64 * 1024);
  });

  it('that are durations too long for Temporal are refused', () => {
    for (const calm of ['1000000d', '99999999999999999999d', `${'9'.repeat(400)}s`])
      expect(readInputs(RUNBOOK, { count: 1, calm }).problems.map(({ place }) => place)).toEqual(['inputs.calm']);
  });
});
