/** The module that callers import: its names are a contract, and workflow code must be able to load it. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure, CancelledFailure, NexusOperationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { reportInFailure, runbooksService } from '../../../src/nexus/service.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The modules and packages that a module of src loads when it runs: imports of types alone are not among them. */
function loadedBy(path: string, loaded = new Set<string>()): Set<string> {
  loaded.add(relative(root, path));
  for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(
    /^(?:import|export) (?!type\b)[^;]*?from '([^']+)'/gms,
  ))
    if (!name.startsWith('.')) loaded.add(name);
    else if (!loaded.has(relative(root, join(dirname(path), name.replace(/\.js$/, '.ts')))))
      loadedBy(join(dirname(path), name.replace(/\.js$/, '.ts')), loaded);
  return loaded;
}

describe('the service', () => {
  it('has the names by which callers of other languages call it', () => {
    expect(runbooksService.name).toBe('servicestage-runbooks');
    expect(Object.values(runbooksService.operations).map(({ name }) => name)).toEqual(['startRun', 'runStatus']);
  });

  it('loads nothing that workflow code cannot: no client, no native code, no zod', () => {
    expect([...loadedBy(join(root, 'src/nexus/service.ts'))].sort()).toEqual([
      'nexus-rpc',
      'src/domain/report/find-report.ts',
      'src/nexus/service.ts',
    ]);
  });
});

describe('reportInFailure', () => {
  const report = { reportVersion: 1, outcome: 'failed' };
  const failureOf = (cause: Error) =>
    new NexusOperationFailure('it failed', 5, 'runbooks', runbooksService.name, 'startRun', 'token', cause);
  const ended = ApplicationFailure.create({ type: 'failed', message: 'step 1 failed', details: [report] });

  it('finds the report of a run that failed while the operation waited, or before it began', () => {
    const before = ApplicationFailure.create({ type: 'OperationError', message: 'step 1 failed', cause: ended });
    for (const cause of [ended, before]) expect(reportInFailure(failureOf(cause))).toEqual(report);
  });

  it('finds none where there was no run, or it was cancelled', () => {
    expect(reportInFailure(failureOf(new CancelledFailure('cancelled')))).toBeNull();
    expect(reportInFailure(new Error('no endpoint'))).toBeNull();
  });
});
