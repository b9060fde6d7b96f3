/** The programs in docs/nexus.md use the names of the service. The one in Python was run by hand. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../../src/domain/report/report.js';
import { isFailureName } from '../../../src/domain/failures.js';
import { readStartRun } from '../../../src/nexus/read-input.js';
import { runbooksService } from '../../../src/nexus/service.js';
import { listRunbooks } from '../../../src/runbooks/catalogue.js';
import * as errors from '../../../src/temporal/errors.js';
import { codeBlocksOf } from '../../support/code-blocks.js';

const document = readFileSync(fileURLToPath(new URL('../../../docs/nexus.md', import.meta.url)), 'utf8');
const [python = ''] = codeBlocksOf(document, 'python');
const [printed = ''] = codeBlocksOf(document, 'text');

describe('docs/nexus.md', () => {
  it('calls the service and its operations by their names, in Python', () => {
    expect(python).toContain(`@nexusrpc.service(name="${runbooksService.name}")`);
    const named = [...python.matchAll(/nexusrpc\.Operation\(name="(\w+)"\)/g)].map(([, name]) => name);
    expect(named).toEqual(Object.values(runbooksService.operations).map(({ name }) => name));
  });

  it('starts runbooks of the catalogue', async () => {
    const known = (await listRunbooks([])).runbooks.map(({ name }) => name);
    const started = [...document.matchAll(/runbook(?:=|: )["'](\w+)["']/g)].map(([, name]) => name);
    expect(started.length).toBeGreaterThan(3);
    for (const name of started) expect(known).toContain(name);
  });

  it('shows outcomes, failures and refusals that exist', () => {
    const [, outcome, failure] = /^(\w+) ([A-Z]\w+)$/m.exec(printed) ?? [];
    expect(OUTCOMES).toContain(outcome);
    expect(isFailureName(failure)).toBe(true);
    const refused = { runbook: 'restart', targets: [], dryRun: true };
    const problems = printed.split('\n').filter((line) => line.startsWith('- '));
    expect(problems).toHaveLength(2);
    for (const line of problems) expect(() => readStartRun(refused, 'a-request')).toThrow(line);
  });

  it('names each error by which callers distinguish refusals', () => {
    const [, table = ''] = document.split('## Errors before there is a run');
    const causes = [...(table.split('What only planning')[0] ?? '').matchAll(/^\|[^|]+\|([^|]+)\|/gm)].flatMap(
      ([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );
    expect(causes.length).toBeGreaterThan(3);
    for (const name of causes) expect(Object.keys(errors)).toContain(name);
  });
});
