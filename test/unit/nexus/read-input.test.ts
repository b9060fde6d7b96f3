import { describe, expect, it } from 'vitest';
import { checkedArguments } from '../../../src/client/start-request.js';
import { readRunStatus, readStartRun } from '../../../src/nexus/read-input.js';
import { InvalidRequest } from '../../../src/temporal/errors.js';

const REQUEST_ID = '9b228039-f161-4de8-86aa-03b8d2aeaa32';
const good = { runbook: 'restart', key: 'incident-4711', targets: ['shop/checkout/prod-1'] };

function problemsOf(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    return error.problems.map(({ place, found }) => `${place}: ${found}`);
  }
}
const startProblems = (input: unknown) => problemsOf(() => readStartRun(input, REQUEST_ID));

describe('the input of startRun', () => {
  it('gives the start arguments that RunbookClient would send', () => {
    const { runbook, key, ...request } = {
      ...good,
      inputs: { version: 'previous' },
      requestedBy: 'billing',
      reason: 'disk full',
      window: { duration: '2h', cutoff: '30m' },
      freeze: ['prod-freeze'],
      waitAtMost: '4h',
    };
    expect(readStartRun({ runbook, key, ...request }, REQUEST_ID)).toEqual({
      runbook,
      workflowId: key,
      startArguments: checkedArguments(runbook, { id: key, ...request }),
    });
  });

  it('may resume a run', () => {
    const resumes = { workflowId: 'incident-4710', runId: 'an-execution' };
    expect(readStartRun({ ...good, resumes }, REQUEST_ID).startArguments).toMatchObject({ resumes });
  });

  it('without a key gives one run for each operation, whatever the attempt', () => {
    const { key: _, ...input } = good;
    expect(readStartRun(input, REQUEST_ID).workflowId).toBe(`restart-${REQUEST_ID}`);
    expect(readStartRun(input, REQUEST_ID)).toEqual(readStartRun(input, REQUEST_ID));
    expect(readStartRun(input, 'another').workflowId).not.toBe(readStartRun(input, REQUEST_ID).workflowId);
  });

  it.each([
    ['no object', 'restart', ['input: it is not a JSON object']],
    ['nothing', undefined, ['input: it is not a JSON object']],
    ['a list', [good], ['input: it is not a JSON object']],
    ['no runbook', { ...good, runbook: undefined }, ['runbook: "runbook" is missing']],
    [
      'the workflow of a target',
      { ...good, runbook: 'targetRun' },
      ['runbook: "targetRun" is not the name of a runbook'],
    ],
    ['a reserved name', { ...good, runbook: 'alarm-rule' }, ['runbook: "alarm-rule" is not the name of a runbook']],
    ['a number as its key', { ...good, key: 4711 }, ['key: 4711 is not text']],
    ['an empty key', { ...good, key: '' }, ['key: The id of a run cannot be empty']],
    ['an unknown key', { ...good, tagets: [] }, ['tagets: unknown key "tagets"']],
    [
      'the options of RunbookClient',
      { ...good, id: 'x', onExisting: 'fail' },
      ['id: unknown key "id"', 'onExisting: unknown key "onExisting"'],
    ],
    ['a dry run', { ...good, dryRun: true }, ['dryRun: an operation starts runs and does not plan']],
    ['a target twice', { ...good, targets: ['a/b/c', 'a/b/c'] }, ['targets, "a/b/c": it appears more than once']],
  ])('is refused: %s', (_name, input, problems) => {
    expect(startProblems(input)).toEqual(problems);
  });

  it('is refused for the lease of an instance as its key', () => {
    expect(startProblems({ ...good, key: 'runbook-target/p/i' })).toEqual([
      'key: The id runbook-target/p/i is reserved: ids that begin with runbook-target/ are leases on instances',
    ]);
  });

  it('is refused with every problem at once, each place once', () => {
    expect(
      startProblems({
        runbook: 'Restart',
        key: '',
        targets: ['a/b/\u001b[31mc'],
        inputs: { x: '\u202e' },
        waitAtMost: 'long',
      }),
    ).toEqual([
      'targets.0: "a/b/\\u001b[31mc" contains control or invisible characters',
      'inputs.x: "\\u202e" contains control or invisible characters',
      'runbook: "Restart" is not the name of a runbook',
      'key: The id of a run cannot be empty',
      'waitAtMost: "long" does not fit',
    ]);
  });
});

describe('the input of runStatus', () => {
  it('is the key of a run', () => {
    expect(readRunStatus({ key: 'incident-4711' })).toBe('incident-4711');
  });

  it.each([
    ['no key', {}, ['key: "key" is missing']],
    ['another word', { kye: 'x' }, ['key: "key" is missing', 'kye: unknown key "kye"']],
    ['an alarm rule', { key: 'runbook-alarm-rule/shop/x' }, [expect.stringContaining('alarm rules')]],
  ])('is refused: %s', (_name, input, problems) => {
    expect(problemsOf(() => readRunStatus(input))).toEqual(problems);
  });
});
