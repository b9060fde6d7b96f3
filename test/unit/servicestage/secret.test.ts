/** A secret prints `***` wherever it is printed. */
import { format, inspect } from 'node:util';
import { expect, it } from 'vitest';
import { Secret } from '../../../src/servicestage/secret.js';

const secret = new Secret('hunter2');

it.each([
  ['String', String(secret)],
  ['joining texts', ['a', secret].join(' ')],
  ['JSON', JSON.stringify({ secret })],
  ['inspect', inspect({ deep: { secret } }, { depth: 10, showHidden: true })],
  ['format %s', format('%s', secret)],
  ['format %o', format('%o', secret)],
  ['format %j', format('%j', secret)],
  ['an error with it as cause', inspect(new Error('refused', { cause: { secret } }))],
])('%s shows three stars instead of a secret', (_name, shown) => {
  expect(shown).toContain('***');
  expect(shown).not.toContain('hunter2');
});

it('a secret returns its value only through its named method', () => {
  expect(secret.reveal()).toBe('hunter2');
});
