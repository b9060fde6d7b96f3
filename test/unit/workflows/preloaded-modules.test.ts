import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = 'src/domain';
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** What a module remembers from one workflow to the next: a variable, a collection, or a regular expression that remembers where it stopped. */
const STATE = [
  /^(?:export )?(?:let|var) /m,
  /^(?:export )?const \w+(?::[^=]*)? = new (?:Weak)?(?:Map|Set)\b/m,
  /^(?:export )?const \w+(?::[^=]*)? = (?:\[\]|\{\})/m,
  /^ +(?:(?:private|public|protected) )?static (?!readonly)[^(]*(?:=|;)/m,
  /\/[a-z]*[gy][a-z]*\.(?:test|exec)\(/,
];

function stateIn(code: string): string | undefined {
  const remembering = [
    ...code.matchAll(/^const (\w+) = (?:\/.*\/[a-z]*[gy][a-z]*;|new RegExp\(.*'[a-z]*[gy][a-z]*'\))/gm),
  ];
  const used = remembering.find(([, name]) => new RegExp(`\\b${name}\\.(?:test|exec)\\(`).test(code));
  return used?.[0] ?? STATE.map((pattern) => pattern.exec(code)?.[0]).find((found) => found !== undefined);
}

describe('the modules that all workflows of a worker share (scripts/bundle.mjs)', () => {
  it('keep no state', () => {
    expect(files.length).toBeGreaterThan(40);
    const found = files.flatMap((name) => {
      const state = stateIn(readFileSync(join(folder, name), 'utf8'));
      return state === undefined ? [] : [`${name}: ${state}`];
    });
    expect(found).toEqual([]);
  });

  it.each([
    'let last = 0;',
    'const cache = new Map<string, number>();',
    'const cache: Record<string, number> = {};',
    'export const seen: string[] = [];',
    'class Counter {\n  static count = 0;\n}',
    'const WORD = /\\w+/g;\nexport const isWord = (text: string) => WORD.test(text);',
    'export const isWord = (text: string) => /\\w+/y.test(text);',
  ])('would be found with state: %s', (code) => {
    expect(stateIn(code)).toBeDefined();
  });
});
