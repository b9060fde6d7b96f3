/** What an answer lacks, and what is kept of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bodyShown,
  EVIDENCE_BYTES,
  evidenceOf,
  type CheckAnswer,
  type HttpCheck,
} from '../../../../src/domain/checks/check.js';
import { parseJsonPath, valueAtPath } from '../../../../src/domain/checks/json-path.js';
import { unmetBy } from '../../../../src/domain/checks/judge.js';
import { jsonBytes } from '../../../../src/domain/text/json-bytes.js';

const check = (want: Partial<HttpCheck> = {}): HttpCheck => ({
  url: 'https://shop.example.com/health',
  status: 200,
  header: {},
  json: [],
  text: null,
  withinMs: 0,
  stableMs: 0,
  timeoutMs: 1_000,
  ...want,
});
type Answered = Extract<CheckAnswer, { kind: 'answered' }>;
const answer = (given: Partial<Answered> = {}): Answered => ({
  kind: 'answered',
  status: 200,
  headers: {},
  body: '',
  isCut: false,
  address: '192.0.2.10',
  ...given,
});
const counts = { requests: 1, atMs: 1, heldMs: 0 };

describe('unmetBy', () => {
  const json = (path: string, equals: string | number | boolean | null) => check({ json: [{ path, equals }] });
  const body = '{"data":{"state":"ok","items":[{"n":1},{"n":null}]},"up":true,"list":[]}';

  it.each<[string, HttpCheck, Partial<Answered>, string[]]>([
    ['the status', check(), {}, []],
    ['another status', check(), { status: 503 }, ['status 503, and 200 is wanted']],
    ['a redirect', check(), { status: 302 }, ['status 302, and 200 is wanted; redirects are not followed']],
    ['a redirect that is wanted', check({ status: 302 }), { status: 302 }, []],
    ['a header', check({ header: { 'x-version': '1.4' } }), { headers: { 'x-version': '1.4' } }, []],
    [
      'a header that differs',
      check({ header: { 'x-version': '1.4' } }),
      { headers: { 'x-version': '1.40' } },
      ['header x-version is "1.40", and "1.4" is wanted'],
    ],
    ['no header', check({ header: { constructor: 'x' } }), {}, ['header constructor is not there, and "x" is wanted']],
    ['JSON', json('data.state', 'ok'), { body }, []],
    ['JSON in a list', json('data.items[0].n', 1), { body }, []],
    ['JSON null', json('data.items[1].n', null), { body }, []],
    ['JSON true', json('up', true), { body }, []],
    ['text that looks like the value', json('up', 'true'), { body }, ['json up is true, and "true" is wanted']],
    [
      'an index that is not there',
      json('data.items[7].n', null),
      { body },
      ['json data.items[7].n is not there, and null is wanted'],
    ],
    [
      'an inherited name',
      json('data.constructor', 'x'),
      { body },
      ['json data.constructor is not there, and "x" is wanted'],
    ],
    ['the length of a list', json('list.length', 0), { body }, ['json list.length is not there, and 0 is wanted']],
    ['an object', json('data', 'ok'), { body }, ['json data is an object, and "ok" is wanted']],
    ['no JSON', json('a', 1), { body: '<html>' }, ['the body is not JSON']],
    ['half of the JSON', json('a', 1), { body: '{"a":1}', isCut: true }, ['the body is too long to be read as JSON']],
    ['text', check({ text: 'ready' }), { body: 'all ready now' }, []],
    ['no text', check({ text: 'ready' }), { body: 'starting' }, ['text "ready" is not in the body']],
    [
      'text beyond what was read',
      check({ text: 'ready' }),
      { body: 'x', isCut: true },
      ['text "ready" is not in the part of the body that was read'],
    ],
  ])('judges %s', (_name, wanted, given, unmet) => {
    expect(unmetBy(wanted, answer(given))).toEqual(unmet);
  });

  it('reports how deep JSON is that is too deep', () => {
    expect(unmetBy(json('a', 1), answer({ body: '['.repeat(30_000) })).join('')).toMatch(/^the body is /);
  });

  it('gives the reason where nothing was answered', () => {
    expect(unmetBy(check(), { kind: 'unanswered', why: 'ECONNREFUSED: no' })).toEqual(['ECONNREFUSED: no']);
  });
});

describe('paths', () => {
  it('are names and indexes', () => {
    expect(parseJsonPath('a.b[0].c-d')).toEqual(['a', 'b', 0, 'c-d']);
    expect(parseJsonPath('[1][2].a')).toEqual([1, 2, 'a']);
  });

  it.each(['', '.', 'a.', 'a..b', 'a[', 'a[b]', 'a[-1]', 'a[*]', '$.a', 'a b', "a['b']", 'a'.repeat(501)])(
    'are not %j',
    (text) => expect(parseJsonPath(text)).toBeNull(),
  );

  it('find what is there in any document', () => {
    const part = fc.oneof(fc.stringMatching(/^[a-z]{1,5}$/), fc.nat(5));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.integer(), (parts, value) => {
        const text = parts
          .map((each, at) => (typeof each === 'number' ? `[${each}]` : at === 0 ? each : `.${each}`))
          .join('');
        const document = parts.reduceRight<unknown>(
          (inner, each) => (typeof each === 'number' ? Object.assign([], { [each]: inner }) : { [each]: inner }),
          value,
        );
        expect(parseJsonPath(text)).toEqual(parts);
        expect(valueAtPath(document, parts)).toBe(value);
      }),
    );
  });

  it('find nothing, and do not fail, in documents that are otherwise', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (document) => {
        expect(valueAtPath(document, ['no such name', 99])).toBeUndefined();
      }),
    );
  });
});

describe('evidence', () => {
  it('has a bound, whatever was wanted and answered', () => {
    const long = fc.string({ unit: 'binary', maxLength: 3_000 });
    fc.assert(
      fc.property(long, long, fc.array(long, { maxLength: 10 }), (url, body, values) => {
        const headers = Object.fromEntries(values.map((value, at) => [`x-${at}${'y'.repeat(200)}`, value]));
        const wanted = check({ url, header: headers, text: body });
        const all = [...values, ...values];
        const kept = evidenceOf(wanted, answer({ body, headers, address: 'f'.repeat(45) }), all, counts);
        expect(jsonBytes(kept)).toBeLessThanOrEqual(EVIDENCE_BYTES);
      }),
    );
  });

  it('has only the headers that are wanted', () => {
    const headers = { 'x-version': '1.4', 'set-cookie': 'secret=1' };
    const kept = evidenceOf(check({ header: { 'x-version': '1.5' } }), answer({ headers }), ['it differs'], counts);
    expect(kept.headers).toEqual({ 'x-version': '1.4' });
  });

  it('shows the body on one line, and only of a check that is not as wanted', () => {
    const kept = evidenceOf(check(), answer({ body: '{\n  "a": 1\n}' }), ['it differs'], counts);
    expect(bodyShown(kept)).toBe('{ "a": 1 }');
    expect(bodyShown({ ...kept, unmet: [] })).toBeNull();
  });
});
