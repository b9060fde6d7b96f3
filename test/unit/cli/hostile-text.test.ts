/** Text of others (callers, the vendor, senders of alarms, authors of calendars) cannot add lines or colours to a terminal. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createColors, type Colors } from '../../../src/cli/colors.js';
import { renderAlarmLog, renderPreviews } from '../../../src/cli/render-alarms.js';
import { eventsBetween } from '../../../src/cli/render-events.js';
import { renderPlan } from '../../../src/cli/render-plan.js';
import { renderReport } from '../../../src/cli/render-report.js';
import { renderRuns } from '../../../src/cli/render-runs.js';
import { renderApplied, renderDifferences, renderList, renderOccurrences } from '../../../src/cli/render-schedules.js';
import { renderTargets } from '../../../src/cli/render-targets.js';
import { messageLines, printableFacts, printablePainted } from '../../../src/cli/terminal-text.js';
import { snapshotOfReport } from '../../../src/client/report-snapshot.js';
import { failureRecord } from '../../../src/domain/failures.js';
import type { Plan } from '../../../src/domain/plan/plan.js';
import type { RunReport } from '../../../src/domain/report/report.js';
import { hasControlCharacters, printableJson } from '../../../src/domain/text/text.js';
import { anObservation, aStep, aStepReport, aTarget, defaultLimits } from '../../support/build.js';
import { renderProgress } from '../../support/live.js';

const ATTACKS = [
  '\u001b[2J\u001b[1;1H\u001b[32mSUCCEEDED',
  'x\nSUCCEEDED  recover: everything was done and verified',
  'x\r\u009b2K',
  '\u202eevil\u2066',
  '\u0007\u0008\u007f',
  'a\u2028b\u0085c\u200bd\ufeff',
  '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007',
];

const gates = [
  {
    ...{ target: '¤', firstLookAtMs: 0, lastLookAtMs: 0, looks: 1, opensAtMs: null },
    failure: 'ChangeFreeze' as const,
    why: '¤',
  },
];
const report: RunReport = {
  ...{ reportVersion: 1, runbook: '¤', workflowId: '¤', runId: 'r', outcome: 'failed', summary: '¤', planHash: 'h' },
  ...{ requestedBy: '¤', reason: '¤', startedAtMs: 0, endedAtMs: 90_000, notStarted: ['¤'], withdrawnBy: '¤', gates },
  failure: { name: 'InvalidPlan', message: 'm', advice: '¤' },
  targets: [
    {
      ...{ path: '¤', instanceId: 'i', leaseId: 'l', outcome: 'failed', notReached: ['¤'], compensations: [] },
      captured: anObservation({ status: '¤', version: '¤' }),
      lastSeen: anObservation({ failDetail: '¤' }),
      remaining: [{ stepId: '¤', action: { action: 'stop' }, why: '¤', kind: 'notUndone' }],
      steps: [
        aStepReport({
          ...{ id: '¤', action: { action: 'rollback', version: '¤' }, result: 'failed', attempts: 2, cloudJobId: '¤' },
          trail: [{ attempt: 1, atMs: 0, decision: 'entered', note: '¤' }],
          failure: failureRecord('CloudJobFailed', 'm'),
        }),
      ],
    },
  ],
};
const plan: Plan = {
  ...{ planVersion: 1, runbook: '¤', title: '¤', requestedBy: null, reason: null, onCancel: 'compensate' },
  ...{ deadlineMs: 1, limits: defaultLimits, dryRun: true, hash: 'h', inputs: { '¤': '¤' } },
  targets: [
    {
      target: aTarget({ path: '¤' }),
      seen: anObservation({ failDetail: '¤' }),
      steps: [aStep({ action: 'stop' }, { note: '¤', compensation: { kind: 'none', reason: '¤' } })],
    },
  ],
  guards: {
    ...{ window: null, freeze: ['¤'], waitAtMostMs: null, unreadable: ['¤'] },
    coming: [{ calendar: '¤', name: '¤', fromMs: 0, toMs: 1 }],
  },
};
const decision = { kind: 'started' as const, why: '¤', runId: '¤', untilMs: null };
const listed = {
  ...{ id: '¤', runbook: '¤', timezone: 'UTC', paused: true, state: 'applied' as const, nextAt: null, note: '¤' },
  ...{ runningRuns: ['¤'], lastRun: { workflowId: '¤' }, skipped: { overlap: 0, late: 0 } },
};
const occurrences = {
  ...{ id: '¤', summary: '¤', paused: false, timezone: 'UTC', warnings: ['¤'], surprises: [], jitterMs: 0, coming: [] },
  problems: [{ code: 'broken', place: '¤', found: '¤', remedy: 'x' }],
};

const listedRun = {
  ...{ workflowId: '¤', runId: '¤', runbook: '¤', targets: ['¤'], status: 'RUNNING', open: true, outcome: null },
  ...{ startedAtMs: 0, endedAtMs: null, requestedBy: '¤', attention: null, left: [{ path: '¤', what: '¤' }] },
};
const runs = { needsYou: [{ ...listedRun, attention: 'paused' }], runs: [listedRun], moreNeedYou: false, more: false };
const seenTarget = {
  ...{ path: '¤', instanceId: '¤', problem: null, newestJob: { beganAtMs: 0, firstTask: '¤' } },
  heldBy: { workflowId: '¤', sinceMs: 0 },
};
const targets = {
  targets: [
    { ...seenTarget, seen: anObservation({ status: '¤', version: '¤', lastJobId: '¤', lastJobStatus: '¤' }) },
    { ...seenTarget, seen: null, problem: '¤' },
  ],
  ...{ leftOut: 0, componentsLeftOut: 0 },
};

/** Each screen as a function of facts, so that the facts can be attacked. */
const SCREENS: Record<string, { facts: unknown; render: (facts: never, colors: Colors) => string }> = {
  report: { facts: report, render: renderReport },
  plan: { facts: plan, render: renderPlan },
  runs: { facts: runs, render: (facts: never, colors) => renderRuns(facts, 0, colors) },
  targets: { facts: targets, render: renderTargets },
  progress: { facts: snapshotOfReport(report), render: (facts: never, colors) => renderProgress(facts, 0, colors) },
  events: { facts: snapshotOfReport(report), render: (facts: never) => eventsBetween(null, facts).join('\n') },
  previews: {
    facts: [{ alarm: '¤', status: '¤', rule: '¤', start: null, why: '¤', passedOver: [{ rule: '¤', unmet: ['¤'] }] }],
    render: renderPreviews,
  },
  alarms: {
    facts: [{ decidedAtMs: 0, rule: '¤', target: '¤', decision, alarm: { name: '¤', status: '¤' } }],
    render: renderAlarmLog,
  },
  schedules: { facts: [listed], render: renderList },
  occurrences: { facts: occurrences, render: renderOccurrences },
  applied: { facts: [{ id: '¤', result: 'failed', error: { kind: '¤', message: 'm' } }], render: renderApplied },
  differences: {
    facts: [
      {
        ...{ id: '¤', name: '¤', status: 'changed-by-hand', paused: false, desired: null, reason: '¤' },
        ...{ changes: [{ path: '¤', from: '¤', to: '¤' }], byHand: [] },
      },
    ],
    render: renderDifferences,
  },
};

function withAttack(facts: unknown, attack: string): never {
  return JSON.parse(JSON.stringify(facts).replaceAll('¤', JSON.stringify(attack).slice(1, -1))) as never;
}

describe('a screen', () => {
  const hostile = fc.oneof(fc.constantFrom(...ATTACKS), fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }));

  it.each(Object.keys(SCREENS))(
    'of %s has the lines it has for harmless words, and shows control characters',
    (name) => {
      const { facts, render } = SCREENS[name] ?? { facts: null, render: () => '' };
      const linesOf = (words: string) => render(withAttack(facts, words), createColors(false)).split('\n');
      const { length } = linesOf('harmless');
      fc.assert(
        fc.property(hostile, (attack) => {
          const lines = linesOf(attack);
          expect(lines).toHaveLength(length);
          expect(lines.filter(hasControlCharacters)).toEqual([]);
        }),
        { numRuns: 60, examples: ATTACKS.map((attack) => [attack]) },
      );
    },
  );

  it('has its own colours, and no foreign ones', () => {
    const text = renderReport(withAttack(report, ATTACKS[0] ?? ''), createColors(true));
    expect(printablePainted(text)).toBe(text);
    expect(text).not.toContain('\u001b[2J');
    expect(text).toContain(String.raw`\u001b[2J`);
  });

  it('keeps the lines of a message, each indented so that none looks like one of ours', () => {
    const message = 'recover cannot be planned:\n- targets: there is none\nSUCCEEDED  recover';
    const failed = { ...report, failure: failureRecord('InvalidPlan', message) };
    const lines = renderReport(failed, createColors(false)).split('\n');
    expect(lines).toContain('    - targets: there is none');
    expect(lines).toContain('    SUCCEEDED  recover');
    expect(messageLines(printableFacts({ message: 'a\u001b\nb' }).message)).toEqual([String.raw`a\u001b`, '    b']);
  });
});

describe('JSON', () => {
  it('keeps its meaning, and contains nothing that a terminal interprets', () => {
    const texts = fc.array(fc.oneof(fc.constantFrom(...ATTACKS), fc.string({ unit: 'binary' })));
    fc.assert(
      fc.property(texts, (given) => {
        const json = printableJson(JSON.stringify({ given }, null, 2));
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ given })));
        expect(json).not.toMatch(new RegExp(String.raw`[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]`, 'u'));
      }),
    );
  });
});

it('every line of src that writes to a stream makes it printable', () => {
  const src = fileURLToPath(new URL('../../../src', import.meta.url));
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const writes = files.flatMap((file) =>
    readFileSync(`${src}/${file}`, 'utf8')
      .split('\n')
      .filter((line) => /std(out|err)\.write|console\.\w+\(|pino\(/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(writes.length).toBeGreaterThan(5);
  expect(writes.filter((line) => !line.includes('printable'))).toEqual([]);
});
