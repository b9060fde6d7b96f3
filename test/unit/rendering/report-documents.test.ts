/** A report as Markdown and as one HTML file: the place of each part, the scale, and no text of others as markup. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureRecord, FAILURES } from '../../../src/domain/failures.js';
import type { RunReport, TargetReport } from '../../../src/domain/report/report.js';
import { hasControlCharacters } from '../../../src/domain/text/text.js';
import { reportHtml } from '../../../src/rendering/report-html.js';
import { reportMarkdown } from '../../../src/rendering/report-markdown.js';
import { anObservation, aStepReport } from '../../support/build.js';
import { anyRunReport } from '../../support/large-reports.js';

const down = anObservation({ status: 'DOWN', availableReplicaCount: 0, observedAtMs: 60_000 });

const target: TargetReport = {
  ...{ path: 'shop/checkout/prod-1', instanceId: 'i', leaseId: 'l', outcome: 'failed', compensations: [] },
  captured: anObservation(),
  lastSeen: down,
  notReached: ['verify'],
  remaining: [
    { stepId: 'rollback', action: { action: 'rollback', version: '1' }, why: "it can't", kind: 'irreversible' },
  ],
  steps: [
    aStepReport({
      endedAtMs: 21_000,
      trail: [
        { attempt: 1, atMs: 1_500, decision: 'entered' },
        { attempt: 1, atMs: 3_000, decision: 'accepted', note: 'JOB-1' },
      ],
    }),
    aStepReport({ id: 'wait', action: null, cloudJobId: null, startedAtMs: 21_000, endedAtMs: 31_000, after: null }),
    aStepReport({
      ...{ id: 'start', action: { action: 'start' }, result: 'failed', startedAtMs: 31_000, endedAtMs: 61_000 },
      ...{ attempts: 2, after: down, sent: 'unknown' },
      trail: [{ attempt: 2, atMs: 40_000, decision: 'leftNoTrace' }],
      failure: failureRecord('NotConverged', 'saw DOWN 0/2\n- of <two>'),
    }),
  ],
};
const report: RunReport = {
  ...{ reportVersion: 1, runbook: 'recover', workflowId: 'incident-1', runId: 'r', outcome: 'failed', summary: 's' },
  ...{ planHash: '0123456789abcdef99', requestedBy: 'alice', reason: 'disk | full', startedAtMs: 0, endedAtMs: 90_000 },
  gates: [
    {
      ...{ target: 'shop/checkout/prod-1', firstLookAtMs: 100, lastLookAtMs: 900, looks: 2, opensAtMs: null },
      ...{ failure: 'ChangeFreeze', why: 'frozen' },
    },
  ],
  targets: [target],
  notStarted: ['shop/checkout/prod-2'],
};

const lateReport: RunReport = {
  ...report,
  targets: [
    {
      ...target,
      steps: [
        aStepReport({ endedAtMs: 21_000, usual: { p50Ms: 60_000, p90Ms: 60_000, jobs: 0 } }),
        aStepReport({ endedAtMs: 51_000, usual: { p50Ms: 12_000, p90Ms: 20_000, jobs: 41 }, notHeld: true }),
      ],
    },
  ],
};

describe('a report as Markdown', () => {
  it('has the outcome, the facts, the steps, what remains, and the next command', () => {
    expect(reportMarkdown(report).split('\n')).toEqual([
      '## recover: failed',
      '',
      '**FAILED**: a step failed; see what remains',
      '',
      '| what | value |',
      '| --- | --- |',
      '| run | incident-1 |',
      '| time | 1970-01-01T00:00:00Z to 1970-01-01T00:01:30Z, 1m 30s |',
      '| requested by | alice |',
      String.raw`| reason | \`disk \| full\` |`.replaceAll('\\`', '`'),
      '| plan | 0123456789abcdef |',
      '',
      '### Gates',
      '',
      '- shop/checkout/prod-1: **ChangeFreeze**, 1970-01-01T00:00:00Z to 1970-01-01T00:00:00Z, checked 2 times: frozen',
      '',
      '### shop/checkout/prod-1: failed',
      '',
      '| step | result | began (UTC) | took | cloud job | seen |',
      '| --- | --- | --- | --- | --- | --- |',
      '| stop | succeeded | 1970-01-01T00:00:01Z | 20s | JOB-1 | RUNNING 2/2, version 1.4.1 → STOPPED 2/2, version 1.4.1 |',
      '| wait | succeeded | 1970-01-01T00:00:21Z | 10s |  |  |',
      '| start | failed, not known whether ServiceStage acted | 1970-01-01T00:00:31Z | 30s | JOB-1 | RUNNING 2/2, version 1.4.1 → DOWN 0/2, version 1.4.1 |',
      '',
      '- before: RUNNING 2/2, version 1.4.1',
      '- now: DOWN 0/2, version 1.4.1',
      '- not reached: verify',
      "- **remains**: rollback: irreversible, it can't",
      '',
      '**start**',
      '',
      '> **NotConverged**: saw DOWN 0/2  ',
      '> `- of <two>`  ',
      '>',
      `> → ${FAILURES.NotConverged.advice}`,
      '',
      'Attempts of start:',
      '',
      '- attempt 2, 1970-01-01T00:00:40Z: leftNoTrace',
      '',
      '### Not started',
      '',
      '- shop/checkout/prod-2',
      '',
      'Next: see the state now, and what a new run would do from the failed step on:',
      '',
      '```sh',
      'runbook resume incident-1 --plan',
      '```',
      '',
    ]);
  });

  it('shows how long a step usually takes, that it was late, and that the last state was not held', () => {
    expect(reportMarkdown(lateReport)).toContain('| 50s, usually 12s: unusually late |');
    expect(reportMarkdown(lateReport)).toContain('| 20s, about 1m declared |');
    expect(reportMarkdown(lateReport)).toContain(
      '- **not held**: the state was reached, and no step waited to see it hold',
    );
  });

  it('lets no text add a line, a link, an image or HTML', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ATTACKS), (attack) => {
        const text = reportMarkdown(attacked(attack));
        const lines = text.split('\n');
        expect(lines).toHaveLength(reportMarkdown(attacked('harmless')).split('\n').length);
        const outsideCode = text.replaceAll(/```[^`]*```/g, '').replaceAll(/`[^`\n]*`/g, '');
        expect(outsideCode).not.toMatch(/(?<!\\)<|(?<!\\)\]\(|https?:/);
        expect(lines.filter(hasControlCharacters)).toEqual([]);
      }),
    );
  });
});

const ATTACKS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  '</title></style></svg><script>',
  '[x](https://evil.example) ![x](https://evil.example)',
  '`</code><b>`',
  'x\n# SUCCEEDED',
  '\u202eevil\u2066\u001b[2J',
  '&lt;b&gt; &#x3c;script&#x3e;',
  'javascript:alert(1)',
];

/** The report with the attack in every text of others. */
function attacked(attack: string): RunReport {
  const seen = anObservation({ status: attack, version: attack, failDetail: attack });
  const failure = { ...failureRecord('CloudJobFailed', attack.replaceAll('\n', ' ')), advice: attack };
  const step = aStepReport({
    ...{ id: attack, action: { action: 'rollback', version: attack }, result: 'failed', attempts: 2 },
    ...{ cloudJobId: attack, before: seen, after: seen, failure },
    trail: [{ attempt: 1, atMs: 1_200, decision: 'accepted', note: attack }],
  });
  return {
    ...report,
    ...{ runbook: attack, workflowId: attack, requestedBy: attack, reason: attack, withdrawnBy: attack, failure },
    planHash: attack,
    gates: [{ ...report.gates![0]!, target: attack, why: attack }],
    notStarted: [attack],
    targets: [
      {
        ...{ ...target, path: attack, captured: seen, lastSeen: seen, notReached: [attack], failure },
        ...{ steps: [step, { ...step, action: null }], compensations: [step] },
        remaining: [{ stepId: attack, action: { action: 'stop' }, why: attack, kind: 'notUndone' }],
      },
    ],
  };
}

/** Every tag that the page may have. */
const TAGS = new Set(
  [
    'html',
    'head',
    'meta',
    'title',
    'style',
    'body',
    'h1',
    'h2',
    'h3',
    'p',
    'span',
    'strong',
    'code',
    'dl',
    'dt',
  ].concat([
    'dd',
    'div',
    'table',
    'tr',
    'th',
    'td',
    'ul',
    'li',
    'details',
    'summary',
    'svg',
    'rect',
    'line',
    'circle',
    'text',
  ]),
);

/** The tags of a page, without attributes. */
function tagsOf(html: string): string[] {
  return [...html.matchAll(/<\/?([^\s>]*)/g)].map(([, name = '']) => name).filter((name) => name !== '!doctype');
}

/** The page without its style sheet: all that a report can influence. */
function bodyOf(html: string): string {
  return html.replace(/<style>[\s\S]*?<\/style>/, '');
}

describe('a report as HTML', () => {
  it('is one file: no script, and nothing from a network', () => {
    const html = reportHtml(report);
    expect(html).toMatch(/^<!doctype html>\n/);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(|https?:|\bsrc=|\bhref=|\bon\w+=/i);
  });

  it('shows the outcome, what remains, and the next command', () => {
    const html = reportHtml(report);
    for (const part of [
      '<h1>recover <span class="badge bad">failed</span></h1>',
      '<dt>reason</dt><dd>disk | full</dd>',
      '<dt>remains</dt><dd>rollback: irreversible, it can&#39;t</dd>',
      'saw DOWN 0/2\n- of &lt;two&gt;',
      '<code>runbook resume incident-1 --plan</code>',
      '✗ failed; it is not known whether ServiceStage acted',
      '<li>shop/checkout/prod-2</li>',
    ])
      expect(html).toContain(part);
  });

  it('shows how long a step usually takes, that it was late, and that the last state was not held', () => {
    const html = reportHtml(lateReport);
    expect(html).toContain('<td class="time">50s, usually 12s: unusually late</td>');
    expect(html).toContain('<td class="time">20s, about 1m declared</td>');
    expect(html).toContain('<dt>not held</dt><dd>the state was reached, and no step waited to see it hold</dd>');
  });

  it('draws steps to scale, and their cloud jobs within them', () => {
    const html = reportHtml(report);
    const widthOf = (kind: string, title: string) =>
      Number(new RegExp(`<rect class="${kind}[^>]* width="([\\d.]+)"[^>]*><title>${title}`).exec(html)?.[1]);
    // 20 s, 10 s and 30 s.
    expect(widthOf('step', 'stop:') / widthOf('wait', 'wait:')).toBeCloseTo(2, 1);
    expect(widthOf('step', 'start:') / widthOf('wait', 'wait:')).toBeCloseTo(3, 1);
    // Accepted 2 s after the step began.
    expect(widthOf('cloudJob', 'cloud job JOB-1') / widthOf('step', 'stop:')).toBeCloseTo(0.9, 1);
    expect(html.match(/class="reading"/g)).toHaveLength(3);
    expect(html.match(/class="attempt"/g)).toHaveLength(3);
  });

  it('has round times on its axis, with dates if it is longer than a day', () => {
    const timesOf = (endedAtMs: number) => {
      const long = { ...target, steps: [aStepReport({ startedAtMs: 1_000, endedAtMs, after: null })], captured: null };
      const html = reportHtml({ ...report, targets: [long], gates: [] });
      return [...html.matchAll(/<text class="time"[^>]*>([^<]*)</g)].map(([, time]) => time);
    };
    expect(timesOf(21_000)).toEqual(['00:00:05', '00:00:10', '00:00:15', '00:00:20']);
    expect(timesOf(3_601_000)).toEqual(['00:10:00', '00:20:00', '00:30:00', '00:40:00', '00:50:00', '01:00:00']);
    expect(timesOf(2 * 86_400_000)).toEqual(['01-01 12:00', '01-02 00:00', '01-02 12:00', '01-03 00:00']);
  });

  it.each(ATTACKS)('shows %j as text wherever others wrote it', (attack) => {
    const html = reportHtml(attacked(attack));
    expect(tagsOf(html).filter((tag) => !TAGS.has(tag))).toEqual([]);
    expect(tagsOf(bodyOf(html))).toEqual(tagsOf(bodyOf(reportHtml(attacked('harmless')))));
    // Every attribute is one of ours, in double quotes.
    expect(
      bodyOf(html).replaceAll(/<[a-z1-3]+(?: [a-zA-Z0-9-]+="[^"<>]*")*\/?>|<\/[a-z1-3]+>|<!doctype html>/g, ''),
    ).not.toMatch(/[<>]/);
  });

  it('is well-formed for every report, however strange', () => {
    fc.assert(
      fc.property(anyRunReport(3, 3), (strange) => {
        const html = reportHtml(strange);
        expect(tagsOf(html).filter((tag) => !TAGS.has(tag))).toEqual([]);
        expect(html).not.toMatch(/NaN|Infinity|undefined|\[object/);
        expect(html.split('\n').filter((line) => hasControlCharacters(line))).toEqual([]);
        expect(reportMarkdown(strange)).not.toMatch(/NaN|undefined|\[object/);
      }),
      { numRuns: 60 },
    );
  });
});
