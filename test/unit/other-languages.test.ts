/** The programs in docs/other-languages.md use the names that runs answer to. The programs themselves were run by hand. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { listRunbooks } from '../../src/runbooks/catalogue.js';
import {
  DEFAULT_TASK_QUEUE,
  PROGRESS_QUERY,
  REPORT_MEMO,
  SEARCH_ATTRIBUTES,
  type StartArguments,
} from '../../src/domain/contract.js';
import { isFailureName } from '../../src/domain/failures.js';
import { OUTCOMES } from '../../src/domain/report/report.js';
import { codeBlocksOf } from '../support/code-blocks.js';

const document = readFileSync(fileURLToPath(new URL('../../docs/other-languages.md', import.meta.url)), 'utf8');
const [python = ''] = codeBlocksOf(document, 'python');
const [go = ''] = codeBlocksOf(document, 'go');
/** A gap or a new key does not compile. */
const START_KEYS: Record<keyof StartArguments, true> = {
  targets: true,
  inputs: true,
  requestedBy: true,
  reason: true,
  dryRun: true,
  window: true,
  freeze: true,
  waitAtMost: true,
  resumes: true,
};

describe.each([
  ['Python', python, /await start\(client, "([\w-]+)"/g, /\b(targets|inputs|requestedBy|reason|dryRun)["=]/g],
  ['Go', go, /start\(ctx, c, "([\w-]+)"/g, /json:"(targets|inputs|requestedBy|reason)/g],
])('the program in %s', (_language, code, starts, keys) => {
  it('starts runbooks of the catalogue on the default task queue', async () => {
    const known = (await listRunbooks([])).runbooks.map(({ name }) => name);
    const started = [...code.matchAll(starts)].map(([, name]) => name);
    expect(started.length).toBeGreaterThan(2);
    for (const name of started) expect(known).toContain(name);
    expect(code).toContain(`"${DEFAULT_TASK_QUEUE}"`);
    expect([...code.matchAll(keys)].length).toBeGreaterThan(2);
  });

  it('uses the names that runs answer to', () => {
    expect(code).toMatch(new RegExp(`[qQ]uery.*"${PROGRESS_QUERY}"`));
    expect(code).toMatch(new RegExp(`(memo.*|\\)\\))\\["${REPORT_MEMO}"\\]`));
    expect(code).toMatch(/REJECT_DUPLICATE[\s\S]*USE_EXISTING/);
  });
});

describe('the table of names', () => {
  it('has every key, search attribute, and the names of the contract', () => {
    for (const name of [...Object.keys(START_KEYS), ...SEARCH_ATTRIBUTES.map(({ name }) => name)])
      expect(document).toContain(`\`${name}\``);
    expect(document).toContain(`the memo \`${REPORT_MEMO}\``);
  });

  it('shows only outcomes and failures that exist', () => {
    const [pythonPrints = '', goPrints = ''] = codeBlocksOf(document, 'text');
    for (const printed of [pythonPrints, goPrints]) {
      const [, outcome, failure] = /^(\w+) ([A-Z]\w+)$/m.exec(printed) ?? [];
      expect(OUTCOMES).toContain(outcome);
      expect(isFailureName(failure)).toBe(true);
    }
  });
});
