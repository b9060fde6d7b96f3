/** The documents are consistent: every relative link, anchor and path resolves, paragraphs fit a screen, every decision is in the index. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = [
  ...['README', 'CONTRIBUTING', 'SECURITY', 'CHANGELOG'].map((name) => `${name}.md`),
  ...['docs', 'examples', 'deploy', 'test/unit'].flatMap(markdownIn),
];

/** Characters of a paragraph or list item: six lines of 120. */
const LONGEST_PARAGRAPH = 720;

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .map((path) => join(folder, path));
}

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** The prose of a page: its text without code blocks and generated blocks. */
function proseOf(page: string): string {
  return read(page)
    .replaceAll(/^\s*```[\s\S]*?^\s*```$/gm, '')
    .replaceAll(/<!-- generated:(\S+) -->[\s\S]*?<!-- \/generated:\1 -->/g, '');
}

/** The anchor that GitHub generates for a heading. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

/** Links of a page to files of this repository that do not resolve. */
function brokenLinksOf(page: string): string[] {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
}

/** Missing files and folders of this repository that a page names in code style, such as `src/domain/once/`. */
function missingPathsOf(page: string): string[] {
  const paths = [...proseOf(page).matchAll(/`((?:src|test|scripts|bench|docs|deploy|examples)\/[\w./-]*)`/g)];
  return paths.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path)) && !isMadeByReader(path));
}

/** Secrets that the person who runs it creates; they are in `.gitignore`. */
function isMadeByReader(path: string): boolean {
  return path.startsWith('deploy/gateway/secrets') || path === 'deploy/notifications/secrets.env';
}

/** Lines under the head of a table that are heads again: what a merge leaves behind that took both sides. */
function repeatedHeadsOf(page: string): string[] {
  const lines = proseOf(page).split('\n');
  const isRule = (line = '') => /^\|[ :|-]+\|$/.test(line);
  return lines.filter((line, index) => isRule(line) && lines[index - 2]?.startsWith('|') === true);
}

function paragraphsOf(page: string): string[] {
  return proseOf(page)
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )/)
    .filter((paragraph) => !paragraph.trimStart().startsWith('|'))
    .map((paragraph) => paragraph.replaceAll(/\s+/g, ' ').trim());
}

describe('documents', () => {
  it('contain enough links for this test to be meaningful', () => {
    const links = pages.flatMap((page) => [...proseOf(page).matchAll(/\]\((?![a-z]+:)[^)\s]+\)/g)]);
    expect(links.length).toBeGreaterThan(100);
  });

  it.each(pages)('%s has no broken link', (page) => {
    expect(brokenLinksOf(page)).toEqual([]);
  });

  it.each(pages)('%s names only files that exist', (page) => {
    expect(missingPathsOf(page)).toEqual([]);
  });

  it.each(pages)('%s has no paragraph that is longer than a screen', (page) => {
    expect(paragraphsOf(page).filter(({ length }) => length > LONGEST_PARAGRAPH)).toEqual([]);
  });

  it.each(pages)('%s has no table in another table', (page) => {
    expect(repeatedHeadsOf(page)).toEqual([]);
  });

  it('are all in the index of docs/', () => {
    const index = read('docs/README.md');
    for (const page of readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md'))
      expect(index).toContain(`(${page})`);
  });
});

describe('the index of decisions', () => {
  const records = readdirSync(join(root, 'docs/decisions')).filter((name) => /^\d{4}-.*\.md$/.test(name));

  it.each(records)('has %s under its title', (name) => {
    const [, number = '', title = ''] = /^# (\d+)\. (.*)$/m.exec(read(`docs/decisions/${name}`)) ?? [];
    expect(name.startsWith(number.padStart(4, '0'))).toBe(true);
    expect(read('docs/decisions/README.md')).toContain(`[${title}](${name})`);
  });
});
