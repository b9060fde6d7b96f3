/** Typical mistakes in a first runbook file: one problem for each, all reported at once, in words that help. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseRunbook } from '../../src/runbooks/catalogue.js';
import type { Problem } from '../../src/domain/failures.js';

function problemsOf(text: string): Problem[] {
  const parsed = parseRunbook(text, 'x.yaml');
  return Array.isArray(parsed) ? parsed : [];
}
/** `4 unknown-key`: line and code. */
const inShort = (problems: readonly Problem[]) =>
  problems.map(({ place, code }) => `${/^x\.yaml:(\d+)/.exec(place)?.[1]} ${code}`);
const inFull = (problems: readonly Problem[]) =>
  problems.map(({ place, found, remedy }) => `${place.split(' ')[1]}: ${found}. ${remedy}`).join('\n');

const HEAD = 'name: x\ntitle: t\n';

describe('one fault is one problem', () => {
  it.each([
    ['a mistyped required key', 'name: x\ntitel: t\nsteps: []\n', '2 unknown-key', 'Did you mean title?'],
    ['steps in the singular', `${HEAD}step: [{ action: stop }]\n`, '3 unknown-key', 'Did you mean steps?'],
    ['steps that are not a list', `${HEAD}steps:\n  action: stop\n`, '4 invalid-value', 'Begin each step with a dash'],
    ['an action as plain text', `${HEAD}steps:\n  - restart\n`, '4 invalid-value', 'Write action: restart'],
    [
      'parameters for an action that takes none',
      `${HEAD}steps:\n  - action: restart\n    with: { force: true }\n`,
      '5 unknown-key',
      'restart takes no parameters',
    ],
    ['a wait without a unit', `${HEAD}steps:\n  - wait: 5\n`, '4 invalid-value', 'such as 90s, 5m or 2h'],
    ['a wait in words', `${HEAD}steps:\n  - wait: 5 minutes\n`, '4 invalid-value', 'such as 90s, 5m or 2h'],
    ['a scale without parameters', `${HEAD}steps:\n  - action: scale\n`, '4 missing', 'Add with: { replica: 2 }'],
    ['empty steps', `${HEAD}steps:\n`, '3 invalid-value', 'as in steps: [{ action: restart }]'],
    [
      'an undo that is left out without a reason',
      `${HEAD}steps:\n  - action: stop\n    compensation: { none: true }\n`,
      '5 invalid-value',
      'Say why, as in { none: "nothing depends on it" }',
    ],
    ['an empty title', 'name: x\ntitle:\nsteps: []\n', '2 invalid-value', 'as in title: Restart an instance'],
    [
      'lists nested too deep',
      `name: x\ntitle: ${'['.repeat(3_000)}${']'.repeat(3_000)}\nsteps: []\n`,
      '1 too-deep',
      'Nest them less deep',
    ],
    ['an empty wait', `${HEAD}steps:\n  - wait:\n`, '4 invalid-value', 'there is nothing here'],
    [
      'an action and a wait in one step',
      `${HEAD}steps:\n  - action: stop\n    wait: 5m\n`,
      '5 unknown-key',
      'a step is an action or a wait, not both',
    ],
    [
      'a parameter beside the action',
      `${HEAD}steps:\n  - action: scale\n    replica: 4\n`,
      '5 unknown-key',
      'under with:',
    ],
    [
      'a parameter in the plural',
      `${HEAD}steps:\n  - { action: scale, with: { replicas: 4 } }\n`,
      '4 unknown-key',
      'Did you mean replica?',
    ],
    ['a name for a step', `${HEAD}steps:\n  - { action: stop, name: first }\n`, '4 unknown-key', 'Did you mean id?'],
    ['a time-out', `${HEAD}steps:\n  - { action: stop, timeout: 20m }\n`, '4 unknown-key', 'Did you mean deadline?'],
    [
      'a single value instead of a list',
      `${HEAD}guards: { freeze: prod }\nsteps: []\n`,
      '3 invalid-value',
      'Write a list: [in, brackets]',
    ],
    ['keys and values as text', `${HEAD}guards: prod\nsteps: []\n`, '3 invalid-value', 'window, freeze, waitAtMost'],
    ['a title that is a number', 'name: x\ntitle: 5\nsteps: []\n', '2 invalid-value', 'Write text, in quotes'],
    [
      'an input without a type',
      `${HEAD}inputs: { n: 3 }\nsteps: [{ action: scale, with: { replica: '\${{ inputs.n }}' } }]\n`,
      '3 invalid-value',
      'as in { type: integer }',
    ],
    [
      'an input type of another language',
      `${HEAD}inputs: { n: { type: number } }\nsteps: [{ action: scale, with: { replica: '\${{ inputs.n }}' } }]\n`,
      '3 invalid-value',
      'Did you mean integer?',
    ],
    [
      'an input of a type that is not supported yet',
      `${HEAD}inputs: { n: { type: countOrPercent } }\nsteps: [{ action: scale, with: { replica: '\${{ inputs.n }}' } }]\n`,
      '3 not-supported-yet',
      'countOrPercent',
    ],
    [
      'an input with an invalid name, and its use',
      `${HEAD}inputs: { my-n: { type: integer } }\nsteps: [{ action: scale, with: { replica: '\${{ inputs.my-n }}' } }]\n`,
      '3 invalid-name',
      'letters, digits and underscores',
    ],
    [
      'inputs as a list, and the use of one',
      `${HEAD}inputs: [n]\nsteps: [{ action: scale, with: { replica: '\${{ inputs.n }}' } }]\n`,
      '3 invalid-value',
      'a line for each input',
    ],
    [
      'a mistyped scope, which leaves the input unused',
      `${HEAD}inputs: { n: { type: integer } }\nsteps:\n  - { action: scale, with: { replica: '\${{ input.n }}' } }\n`,
      '5 unknown-name',
      'Did you mean inputs.n?',
    ],
    [
      'a rule that no value fits, not even the default',
      `${HEAD}inputs: { n: { type: integer, minimum: 5, maximum: 2, default: 3 } }\nsteps: [{ action: scale, with: { replica: '\${{ inputs.n }}' } }]\n`,
      '3 impossible-rule',
      '5 at least and 2 at most',
    ],
    [
      'an invalid compensation of an action that needs one',
      `${HEAD}steps:\n  - { action: rollback, with: { version: previous }, compensation: none }\n`,
      '4 invalid-value',
      'none, irreversible, action',
    ],
    ['a step of no kind', `${HEAD}steps:\n  - run: echo hi\n`, '4 invalid-value', 'one of the keys action, wait'],
    ['a list as the whole file', '- name: x\n', '1 not-a-runbook', 'the file holds a list'],
    [
      'an expression without quotes in braces',
      `${HEAD}steps:\n  - { action: scale, with: { replica: \${{ inputs.n }} } }\n  - action: stop\n`,
      '4 yaml-syntax',
      'in quotes',
    ],
    ['an indentation that is off', `${HEAD}steps:\n  - action: stop\n   id: one\n`, '5 yaml-syntax', 'indentation'],
    ['tabs', `${HEAD}steps:\n\t- action: stop\n`, '4 yaml-syntax', 'Indent with spaces'],
    ['a schedule file', 'owner: me\nschedules: {}\n', '2 not-a-runbook', 'this is a schedule file'],
    ['an alarms file', 'owner: me\nrules: {}\nsenders: {}\n', '3 not-a-runbook', 'this is an alarms file'],
    ['a calendar', 'timezone: UTC\nfreezes: []\n', '2 not-a-runbook', 'this is a calendar'],
  ])('%s', (_what, text, expected, words) => {
    const problems = problemsOf(text);
    expect(inShort(problems), inFull(problems)).toEqual([expected]);
    expect(inFull(problems)).toContain(words);
  });
});

describe('all problems are reported at once', () => {
  it('of steps after an unknown action', () => {
    const text = `${HEAD}inputs:
  v: { type: string, enum: [a, b], default: c }
steps:
  - { action: stpo, deadline: 10 }
  - { action: rollback, with: { version: '\${{ inputs.w }}' } }
  - { action: restart, compensation: { action: stop } }
  - { action: stop, id: stop, verify: { within: 20s }, deadline: 5s }
  - { action: stop, id: stop }
`;
    expect(inShort(problemsOf(text))).toEqual([
      '4 invalid-default',
      '6 invalid-value',
      '6 invalid-value',
      '7 irreversible-not-declared',
      '7 unknown-name',
      '8 not-an-inverse',
      '9 duplicate-step-id',
      '9 deadline-too-short',
      '10 duplicate-step-id',
    ]);
  });

  it('of the values of mistyped keys', () => {
    const text = 'name: y\ntitel: 5\nsteps:\n  - acton: stpo\n    onfailure: retry\n    dedline: 5\n';
    expect(inShort(problemsOf(text))).toEqual([
      '1 name-is-file-name',
      '2 unknown-key',
      '2 invalid-value',
      '4 unknown-key',
      '4 invalid-value',
      '5 unknown-key',
      '5 invalid-value',
      '6 unknown-key',
      '6 invalid-value',
    ]);
  });

  it('of two duplicate keys', () => {
    expect(inShort(problemsOf('name: x\nname: x\ntitle: t\ntitle: t\nsteps: []\n'))).toEqual([
      '2 yaml-syntax',
      '4 yaml-syntax',
    ]);
  });
});

/** A sound runbook with one part, anywhere in it, replaced or renamed. */
const SOUND = {
  name: 'x',
  title: 't',
  inputs: { n: { type: 'integer', default: 3, minimum: 1 }, v: { type: 'string' } },
  targets: { max: 3 },
  guards: { window: { cutoff: '5m', fit: false }, freeze: ['a'], waitAtMost: '1h' },
  deadline: '5h',
  steps: [
    { action: 'stop', id: 'first', deadline: '5m', verify: { within: '1m', stable: '5s' } },
    { wait: '5m' },
    { action: 'scale', with: { replica: '${{ inputs.n }}', hosts: ['h'] }, compensation: { none: 'why' } },
    { action: 'rollback', with: { version: '${{ inputs.v }}' }, compensation: { irreversible: 'why' } },
  ],
};

type Place = readonly (string | number)[];
function placesIn(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [
    at,
    ...Object.entries(value).flatMap(([key, child]) =>
      placesIn(child, [...at, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}
function changed(
  value: unknown,
  place: Place,
  change: (parent: Record<string, unknown>, key: string) => void,
): unknown {
  const copy = structuredClone(value);
  const parent = place
    .slice(0, -1)
    .reduce<unknown>((part, key) => (part as Record<string, unknown>)[String(key)], copy);
  change(parent as Record<string, unknown>, String(place.at(-1)));
  return copy;
}

describe('after any change of a sound runbook', () => {
  const places = placesIn(SOUND).filter((place) => place.length > 0);
  const place = fc.constantFrom(...places);
  const odd = fc.constantFrom<unknown>(null, 5, 2.5, '', 'x', true, [], {}, [1], { a: 1 }, '${{ inputs.q }}', '${{', [
    'a',
    'a',
  ]);
  const change = fc.oneof(
    odd.map((value) => (parent: Record<string, unknown>, key: string) => void (parent[key] = value)),
    fc.constant((parent: Record<string, unknown>, key: string) => void delete parent[key]),
    fc.constant((parent: Record<string, unknown>, key: string) => {
      parent[`${key}s`] = parent[key];
      delete parent[key];
    }),
  );

  it('nothing is wrong before the change', () => {
    expect(inFull(problemsOf(stringify(SOUND)))).toBe('');
  });

  it('each problem has a place in the file and complete sentences', () => {
    fc.assert(
      fc.property(place, change, place, change, (one, first, two, second) => {
        const once = changed(SOUND, one, first);
        let twice = once;
        try {
          twice = changed(once, two, second);
        } catch {
          // The first change removed the second place.
        }
        for (const { place: where, found, remedy } of problemsOf(stringify(twice))) {
          expect(where).toMatch(/^x\.yaml:\d+:\d+( \S.*)?$/);
          for (const words of [found, remedy]) expect(words).toMatch(/^(?!.*(undefined|\[object|NaN)).+$/s);
          const [, key = ''] = /^unknown key "(.*)"$/.exec(found) ?? [];
          expect(remedy).not.toContain(`Did you mean ${key}?`);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('no problem is reported twice', () => {
    fc.assert(
      fc.property(place, change, (where, how) => {
        const reported = problemsOf(stringify(changed(SOUND, where, how))).map((problem) => JSON.stringify(problem));
        expect(new Set(reported).size).toBe(reported.length);
      }),
      { numRuns: 300 },
    );
  });
});
