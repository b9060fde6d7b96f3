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

it('a secret that changes is revealed as it is now, and in another form as the last one that has that form', () => {
  const source = { text: 'key-1', fresh: 'key-1' };
  const changing = new Secret({ read: () => source.text, readAgain: () => (source.text = source.fresh) });
  const upper = changing.as((text) => (text.startsWith('key') ? text.toUpperCase() : null));
  source.fresh = 'key-2';
  expect([changing.reveal(), upper.reveal()]).toEqual(['key-1', 'KEY-1']);
  expect([changing.revealAgain(), upper.reveal()]).toEqual(['key-2', 'KEY-2']);
  source.text = 'nothing usable';
  expect(upper.reveal()).toBe('KEY-2');
});
