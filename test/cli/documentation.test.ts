/**
 * Commands of the documents that need little are carried out as they stand, in an empty folder with the files that the
 * page shows.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { codeBlocksOf } from '../support/code-blocks.js';
import { endOf, MAIN, spawnCommand } from '../support/command-line.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
let folder: string;
beforeAll(async () => {
  stack = await startStack(temporal, { simulator: { world: 'demo', seed: 1 } });
  folder = await mkdtemp(join(tmpdir(), 'runbooks-docs-'));
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

const page = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

/** By a real shell, with `runbook` as a function. @returns what it printed; throws when a command fails */
async function inShell(script: string): Promise<string> {
  const text = `set -e\nrunbook() { "$NODE" "$MAIN" "$@"; }\n${script}`;
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE: process.execPath, MAIN };
  const { stdout } = await promisify(execFile)('sh', ['-c', text], { cwd: folder, env });
  return stdout;
}

/** The lines of a page's console blocks that begin with this. */
const linesOf = (text: string, begin: string) =>
  codeBlocksOf(text, 'console')
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => (line.startsWith(`$ ${begin}`) ? [line.slice(2)] : []));

it('README plans what it shows, in the world that the demo begins with', async () => {
  const [block = ''] = codeBlocksOf(await page('README.md'), 'console');
  const [command = '', ...shown] = block.trimEnd().split('\n');
  expect(command).toMatch(/^\$ npx runbook plan /);
  const words = command.split(' ').slice(3);
  const env = { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue };
  const { exitCode, stdout } = await endOf(spawnCommand(words, env));
  expect(exitCode).toBe(0);
  // The times of the test's stack are shorter, so its plan differs.
  const withoutTimes = (text: string) =>
    text
      .replace(/holds \w+;/g, 'holds …;')
      .replace(/about \w+ \(/g, 'about … (')
      .replace(/plan [\da-f]{16}/g, 'plan …');
  expect(withoutTimes(stdout.trimEnd())).toBe(withoutTimes(shown.join('\n')));
});

it('the first runbook is created and found as on the page', async () => {
  const text = await page('docs/first-runbook.md');
  const commands = [...linesOf(text, 'runbook new'), ...linesOf(text, 'runbook validate'), ...linesOf(text, 'export')];
  expect(commands).toHaveLength(3);
  const printed = await inShell([...commands, 'runbook list'].join('\n'));
  expect(printed).toContain('1 runbook file is valid');
  expect(printed).toContain('nightly-scale');
});

it.each([
  ['docs/schedules.md', 'schedules', '1 schedule file is valid'],
  ['docs/alarms.md', 'alarms', '1 alarms file is valid'],
])('%s shows a file that is right, beside the schema that its first line names', async (path, kind, words) => {
  const text = await page(path);
  const [file = ''] = codeBlocksOf(text, 'yaml');
  await writeFile(join(folder, `${kind}.yaml`), file);
  const commands = [...linesOf(text, 'runbook schema'), ...linesOf(text, 'runbook validate')];
  expect(commands).toHaveLength(2);
  expect(await inShell(commands.join('\n'))).toContain(words);
  const [, schema = ''] = /\$schema=(\S+)/.exec(file) ?? [];
  expect(JSON.parse(await readFile(join(folder, schema), 'utf8'))).toHaveProperty('properties');
});

it('docs/alarms.md shows a body that its first file would start a run for', async () => {
  const text = await page('docs/alarms.md');
  const [file = ''] = codeBlocksOf(text, 'yaml');
  const [body = ''] = codeBlocksOf(text, 'json');
  await writeFile(join(folder, 'alarms.yaml'), file);
  await writeFile(join(folder, 'body.json'), body);
  const [command = ''] = linesOf(text, 'runbook alarm try');
  expect(await inShell(command)).toMatch(/restart.* shop\/checkout\/prod-1/s);
});
