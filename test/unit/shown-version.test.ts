/** The pages, the manifests and the lock file show the version of package.json, and the changelog has an entry for it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };

/** Tarballs and images of ours, with their version: `servicestage-runbooks-1.0.0.tgz`, `servicestage-runbooks:1.0.0`, `newTag: 1.0.0`. */
const SHOWN = /servicestage-runbooks(?:-client)?-(\d[\w.-]*)\.tgz|servicestage-runbooks:(\d[\w.-]*)|newTag: (\S+\d)/g;

function shownVersions(): string[] {
  const files = ['docs', 'examples', 'deploy'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:md|ya?ml)$/.test(path) && !path.includes('node_modules'))
      .map((path) => join(folder, path)),
  );
  return files.flatMap((file) =>
    [...read(file).matchAll(SHOWN)].map((found) => `${file}: ${found[1] ?? found[2] ?? found[3]}`),
  );
}

it('every page and manifest shows the version of package.json', () => {
  const shown = shownVersions();
  expect(shown.length).toBeGreaterThan(4);
  expect(shown.filter((each) => !each.endsWith(`: ${version}`))).toEqual([]);
});

it('the lock file has it', () => {
  const lock = JSON.parse(read('package-lock.json')) as { version: string; packages: { '': { version: string } } };
  expect([lock.version, lock.packages[''].version]).toEqual([version, version]);
});

it('the changelog has it with its date, below what is not released', () => {
  const headings = [...read('CHANGELOG.md').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(headings[0]).toBe('Unreleased');
  expect(headings[1]).toMatch(new RegExp(`^${version.replaceAll('.', '\\.')} - \\d{4}-\\d{2}-\\d{2}$`));
});
