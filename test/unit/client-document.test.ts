/** The table of errors in docs/client.md lists exactly the existing classes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as index from '../../src/client/index.js';
import * as errors from '../../src/temporal/errors.js';

it('lists every error class, and the package exports them all', () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/client.md', import.meta.url)), 'utf8');
  const documented = [...document.matchAll(/^\| `([A-Z]\w+)` /gm)].map(([, name]) => name);
  expect(documented.sort()).toEqual(Object.keys(errors).sort());
  expect(Object.keys(index)).toEqual(expect.arrayContaining(documented));
});
