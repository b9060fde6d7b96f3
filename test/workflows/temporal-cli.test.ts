/** Runs started with the plain Temporal CLI, as an operator without our command would do. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTemporalProgram } from '../../src/embedded/find-temporal.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
let program: string;
beforeAll(async () => {
  stack = await startStack(temporal);
  program = await findTemporalProgram({ env: process.env, say: console.error });
});
afterAll(() => stack.close());

async function start(type: string, input: string): Promise<string> {
  const workflowId = `cli-${randomUUID()}`;
  const words = [
    'workflow',
    'start',
    '--address',
    temporal.address,
    '--type',
    type,
    '--task-queue',
    temporal.taskQueue,
    '--workflow-id',
    workflowId,
    '--input',
    input,
  ];
  await promisify(execFile)(program, words);
  return workflowId;
}

describe.concurrent('temporal workflow start', () => {
  it('runs a runbook', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await stack.report(await start('recover', JSON.stringify({ targets: [path] })));
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
  });

  it.each([
    ['a mistyped type', 'recover-it', '{"targets": ["a/b/c"]}', 'There is no runbook "recover-it"'],
    ['text instead of an object', 'recover', '"shop/checkout/prod-1"', 'is not a JSON object'],
    ['a mistyped key', 'recover', '{"target": "a/b/c"}', 'unknown key "target"'],
  ])('fails at once, readably, for %s', async (_case, type, input, text) => {
    const workflowId = await start(type, input);
    const { stdout } = await promisify(execFile)(program, [
      'workflow',
      'show',
      '--address',
      temporal.address,
      '--workflow-id',
      workflowId,
      '--follow',
    ]);
    expect(stdout).toContain(text);
  });
});
