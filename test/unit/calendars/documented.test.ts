/** The examples of docs/runbook-reference.md, first-runbook.md and calendars.md are valid. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readStartArguments } from '../../../src/domain/plan/start-arguments.js';
import { icsFreezes } from '../../../src/calendars/ics-file.js';
import { listFreezes } from '../../../src/calendars/list-file.js';
import { parseRunbook } from '../../../src/runbooks/catalogue.js';

const text = ['runbook-reference', 'first-runbook', 'calendars']
  .map((page) => readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8'))
  .join('\n');
const blocks = (language: string) =>
  [...text.matchAll(/^```(.*)\n([\s\S]*?)^```/gm)]
    .filter(([, kind]) => kind === language)
    .map(([, , body = '']) => body);

describe('the reference', () => {
  it.each(blocks('yaml'))('shows a runbook that loads: %s', (body) => {
    const name = /^name: (.*)$/m.exec(body)?.[1]?.replace(/ .*/, '') ?? '';
    expect(parseRunbook(body, `${name}.yaml`)).toMatchObject({ name });
  });

  it('shows a list of freezes that is read', () => {
    const found = blocks('yaml calendar').map((body) => listFreezes(body, 'prod-freeze.yaml', 'prod-freeze'));
    expect(found).toMatchObject([{ problems: [], freezes: [{ name: 'Year end' }, { name: 'Release 12' }] }]);
  });

  it('shows an iCalendar file that is read', async () => {
    const [body = ''] = blocks('ics');
    const [from, to] = [Date.parse('2026-12-18T00:00:00Z'), Date.parse('2026-12-26T00:00:00Z')];
    const { freezes, problems } = icsFreezes(body, 'prod-freeze', from, to);
    expect(problems).toEqual([]);
    expect(freezes.map(({ fromMs, toMs }) => [fromMs, toMs].map((ms) => new Date(ms).toISOString()))).toEqual([
      ['2026-12-19T23:00:00.000Z', '2027-01-01T23:00:00.000Z'],
      ['2026-12-18T17:00:00.000Z', '2026-12-18T23:00:00.000Z'],
      ['2026-12-25T17:00:00.000Z', '2026-12-25T23:00:00.000Z'],
    ]);
  });

  it('shows start arguments that are accepted', () => {
    const found = blocks('json').map((body) => readStartArguments(JSON.parse(body)).problems);
    expect(found).toEqual([[]]);
  });
});
