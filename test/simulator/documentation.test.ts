/** docs/simulator.md is right: every command on it is carried out in order, against a fresh simulator, and answers what is shown. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArmedFault, Fault } from '../../src/simulator/faults.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';

let simulator: RunningSimulator;
let text: string;
beforeAll(async () => {
  text = await readFile(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
  // As `runbook simulator` starts it.
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

interface Block {
  readonly commands: readonly string[];
  /** What the last command answers; `null`: nothing is shown. */
  readonly answer: unknown;
}

function blocksOf(markdown: string): Block[] {
  const fenced = [...markdown.matchAll(/^```(sh|json)\n([\s\S]*?)^```$/gm)];
  return fenced.flatMap(([, language, code = ''], index) => {
    if (language !== 'sh') return [];
    const [, next, answer = ''] = fenced[index + 1] ?? [];
    const commands = code
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => line.trim() !== '');
    return [{ commands, answer: next === 'json' ? (JSON.parse(answer) as unknown) : null }];
  });
}

/** The words of a line as a shell takes them: quotes, variables outside single ones, and no comment. */
function wordsOf(line: string, variables: ReadonlyMap<string, string>): string[] {
  const words: string[] = [];
  let word: string | null = null;
  const filledIn = (part: string) => part.replaceAll(/\$([A-Z]+)/g, (_, name: string) => variables.get(name) ?? '');
  for (const [part] of line.matchAll(/'[^']*'|"[^"]*"|\s+|#.*$|[^\s'"#]+/g)) {
    if (/^\s/.test(part) || part.startsWith('#')) {
      if (word !== null) words.push(word);
      word = null;
      if (part.startsWith('#')) break;
    } else if (part.startsWith("'")) word = `${word ?? ''}${part.slice(1, -1)}`;
    else word = `${word ?? ''}${filledIn(part.startsWith('"') ? part.slice(1, -1) : part)}`;
  }
  return word === null ? words : [...words, word];
}

/** As curl would: `-X` and `-d` are all that the page uses beside `-s`. */
async function curl(words: readonly string[]): Promise<unknown> {
  let [method, body, url]: [string | null, string | null, string] = [null, null, ''];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '-X') method = words[++index] ?? '';
    else if (word === '-d') body = words[++index] ?? '';
    else if (word !== '-s') url = word;
  }
  const response = await fetch(url, { method: method ?? (body === null ? 'GET' : 'POST'), body });
  return response.json();
}

it('shows commands with their real answers, in the order of the page', async () => {
  const variables = new Map<string, string>();
  let carriedOut = 0;
  for (const { commands, answer } of blocksOf(text)) {
    let last: unknown = null;
    for (const line of commands) {
      const words = wordsOf(line.replaceAll('http://127.0.0.1:8123', simulator.url), variables);
      const [, name, value] = /^([A-Z]+)=(.*)$/.exec(words[0] ?? '') ?? [];
      if (name !== undefined) variables.set(name, value ?? '');
      else if (words[0] === 'curl') {
        last = await curl(words.slice(1));
        carriedOut++;
        if (answer === null || line !== commands.at(-1)) expect(last, line).not.toHaveProperty('problems');
      } else expect(words[0], line).toMatch(/^(npm|runbook)$/);
    }
    if (typeof answer === 'object' && answer !== null) expect(last, commands.join('\n')).toMatchObject(answer);
  }
  expect(carriedOut).toBeGreaterThan(15);
});

describe('the page', () => {
  const rowsOf = (heading: string) =>
    [...(text.split(heading)[1] ?? '').split('\n## ')[0]!.matchAll(/^\| `(\w+)` /gm)].flatMap(([, name = '']) =>
      name === 'kind' ? [] : [name],
    );

  it('names every kind of fault and every route', () => {
    const kinds = Fault.options.map(({ shape }) => [...shape.kind.values][0]);
    expect(rowsOf('## Faults on the wire').sort()).toEqual([...kinds].sort());
    for (const route of ArmedFault.shape.on.unwrap().shape.route.unwrap().options)
      expect(text).toContain(`\`${route}\``);
  });

  it('names every path of the control API', async () => {
    const source = await readFile(new URL('../../src/simulator/control.ts', import.meta.url), 'utf8');
    const paths = [...source.matchAll(/app\.\w+\('(\/[^':]*)/g)].map(([, path = '']) => path.replace(/\/$/, ''));
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths) expect(text).toContain(`$CONTROL${path}`);
  });
});
