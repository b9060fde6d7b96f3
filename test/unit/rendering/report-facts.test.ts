/** Every fact of a report is in each of its formats: a key without its words here does not compile, and a format without them fails. */
import { describe, expect, it } from 'vitest';
import { createColors } from '../../../src/cli/colors.js';
import { renderReport } from '../../../src/cli/render-report.js';
import { failureRecord } from '../../../src/domain/failures.js';
import type { CommandRecord, RunReport, StepReport, TargetReport } from '../../../src/domain/report/report.js';
import { describeTime } from '../../../src/domain/time/utc-time.js';
import { DOCUMENT_FORMATS } from '../../../src/rendering/report-formats.js';
import { anObservation, aStepReport } from '../../support/build.js';

const failed = (message: string) => failureRecord('CloudJobFailed', message);
const command = (change: Partial<CommandRecord>): CommandRecord => ({
  ...{ command: 'pause', actor: 'ann', reason: 'slow database', atMs: 5_000 },
  ...change,
});
const seen = (version: string) => anObservation({ version });

const action: StepReport = aStepReport({
  ...{ id: 'rolled', action: { action: 'rollback', version: 'v-asked' }, result: 'failed', sent: 'unknown' },
  ...{
    cloudJobId: 'JOB-17',
    startedAtMs: 60_000,
    endedAtMs: 105_000,
    before: seen('v-before'),
    after: seen('v-after'),
  },
  ...{ attempts: 2, usual: { p50Ms: 12_000, p90Ms: 20_000, jobs: 41 }, notHeld: true },
  trail: [{ attempt: 1, atMs: 61_000, decision: 'accepted', note: 'noted-by-attempt' }],
  evidence: {
    ...{ cloudJobId: 'JOB-17', instanceId: 'i', jobType: null, createdBy: 'us', createdByUs: true },
    ...{ firstTaskAtMs: 62_000, scheduledAtMs: 60_000 },
  },
  failure: failed('message of the step'),
  decisions: [
    command({
      ...{ command: 'retryStep', actor: 'bob', reason: 'reason of the retry', atMs: 90_000, found: 'v-found' },
      was: {
        ...{ result: 'indeterminate', sent: 'unknown', cloudJobId: 'JOB-16', endedAtMs: 80_000 },
        failure: failed('message of the first end'),
        trail: [{ attempt: 1, atMs: 71_000, decision: 'unanswered', note: 'noted-before-the-retry' }],
      },
    }),
  ],
});
const retried: StepReport = aStepReport({
  ...{ id: 'restart', action: { action: 'restart' }, sent: 'yes', cloudJobId: 'JOB-19', attempts: 2 },
  trail: [{ attempt: 1, atMs: 91_000, decision: 'accepted' }],
  decisions: [
    command({
      ...{ command: 'retryStep', actor: 'bob', atMs: 90_000 },
      was: { result: 'indeterminate', sent: 'unknown', cloudJobId: null, endedAtMs: 80_000 },
    }),
  ],
});
const asked: StepReport = aStepReport({
  ...{ id: 'asked', action: null, sent: 'no', cloudJobId: null, before: null, after: null },
  approval: {
    ...{ result: 'approved', need: 2, roles: ['sre-lead'], notRequester: true, askedAtMs: 1_000, endedAtMs: 3_000 },
    votes: [
      { command: 'approve', actor: 'cyd', reason: 'seen', atMs: 2_000 },
      { command: 'approve', actor: 'dan', reason: 'seen', atMs: 3_000 },
    ],
  },
});
const checked: StepReport = aStepReport({
  ...{ id: 'checked', action: null, result: 'failed', sent: 'no', cloudJobId: null, before: null, after: null },
  check: {
    ...{ url: 'https://shop.example.com/health', status: 503, address: '192.0.2.7', headers: {}, requests: 7 },
    ...{ body: 'body of the answer', unmet: ['status is 503, not 200'], heldMs: 0, atMs: 9_000 },
  },
});

const target: TargetReport = {
  ...{ path: 'shop/checkout/prod-1', instanceId: 'i', leaseId: 'l', outcome: 'failed', childRunId: 'c', cut: 'trails' },
  ...{ captured: seen('v-captured'), lastSeen: seen('v-last'), notReached: ['never-reached'] },
  checksLeftOut: ['check-that-was-left-out'],
  steps: [action, asked, checked],
  compensations: [aStepReport({ id: 'undo-of-it', action: { action: 'start' }, cloudJobId: 'JOB-18' })],
  remaining: [{ stepId: 'stays', action: { action: 'stop' }, why: 'why it remains', kind: 'irreversible' }],
  failure: failed('message of the target'),
};
const report: RunReport = {
  ...{ reportVersion: 1, runbook: 'recover', workflowId: 'incident-1', runId: 'r', outcome: 'failed', summary: 's' },
  ...{
    planHash: '0123456789abcdef99',
    requestedBy: 'alice',
    reason: 'disk is full',
    withdrawnBy: 'rule-that-withdrew',
  },
  ...{ startedAtMs: 1_000, endedAtMs: 3_601_000, resumes: { workflowId: 'incident-0', runId: 'r0' } },
  commands: [
    command({}),
    command({
      ...{ command: 'approve', actor: 'eve', reason: 'plan is fine', atMs: 6_000, step: 'asked', target: target.path },
      ...{ signedBy: 'issuer-of-tokens', roles: ['role-of-eve'] },
    }),
  ],
  approval: {
    ...{ result: 'rejected', need: 3, roles: [], notRequester: false, askedAtMs: 1_000, endedAtMs: 4_000 },
    votes: [{ command: 'reject', actor: 'fay', reason: 'no', atMs: 4_000 }],
  },
  gates: [
    {
      ...{ target: target.path, firstLookAtMs: 11_000, lastLookAtMs: 19_000, looks: 5, opensAtMs: null },
      ...{ failure: 'ChangeFreeze', why: 'frozen for the sale' },
    },
  ],
  notifications: [
    { event: 'waiting', webhook: 'ops-chat', result: 'refused', atMs: 7_000, detail: 'answered 410' },
    { event: 'failed', webhook: 'on-call', result: 'delivered', atMs: 8_000 },
  ],
  failure: failed('message of the run'),
  targets: [target],
  notStarted: ['shop/checkout/prod-2'],
  cut: { targets: 1, gates: 0, dropped: 0 },
};

/** Words of a fact, or why people need none. */
type Words = readonly string[] | { readonly notShown: string };
const time = describeTime;

const RUN: Readonly<Record<keyof Required<RunReport>, Words>> = {
  reportVersion: { notShown: 'for programs' },
  runbook: ['recover'],
  workflowId: ['incident-1'],
  runId: { notShown: 'the workflow id finds it' },
  outcome: ['failed'],
  summary: { notShown: 'each format begins with a sentence of its own' },
  planHash: ['0123456789abcdef'],
  requestedBy: ['alice'],
  reason: ['disk is full'],
  startedAtMs: [time(1_000)],
  endedAtMs: [time(3_601_000), '1h'],
  targets: ['shop/checkout/prod-1'],
  notStarted: ['shop/checkout/prod-2'],
  gates: ['ChangeFreeze', 'frozen for the sale', time(11_000), time(19_000), 'checked 5 times'],
  withdrawnBy: ['rule-that-withdrew'],
  commands: [
    `pause by ann at ${time(5_000)}: slow database`,
    'approve of step asked of shop/checkout/prod-1 by eve (signed, issuer-of-tokens, as role-of-eve)',
  ],
  approval: [`approval: rejected at ${time(4_000)}, by fay, 3 needed`],
  notifications: ['ops-chat was not notified of waiting (refused: answered 410)'],
  resumes: ['incident-0'],
  failure: ['CloudJobFailed', 'message of the run'],
  cut: ['left out'],
};
const TARGET: Readonly<Record<keyof Required<TargetReport>, Words>> = {
  path: ['shop/checkout/prod-1'],
  instanceId: { notShown: 'the path names it' },
  leaseId: { notShown: 'for programs' },
  childRunId: { notShown: 'for programs' },
  outcome: ['failed'],
  steps: ['asked', 'checked: GET https://shop.example.com/health'],
  notReached: ['never-reached'],
  checksLeftOut: ['checks left out', 'check-that-was-left-out: no URL was given'],
  compensations: ['undo: start', 'JOB-18'],
  remaining: ['stays', 'irreversible', 'why it remains'],
  captured: ['v-captured'],
  lastSeen: ['v-last'],
  failure: ['message of the target'],
  cut: ['left out'],
};
const STEP: Readonly<Record<keyof Required<StepReport>, Words>> = {
  id: ['asked'],
  action: ['rollback version=v-asked'],
  result: ['failed'],
  sent: ['not known whether ServiceStage acted'],
  cloudJobId: ['JOB-17'],
  cloudJobTook: { notShown: 'for later runs, which learn from it' },
  startedAtMs: [time(60_000)],
  endedAtMs: ['45s'],
  before: ['v-before'],
  after: ['v-after'],
  attempts: ['attempt 1'],
  trail: [`attempt 1, ${time(61_000)}: accepted (noted-by-attempt)`],
  notHeld: { notShown: 'an undo followed here; report-documents.test.ts has a target whose last action was not held' },
  evidence: [`adopted: its first task started at ${time(62_000)}, requested by our own user`],
  check: ['503 from 192.0.2.7, 7 requests', 'body of the answer'],
  usual: ['usually 12s: unusually late'],
  failure: ['message of the step'],
  decisions: [
    `retryStep by bob at ${time(90_000)}: reason of the retry`,
    `it had ended indeterminate at ${time(80_000)} (not known whether ServiceStage had acted) with CloudJobFailed: message of the first end, cloud job JOB-16`,
    'found: v-found',
    `attempt 1, ${time(71_000)}: unanswered (noted-before-the-retry)`,
    `${time(90_000)}: retry-step of bob`,
  ],
  approval: [`approval: approved at ${time(3_000)}, by cyd and dan, 2 needed`],
};

/** As a person reads it: escapes are undone. */
const FORMATS: Readonly<Record<string, (report: RunReport) => string>> = {
  text: (given) => renderReport(given, createColors(false)),
  markdown: (given) =>
    DOCUMENT_FORMATS.markdown(given)
      .replaceAll(/\\([^\w\s])/g, '$1')
      .replaceAll('`', ''),
  html: (given) =>
    DOCUMENT_FORMATS.html(given).replaceAll('&#39;', "'").replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
};

describe.each(Object.entries(FORMATS))('a report as %s', (_format, render) => {
  const rendered = render(report);
  it.each([
    ['the run', RUN],
    ['a target', TARGET],
    ['a step', STEP],
  ])('has every fact of %s', (_what, facts) => {
    const missing = Object.entries(facts).flatMap(([key, words]: [string, Words]) =>
      'notShown' in words ? [] : words.filter((word) => !rendered.includes(word)).map((word) => `${key}: ${word}`),
    );
    expect(missing).toEqual([]);
  });

  it('warns that a restart may have been carried out twice, and only then', () => {
    const warning = 'may have been carried out twice: the first send was not answered';
    const isWarned = (change: Partial<StepReport>) =>
      render({ ...report, targets: [{ ...target, steps: [{ ...retried, ...change }] }] }).includes(warning);
    const [first] = retried.decisions ?? [];
    if (first?.was === undefined) throw new Error('there is a decision');
    const sent = { ...first, was: { ...first.was, sent: 'yes' as const } };
    const trailOf = (decision: 'entered' | 'refused' | 'unanswered') => [
      { attempt: 1, atMs: 91_000, decision: 'sent' as const },
      { attempt: 1, atMs: 92_000, decision },
    ];
    expect(isWarned({})).toBe(true);
    expect(isWarned({ sent: 'unknown', trail: trailOf('unanswered') })).toBe(true);
    expect(isWarned({ sent: 'unknown', trail: trailOf('entered') })).toBe(true);
    expect(isWarned({ trail: [] })).toBe(true);
    // It had been sent by the first retry, and a second one sent nothing.
    expect(isWarned({ trail: [{ attempt: 1, atMs: 0, decision: 'skipped' }], decisions: [first, sent] })).toBe(true);

    // The first retry may have sent it, and a second one sent nothing.
    const again = { ...first, was: { ...first.was, trail: trailOf('unanswered') } };
    expect(isWarned({ trail: trailOf('refused'), decisions: [first, again] })).toBe(true);

    expect(isWarned({ trail: trailOf('refused') })).toBe(false);
    expect(isWarned({ trail: trailOf('refused'), decisions: [again] })).toBe(false);
    expect(isWarned({ trail: [{ attempt: 1, atMs: 0, decision: 'adopted' }] })).toBe(false);
    expect(isWarned({ sent: 'unknown', trail: [] })).toBe(false);
    expect(isWarned({ decisions: [sent] })).toBe(false);
    expect(isWarned({ decisions: [{ ...first, command: 'markSucceeded' }] })).toBe(false);
    // A state that is asked for twice is reached once.
    expect(isWarned({ action: { action: 'stop' } })).toBe(false);
  });

  it('names no webhook that was notified', () => {
    expect(rendered).not.toContain('on-call');
  });
});
