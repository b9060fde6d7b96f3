/** The table of errors in docs/client.md has each class that there is, and no other. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as index from '../../src/client/index.js';
import * as errors from '../../src/temporal/errors.js';

it('has every error class, all of which the package exports', () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/client.md', import.meta.url)), 'utf8');
  const told = [...document.matchAll(/^\| `([A-Z]\w+)` /gm)].map(([, name]) => name);
  expect(told.sort()).toEqual(Object.keys(errors).sort());
  expect(Object.keys(index)).toEqual(expect.arrayContaining(told));
});
