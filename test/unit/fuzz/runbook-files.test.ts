/** Loading any runbook file returns a runbook or problems that can be acted on; it never throws and never hangs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseRunbook } from '../../../src/runbooks/catalogue.js';
import type { Problem } from '../../../src/domain/failures.js';

type Json = Record<string, unknown>;
type Place = readonly (string | number)[];

/** A valid runbook that uses every key of the language, so that every key can be damaged. */
const WHOLE = `
name: x
title: Scale down, check, scale back
description: For the fuzz test
risk: low
inputs:
  replica: { type: integer, minimum: 1, maximum: 9, default: 2, description: How many }
  version: { type: string, default: previous, minLength: 1, maxLength: 40 }
  calm: { type: duration, default: 5s }
targets: { max: 5, order: name }
deadline: 3h
onCancel: stop-after-step
steps:
  - wait: '\${{ inputs.calm }}'
    id: calm-down
  - action: scale
    id: down
    with: { replica: '\${{ inputs.replica }}' }
    deadline: 15m
    verify: { within: 5m, stable: 30s }
    onFailure: abort
    compensation: { action: scale, with: { replica: '\${{ target.replicaCount }}' } }
  - action: rollback
    with: { version: '\${{ inputs.version }}' }
    compensation: { irreversible: snapshots are cleared }
    onFailure: continue
  - action: restart
    compensation: { none: it ends as it began }
  - check:
      http: 'https://shop.example.com/\${{ inputs.version }}'
      status: 204
      header: { x-version: '\${{ inputs.version }}' }
      json: { 'data.items[0].n': '\${{ inputs.replica }}', up: true, error: null }
      text: ready
      within: 1m
      stable: 5s
      timeout: 2s
    id: is-well
    onFailure: abort
  - check: { http: https://shop.example.com/ }
    before: true
`;

/** A file must not block the worker: 256 KiB are allowed, and one event loop serves every run. */
const HUGE = 250 * 1024;
/** Names that every object has, and those that YAML and JavaScript treat specially. */
const ODD_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'length',
  '<<',
  '',
  '0',
  '𝓃 ä\u0000',
];

function problemsOf(text: string): Problem[] | null {
  const parsed = parseRunbook(text, 'x.yaml');
  return Array.isArray(parsed) ? parsed : null;
}

/** Checks for a runbook, or problems that each have a place, a finding and a remedy. */
function isRunbookOrProblems(text: string): void {
  const problems = problemsOf(text);
  if (problems === null) return;
  expect(problems.length).toBeGreaterThan(0);
  for (const { code, found, remedy, place } of problems) {
    expect([code, found, remedy].map((part) => part.trim())).not.toContain('');
    isInside(place, text);
  }
}

function isInside(place: string, text: string): void {
  const [, line = '', column = ''] = /^x\.yaml:(\d+):(\d+)(?: |$)/.exec(place) ?? [];
  const lines = text.split('\n');
  expect(Number(line), place).toBeGreaterThanOrEqual(1);
  expect(Number(line), place).toBeLessThanOrEqual(lines.length);
  expect(Number(column), place).toBeGreaterThanOrEqual(1);
  // The place of a missing key may be one past the end.
  expect(Number(column), place).toBeLessThanOrEqual((lines[Number(line) - 1] ?? '').length + 1);
}

const whole = () => parse(WHOLE) as Json;

function placesIn(value: unknown, place: Place = []): Place[] {
  const keys: (string | number)[] = Array.isArray(value)
    ? value.map((_item, index) => index)
    : typeof value === 'object' && value !== null
      ? Object.keys(value)
      : [];
  return keys.flatMap((key) => [[...place, key], ...placesIn((value as Json)[key], [...place, key])]);
}

/** Own keys only: if another damage left an array, `with` would be an array method, which YAML cannot hold. */
function ownValue(parent: unknown, key: string | number): unknown {
  return typeof parent === 'object' && parent !== null && Object.hasOwn(parent, key)
    ? (parent as Json)[key]
    : undefined;
}

/** Another damage may have removed or changed the parent. */
function parentOf(root: Json, place: Place): unknown {
  return place.slice(0, -1).reduce<unknown>(ownValue, root);
}

const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(null, -0, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -1, '', [], {}, true),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('x'.repeat(5_000), '𝓃'.repeat(300), '\ud800', '${{ inputs.x', '${{}}', '${{ inputs.constructor }}'),
  fc.constantFrom('99999999999999999999d', '0ms', '-5m', '5 minutes', '1e3s'),
);
const anyName = fc.oneof(fc.constantFrom(...ODD_NAMES), fc.string({ unit: 'binary', maxLength: 30 }));

/** One structural damage at a place of the runbook. */
const damage = fc.record({
  place: fc.constantFrom(...placesIn(whole())),
  kind: fc.constantFrom('remove', 'rename', 'replace', 'nest', 'wrap', 'add', 'repeat'),
  name: anyName,
  value: anyValue,
});
type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

function damaged(root: Json, { place, kind, name, value }: Damage): Json {
  const parent = parentOf(root, place);
  if (typeof parent !== 'object' || parent === null) return root;
  const key = place.at(-1) ?? '';
  const before = ownValue(parent, key);
  const put = (at: string | number, item: unknown) =>
    Object.defineProperty(parent, at, { value: item, enumerable: true, configurable: true, writable: true });
  if (kind === 'remove' || kind === 'rename') delete (parent as Json)[key];
  if (kind === 'rename' || kind === 'add') put(Array.isArray(parent) ? key : name, kind === 'add' ? value : before);
  if (kind === 'replace') put(key, value);
  if (kind === 'nest') put(key, { [name]: before });
  if (kind === 'wrap') put(key, [before, value]);
  if (kind === 'repeat' && Array.isArray(parent)) parent.push(before);
  return root;
}

describe('any text', () => {
  it('is a runbook or a list of problems that can be acted on', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom(...Array.from('{}[]:,-&*!|>%@`\'"#?~ \t\n\rab1')), maxLength: 120 }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
    );
    fc.assert(fc.property(text, isRunbookOrProblems), { numRuns: 400 });
  });

  it('that is a runbook with a piece cut out, doubled or replaced is one as well', () => {
    const piece = fc.record({
      from: fc.nat({ max: WHOLE.length }),
      length: fc.nat({ max: 40 }),
      put: fc.oneof(
        fc.constantFrom('', '*a', '&a ', '!!binary ', '!foo ', '- ', ': ', '? ', '\t', '---\n', '<<: *a\n'),
        fc.string({ maxLength: 5 }),
      ),
    });
    const pieces = fc.array(piece, { minLength: 1, maxLength: 4 });
    const edit = (text: string, { from, length, put }: { from: number; length: number; put: string }) =>
      text.slice(0, from) + put + text.slice(from + length);
    fc.assert(
      fc.property(pieces, (edits) => isRunbookOrProblems(edits.reduce(edit, WHOLE))),
      { numRuns: 250 },
    );
  });
});

describe('any value in YAML', () => {
  it('is a runbook or a list of problems that can be acted on', () => {
    fc.assert(
      fc.property(anyValue, (value) => isRunbookOrProblems(stringify(value))),
      { numRuns: 150 },
    );
  });

  it('under the keys of a runbook is one as well', () => {
    const keys = ['title', 'description', 'risk', 'inputs', 'targets', 'deadline', 'steps', 'onCancel', 'rollout'];
    const shaped = fc.dictionary(fc.oneof(fc.constantFrom(...keys), anyName), anyValue, { maxKeys: 8 });
    fc.assert(
      fc.property(shaped, (value) => isRunbookOrProblems(stringify({ name: 'x', ...value }))),
      { numRuns: 150 },
    );
  });
});

describe('a valid runbook', () => {
  it('is valid to begin with', () => {
    expect(problemsOf(WHOLE)).toBeNull();
  });

  it('damaged in its structure is a runbook or a list of problems that can be acted on', () => {
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) =>
        isRunbookOrProblems(stringify(damages.reduce(damaged, whole()))),
      ),
      { numRuns: 400 },
    );
  });

  it('stays valid when its keys are reordered', () => {
    const orders = fc.infiniteStream(fc.nat());
    fc.assert(
      fc.property(orders, (order) => {
        const draw = () => order.next().value as number;
        expect(parseRunbook(stringify(shuffled(whole(), draw)), 'x.yaml')).toEqual(parseRunbook(WHOLE, 'x.yaml'));
      }),
      { numRuns: 50 },
    );
  });

  it('is reported at both places when it is damaged at two', () => {
    const keys = fc.uniqueArray(fc.constantFrom(...INDEPENDENT), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(keys, (places) => {
        const root = places.reduce((value, place) => damaged(value, wrongValueAt(place)), whole());
        const reported = problemsOf(stringify(root))?.map(({ place }) => place.split(' ')[1] ?? '') ?? [];
        for (const place of places) expect(reported).toContain(place.join('.'));
      }),
      { numRuns: 50 },
    );
  });
});

/** Places whose damage does not hide damage at another: none of them lies inside another. */
const INDEPENDENT: readonly Place[] = [
  ['title'],
  ['risk'],
  ['deadline'],
  ['onCancel'],
  ['targets', 'max'],
  ['inputs', 'replica', 'minimum'],
  ['inputs', 'calm', 'default'],
  ['steps', 0, 'wait'],
  ['steps', 1, 'with', 'replica'],
  ['steps', 1, 'verify', 'within'],
  ['steps', 1, 'onFailure'],
  ['steps', 2, 'with', 'version'],
  ['steps', 4, 'check', 'http'],
  ['steps', 4, 'check', 'status'],
  ['steps', 4, 'check', 'within'],
  ['steps', 4, 'check', 'json', 'up'],
  ['steps', 4, 'onFailure'],
  ['steps', 5, 'before'],
];

function wrongValueAt(place: Place): Damage {
  return { place, kind: 'replace', name: '', value: [[7]] };
}

function shuffled(value: unknown, draw: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, draw));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => ({ key, item: shuffled(item, draw), order: draw() }));
  entries.sort((left, right) => left.order - right.order);
  return Object.fromEntries(entries.map(({ key, item }) => [key, item]));
}

describe('a hostile file', () => {
  const step = (text: string) => `name: x\ntitle: t\nsteps: [${text}]\n`;

  it.each([
    ['an alias inside its own anchor', 'name: x\ntitle: &a [*a]\nsteps: []\n'],
    ['a list of steps that holds itself', 'name: x\ntitle: t\nsteps: &a [*a]\n'],
    ['a file that is a step of its own', '&a\nname: x\ntitle: t\nsteps: [*a]\n'],
    ['a map of inputs that holds itself', 'name: x\ntitle: t\ninputs: &a { n: *a }\nsteps: []\n'],
    ['an alias bomb', 'a: &a [x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n'],
    ['deep nesting', `name: x\ntitle: ${'['.repeat(20_000)}${']'.repeat(20_000)}\nsteps: []\n`],
    ['deep nesting that is never closed', '{a: '.repeat(20_000)],
    ['deep nesting of blocks', Array.from({ length: 400 }, (_item, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['a very long line', step(`{ action: stop, id: ${'x'.repeat(HUGE)} }`)],
    ['a very long name', `name: ${'x'.repeat(HUGE)}\ntitle: t\nsteps: []\n`],
    [
      'tags of its own',
      'name: !!binary eA==\ntitle: !!set { a }\nsteps: !!omap [a: 1]\ndeadline: !!timestamp 2001-01-01\n',
    ],
    ['bytes in place of keys and values', 'name: x\ntitle: t\ninputs: !!binary eHh4\nsteps: [!!binary eHh4]\n'],
    ['bytes for a whole step', step('{ action: scale, with: !!binary eHh4, verify: !!binary eHh4 }')],
    ['lists too deep for the parser', `name: x\ntitle: ${'['.repeat(3_000)}${']'.repeat(3_000)}\nsteps: []\n`],
    ['keys that are not text', '? { a: b }\n: 1\n? [c]\n: 2\n~: 3\n1: 4\ntrue: 5\nname: x\n'],
    ['merge keys', 'a: &a { title: t }\n<<: *a\nname: x\nsteps: []\n'],
    ['many steps', `name: x\ntitle: t\nsteps:\n${'  - action: stop\n'.repeat(3_000)}`],
    ['line ends of every kind', 'name: x\rtitle: t\r\nsteps: []\r'],
  ])('(%s) is reported like any other', (_case, text) => {
    isRunbookOrProblems(text);
  });

  // One event loop serves every run of the worker. A file takes a second or two; anything quadratic or worse exceeds the time limit of a test.
  it.each([
    [
      'thousands of unknown keys',
      `name: x\ntitle: t\nsteps: []\n${Array.from({ length: 10_000 }, (_item, index) => `key${index}: 1\n`).join('')}`,
    ],
    ['expressions that never end', step(`{ wait: "${'${{'.repeat(40_000)}" }`)],
    ['an expression full of spaces', step(`{ wait: "\${{${' '.repeat(2_500)}}x}}" }`)],
    [
      'expressions that never end, in a parameter',
      step(`{ action: rollback, with: { version: "${'${{ '.repeat(20_000)}" }, compensation: { none: y } }`),
    ],
  ])('(%s) does not block the worker', (_case, text) => {
    isRunbookOrProblems(text);
  });
});

describe('the text of a problem', () => {
  it('is short enough to be read, however long the file is', () => {
    const long = 'x'.repeat(20_000);
    const texts = [
      { name: 'x', title: 't', steps: [], [long]: 1 },
      { name: 'x', title: 't', steps: [{ action: 'rollback', with: { version: `\${{ ${long} }}` } }] },
      { name: 'x', title: 't', steps: [{ action: 'scale', with: { replica: `a \${{ inputs.${long} }}` } }] },
      { name: 'x', title: 't', inputs: { n: { type: 'string', enum: ['a'], default: long } }, steps: [] },
    ].map((value) => stringify(value, { lineWidth: 0 }).replace(new RegExp(`^${long}:`, 'm'), `? ${long}\n:`));
    for (const text of texts)
      for (const { found, remedy, place } of problemsOf(text) ?? [])
        expect(`${place}${found}${remedy}`.length).toBeLessThan(2_000);
  });

  it('names a key that JavaScript treats specially', () => {
    for (const name of ODD_NAMES.filter((odd) => odd !== '')) {
      const key = JSON.stringify(name);
      const input = `name: x\ntitle: t\ninputs: { ${key}: { type: string } }\nsteps: []\n`;
      for (const text of [`name: x\ntitle: t\n${key}: 1\nsteps: []\n`, input])
        expect(problemsOf(text)?.length ?? 0, text).toBeGreaterThan(0);
    }
  });
});

describe('a duration', () => {
  it('that is too long for Temporal is refused', () => {
    const tooLong = ['99999999999999999999d', '1000000d', `${'9'.repeat(400)}s`];
    for (const duration of tooLong) {
      const steps = [{ action: 'stop', deadline: duration }, { wait: duration }];
      for (const step of steps) expect(problemsOf(stringify({ name: 'x', title: 't', steps: [step] }))).not.toBeNull();
    }
  });
});
