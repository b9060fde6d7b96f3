/** Every documented `runbook` command works as typed: the command and its options exist, and an install line precedes the first. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError, type Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['README.md', 'CONTRIBUTING.md', 'examples/incident-service/README.md', ...markdownIn('docs')];

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join(folder, path));
}

/** A line that installs the `runbook` command, in the clone or in a project that has the package. */
const INSTALL_LINE = /\bnpm link\b|npm install .*servicestage-runbooks|\bnpm ci && npm run demo\b/;

interface Shown {
  readonly page: string;
  readonly line: string;
  readonly words: readonly string[];
}

/** Splits a shell line into words, without variables, redirections and comments. */
function wordsOf(line: string): string[] {
  const [command = ''] = line.replace(/^\s*\$ /, '').split(/\s#|\s>|\s\||\s&&\s/);
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
  const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word) && word !== 'npx' && word !== 'export');
  return words.slice(Math.max(first, 0));
}

function isRunbook(line: string): boolean {
  return wordsOf(line)[0] === 'runbook';
}

const blocks: Shown[] = [];
const mentions: Shown[] = [];
for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8');
  for (const [, code = ''] of text.matchAll(/^\s*```(?:sh|console)\n([\s\S]*?)^\s*```$/gm))
    for (const line of code.split('\n'))
      if (isRunbook(line)) blocks.push({ page, line: line.trim(), words: wordsOf(line).slice(1) });
  for (const [, code = ''] of text
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .matchAll(/`((?:[A-Z_]+=\S+ )*(?:npx )?runbook [^`]+)`/g))
    mentions.push({ page, line: code, words: wordsOf(code).slice(1) });
}

/** @returns the error message of commander, or `null` */
function complaint(words: readonly string[], mayLackArguments: boolean): string | null {
  let message = '';
  const program = createProgram(() => {});
  const parseOnly = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: (text) => (message += text), writeOut: () => {} });
    if (command.commands.length === 0) command.action(() => {});
    for (const child of command.commands) parseOnly(child);
  };
  parseOnly(program);
  try {
    program.parse([...words], { from: 'user' });
    return null;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const isPart = error.code === 'commander.missingArgument' || error.code === 'commander.help';
    return error.exitCode === 0 || (mayLackArguments && isPart) ? null : message;
  }
}

describe('commands in the documents', () => {
  it('are found', () => {
    expect(blocks.length).toBeGreaterThan(10);
    expect(mentions.length).toBeGreaterThan(30);
    expect(complaint(['start', 'recover', '--tagret', 'x'], true)).toContain('unknown option');
    expect(complaint(['statr', 'recover'], true)).toContain('unknown command');
  });

  it.each(blocks)('$page: $line', ({ words }) => {
    expect(complaint(words, false)).toBeNull();
  });

  it.each(mentions)('$page: `$line`', ({ words }) => {
    expect(complaint(words, true)).toBeNull();
  });

  it.each([...new Set(blocks.map(({ page }) => page))])(
    '%s shows how to install the command before its first use',
    (page) => {
      const lines = readFileSync(join(root, page), 'utf8').split('\n');
      const inBlock = (index: number) => lines.slice(0, index).filter((line) => /^\s*```/.test(line)).length % 2 === 1;
      const first = lines.findIndex((line, index) => inBlock(index) && isRunbook(line));
      expect(lines.slice(0, first + 1).join('\n')).toMatch(INSTALL_LINE);
    },
  );

  it.each(pages)(
    '%s mentions npx runbook only in the clone, because elsewhere it fetches a foreign package',
    (page) => {
      const text = readFileSync(join(root, page), 'utf8');
      if (/\bnpx runbook\b/.test(text)) expect(text).toMatch(/npm ci/);
    },
  );
});
