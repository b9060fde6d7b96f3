/** The structure that the README promises, and the laws that no compiler holds. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
);

describe('the map in the README', () => {
  const map = [...read('README.md').matchAll(/^(\S+\/?) {2,}\S/gm)]
    .map(([, path = '']) => path)
    .filter((path) => /^(src|runbooks|test|docs)/.test(path));

  it('names what exists', () => {
    expect(map.length).toBeGreaterThan(10);
    for (const path of map) expect(existsSync(join(root, path))).toBe(true);
  });

  it('misses nothing of src', () => {
    const entries = readdirSync(join(root, 'src'), { withFileTypes: true }).filter(({ name }) => name !== 'ms.d.ts');
    for (const entry of entries) expect(map).toContain(`src/${entry.name}${entry.isDirectory() ? '/' : ''}`);
  });
});

describe('sources', () => {
  it('read the environment only where processes begin', () => {
    const readers = sources.filter((path) => read(`src/${path}`).includes('process.env'));
    expect(readers.every((path) => /^(worker\.ts|cli\/|embedded\/)/.test(path))).toBe(true);
  });

  it('open no connection but one that can be closed while calls are in flight', () => {
    const all = ['src', 'test', 'bench', 'scripts', 'examples'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.m?ts$|\.mjs$/.test(path) && !path.includes('node_modules'))
        .map((path) => `${folder}/${path}`),
    );
    const opening = all.filter((path) => /(?<![A-Za-z])Connection\.(connect|lazy)\(/.test(read(path)));
    expect(opening).toEqual([]);
  });

  it('begin with a sentence that says what they are for', () => {
    for (const path of sources)
      expect(read(`src/${path}`)).toMatch(/^(#!.*\n)?(\/\*\*|\/\/) ?\S|^(#!.*\n)?\/\*\*\n \* \S/);
  });

  it('of workflows, as bundled, hold no zod', () => {
    expect(existsSync(join(root, 'dist/workflow-bundle.js'))).toBe(true);
    expect(read('dist/workflow-bundle.js')).not.toMatch(/node_modules\/zod/);
  });
});
