/** The finding of the doctor for each fact: a healthy installation, and every way in which it can be ill. */
import { describe, expect, it } from 'vitest';
import { renderFindings } from '../../../src/cli/doctor-command.js';
import { createColors } from '../../../src/cli/colors.js';
import {
  answerWithin,
  type Answer,
  type Facts,
  type FileFacts,
  type ServiceStageFacts,
  type TemporalFacts,
} from '../../../src/doctor/facts.js';
import { judge, totals, type Check } from '../../../src/doctor/judge.js';

const NOW_MS = Date.UTC(2026, 10, 30, 20);
const DAY_MS = 86_400_000;

const answer = <Value>(value: Value): Answer<Value> => ({ kind: 'answer', value });
const failed = (cause: 'unreachable' | 'denied' | 'missing' | 'other', reason = 'why'): Answer<never> => ({
  kind: 'failed',
  cause,
  reason,
});
const unasked = (why: string): Answer<never> => ({ kind: 'unasked', why });
const yes = answer(true as const);

const TEMPORAL: TemporalFacts = {
  address: 'temporal:7233',
  proxy: null,
  namespace: 'ops',
  taskQueue: 'runbooks',
  secured: { tls: true, apiKey: true },
  certificateExpiresAtMs: null,
  server: answer('1.29.1'),
  retentionMs: answer(30 * DAY_MS),
  missingAttributes: answer([]),
  rights: { list: yes, start: yes, signal: yes, update: yes, query: yes, cancel: yes },
  pollers: answer([{ identity: '1@a', lastAccessAtMs: NOW_MS - 5_000 }]),
};
const SERVICE_STAGE: ServiceStageFacts = {
  endpoint: 'https://servicestage.example.com',
  projectId: 'p1',
  signIn: 'keyFiles',
  isTemporary: false,
  applications: answer(3),
  instance: answer('shop/checkout/prod-1'),
  snapshots: yes,
  user: answer('u1'),
  clockAheadMs: 300,
};
const read = (count: number) => answer({ count, problems: [] });
const FILES: FileFacts = {
  runbooks: read(7),
  calendars: read(1),
  alarms: read(2),
  notifications: read(1),
  given: read(1),
};

interface Change {
  readonly temporal?: Partial<TemporalFacts>;
  readonly serviceStage?: Partial<ServiceStageFacts>;
  readonly files?: Partial<FileFacts>;
}

function factsWith({ temporal, serviceStage, files }: Change = {}): Facts {
  return {
    nowMs: NOW_MS,
    configuration: { problems: [], warnings: [], secretsInFiles: [] },
    temporal: { ...TEMPORAL, ...temporal },
    serviceStage: { ...SERVICE_STAGE, ...serviceStage },
    files: { ...FILES, ...files },
  };
}

it('a healthy installation has nothing to repair; only actions are not known', () => {
  const lines = judge(factsWith());
  expect(totals(lines)).toEqual({ ok: lines.length - 1, warn: 0, fail: 0, notChecked: 1 });
  expect(lines.find(({ verdict }) => verdict === 'notChecked')?.check).toBe('servicestage acting');
  expect(lines.map(({ check }) => check)).not.toContain('temporal certificate');
});

const PROBLEM = { code: 'unknown-key', place: 'a.yaml:1:1', found: 'unknown key "x"', remedy: 'Remove it' };

describe('each fact that is wrong', () => {
  it.each<[Check, string, Change, string]>([
    ['temporal server', 'fail', { temporal: { server: failed('unreachable') } }, 'temporal:7233 does not answer'],
    ['temporal server', 'fail', { temporal: { server: failed('denied') } }, 'refuses the credentials'],
    ['temporal certificate', 'warn', { temporal: { certificateExpiresAtMs: NOW_MS + 5 * DAY_MS } }, 'in 5 days'],
    ['temporal certificate', 'fail', { temporal: { certificateExpiresAtMs: NOW_MS - 1 } }, 'has expired'],
    ['temporal certificate', 'ok', { temporal: { certificateExpiresAtMs: NOW_MS + 90 * DAY_MS } }, 'in 90 days'],
    ['temporal namespace', 'fail', { temporal: { retentionMs: failed('missing') } }, 'no namespace ops'],
    ['temporal namespace', 'fail', { temporal: { retentionMs: failed('denied') } }, 'may not be read'],
    ['temporal retention', 'notChecked', { temporal: { retentionMs: failed('missing') } }, 'was not read'],
    ['temporal retention', 'fail', { temporal: { retentionMs: answer(DAY_MS / 2) } }, 'for 12h'],
    ['temporal retention', 'warn', { temporal: { retentionMs: answer(3 * DAY_MS) } }, 'for 72h'],
    ['temporal retention', 'notChecked', { temporal: { retentionMs: answer(null) } }, 'does not say'],
    [
      'temporal search attributes',
      'fail',
      { temporal: { missingAttributes: answer(['RunbookTarget (KeywordList)']) } },
      'lacks RunbookTarget',
    ],
    [
      'temporal rights',
      'fail',
      { temporal: { rights: { ...TEMPORAL.rights, start: failed('denied'), cancel: failed('denied') } } },
      'may not start runs, cancel runs',
    ],
    [
      'temporal rights',
      'warn',
      { temporal: { rights: { ...TEMPORAL.rights, update: failed('other', 'busy') } } },
      'update (busy)',
    ],
    ['workers', 'fail', { temporal: { pollers: answer([]) } }, 'no worker asks for work on task queue runbooks'],
    [
      'workers',
      'fail',
      { temporal: { pollers: answer([{ identity: 'x', lastAccessAtMs: NOW_MS - 100_000 }]) } },
      'no worker asks for work on task queue runbooks; runs would wait. The last one asked 1m 40s ago',
    ],
    [
      'workers',
      'ok',
      {
        temporal: {
          pollers: answer([3_000, 70_000, 80_000].map((ms) => ({ identity: `${ms}`, lastAccessAtMs: NOW_MS - ms }))),
        },
      },
      '2 workers on task queue runbooks asked for work within 1m 15s, the latest 3s ago; one that has just stopped still counts',
    ],
    ['workers', 'notChecked', { temporal: { pollers: failed('denied') } }, 'may not see who polls'],
    [
      'servicestage endpoint',
      'fail',
      { serviceStage: { applications: failed('unreachable') } },
      'https://servicestage.example.com',
    ],
    [
      'servicestage endpoint',
      'ok',
      { serviceStage: { applications: failed('denied') } },
      'https://servicestage.example.com',
    ],
    ['servicestage credentials', 'fail', { serviceStage: { applications: failed('denied') } }, 'refused: why'],
    ['servicestage credentials', 'warn', { serviceStage: { signIn: 'token' } }, 'good for a day'],
    ['servicestage credentials', 'warn', { serviceStage: { isTemporary: true } }, 'nothing renews it'],
    [
      'servicestage credentials',
      'notChecked',
      { serviceStage: { applications: failed('unreachable') } },
      'did not answer',
    ],
    [
      'servicestage project',
      'notChecked',
      { serviceStage: { applications: failed('denied') } },
      'the credentials were refused',
    ],
    ['servicestage project', 'fail', { serviceStage: { applications: failed('missing') } }, 'p1: why'],
    ['servicestage reading', 'fail', { serviceStage: { instance: failed('denied') } }, 'cannot be read'],
    [
      'servicestage reading',
      'fail',
      { serviceStage: { snapshots: failed('denied') } },
      'snapshots of shop/checkout/prod-1',
    ],
    ['servicestage reading', 'notChecked', { serviceStage: { instance: answer(null) } }, 'no instance to read'],
    ['iam user', 'warn', { serviceStage: { user: answer(null) } }, 'does not report who we are'],
    ['iam user', 'warn', { serviceStage: { user: failed('unreachable') } }, 'did not answer'],
    ['clock', 'warn', { serviceStage: { clockAheadMs: -180_000 } }, '3m behind'],
    ['clock', 'fail', { serviceStage: { clockAheadMs: 20 * 60_000 } }, '20m ahead'],
    ['clock', 'warn', { serviceStage: { signIn: 'password', clockAheadMs: 20 * 60_000 } }, '20m ahead'],
    ['clock', 'notChecked', { serviceStage: { clockAheadMs: null } }, 'had a date'],
    ['runbooks', 'fail', { files: { runbooks: answer({ count: 6, problems: [PROBLEM] }) } }, 'unknown key "x"'],
    ['calendars', 'notChecked', { files: { calendars: unasked('RUNBOOK_CALENDARS is not set') } }, 'RUNBOOK_CALENDARS'],
    [
      'alarms file',
      'fail',
      { files: { alarms: answer({ count: 0, problems: Array.from({ length: 5 }, () => PROBLEM) }) } },
      'and 2 more',
    ],
    [
      'notifications file',
      'fail',
      { files: { notifications: failed('unreachable', 'no answer within 5 s') } },
      'no answer within 5 s',
    ],
  ])('%s: %s for %j', (check, verdict, change, text) => {
    const line = judge(factsWith(change)).find((each) => each.check === check);
    expect(line).toMatchObject({ verdict, found: expect.stringContaining(text) as unknown });
    if (verdict === 'warn' || verdict === 'fail') expect(line?.remedy).toMatch(/^[A-Z].{10}/);
  });
});

it('where the configuration has problems, the rest is not checked, and nothing is called healthy', () => {
  const configuration = { problems: [PROBLEM], warnings: [], secretsInFiles: [] };
  const lines = judge({ nowMs: NOW_MS, configuration, temporal: null, serviceStage: null, files: null });
  expect(totals(lines)).toMatchObject({ ok: 0, warn: 0, fail: 1 });
  expect(lines[0]).toMatchObject({ check: 'configuration', verdict: 'fail' });
});

it('the table names each check once, and the remedy below it', () => {
  const lines = judge(factsWith({ temporal: { pollers: answer([]) } }));
  const text = renderFindings(lines, createColors(false));
  for (const { check } of lines)
    expect(text.split('\n').filter((row) => row.slice(6).startsWith(check.padEnd(26)))).toHaveLength(1);
  expect(text).toMatch(/FAIL {2}workers .*no worker asks[^\n]*\n +→ Start a worker/);
  expect(text).toMatch(/17 ok, 0 warnings, 1 failed, 1 not checked$/);
});

it('a question that is not answered in time has failed, and the others are not held up', async () => {
  const asked = answerWithin(
    20,
    () => ({ cause: 'other', reason: '' }),
    () => new Promise(() => {}),
  );
  expect(await asked).toEqual({ kind: 'failed', cause: 'unreachable', reason: 'no answer within 0.02 s' });
});
