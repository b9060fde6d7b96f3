/** The command to type after a run: one for each outcome that leaves something to do, and each of them exists. */
import { CommanderError, type Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.js';
import { failureRecord } from '../../../src/domain/failures.js';
import { OUTCOMES, type Outcome, type RunReport } from '../../../src/domain/report/report.js';
import { shellWord } from '../../../src/domain/text/shell-word.js';
import { nextCommand, nextLines } from '../../../src/rendering/next-command.js';
import { aStepReport } from '../../support/build.js';

const target = (path: string, outcome: Outcome): RunReport['targets'][number] => ({
  ...{ path, outcome, instanceId: 'i', leaseId: 'l', captured: null, lastSeen: null, steps: [aStepReport()] },
  ...{ notReached: [], compensations: [], remaining: [] },
});

function reportOf(outcome: Outcome, change: Partial<RunReport> = {}): RunReport {
  return {
    ...{ reportVersion: 1, runbook: 'recover', workflowId: 'incident-1', runId: 'r', outcome, summary: 's' },
    ...{ planHash: null, requestedBy: null, reason: null, startedAtMs: 0, endedAtMs: 1, notStarted: ['a/b/d'] },
    targets: [target('a/b/one', 'succeeded'), target('a/b/c', outcome)],
    ...change,
  };
}

/** Parses without acting. @returns the error message of commander, or `null` */
function complaint(command: string): string | null {
  let message = '';
  const program = createProgram(() => {});
  const parseOnly = (each: Command) => {
    each.exitOverride().configureOutput({ writeErr: (text) => (message += text), writeOut: () => {} });
    if (each.commands.length === 0) each.action(() => {});
    each.commands.forEach(parseOnly);
  };
  parseOnly(program);
  try {
    program.parse(command.split(' ').slice(1), { from: 'user' });
    return null;
  } catch (error) {
    if (error instanceof CommanderError) return message;
    throw error;
  }
}

describe('the next command', () => {
  it.each([
    ['succeeded', null],
    ['compensated', 'runbook targets a/b/c'],
    ['failed', 'runbook resume incident-1 --plan'],
    ['compensationFailed', 'runbook targets a/b/c'],
    ['indeterminate', 'runbook targets a/b/c'],
    ['cancelled', 'runbook resume incident-1 --plan'],
    ['refused', 'runbook show recover'],
    ['expired', 'runbook resume incident-1 --plan'],
  ] as const)('after %s is %s', (outcome, command) => {
    expect(nextCommand(reportOf(outcome))?.command ?? null).toBe(command);
    expect(nextLines(reportOf(outcome)).at(-1)?.trim() ?? null).toBe(command);
  });

  it('of a refused run depends on the reason', () => {
    const refused = (name: 'UnknownRunbook' | 'TargetBusy', change: Partial<RunReport> = {}) =>
      nextCommand(reportOf('refused', { failure: failureRecord(name, 'm'), targets: [], ...change }))?.command;
    expect(refused('UnknownRunbook')).toBe('runbook list');
    expect(refused('TargetBusy')).toBe('runbook targets a/b/d');
    expect(refused('TargetBusy', { notStarted: [] })).toBe('runbook show recover');
  });

  it('of a run that touched nothing when it was cancelled is none', () => {
    expect(nextCommand(reportOf('cancelled', { targets: [] }))).toBeNull();
    expect(nextCommand(reportOf('failed', { targets: [] }))?.command).toBe('runbook report incident-1 --json');
  });

  it.each([...OUTCOMES])('after %s exists as a command', (outcome) => {
    expect(complaint('runbook nonsense')).toContain('unknown command');
    for (const change of [{}, { targets: [] }]) {
      const next = nextCommand(reportOf(outcome, change));
      if (next !== null) expect(complaint(next.command)).toBeNull();
    }
  });

  it('quotes what a shell would read differently', () => {
    expect(shellWord('shop/checkout/prod-1')).toBe('shop/checkout/prod-1');
    expect(shellWord('a b; rm -rf *')).toBe("'a b; rm -rf *'");
    expect(shellWord("it's")).toBe(String.raw`'it'\''s'`);
    expect(shellWord('')).toBe("''");
  });
});
