/** What an attempt reports of its cloud job. */
import { expect, it } from 'vitest';
import { observeEvent, type ActivityObserver } from '../../../src/activities/observer.js';
import type { AdoptionEvidence, FollowedJob } from '../../../src/domain/once/state.js';

const job: FollowedJob = { id: 'job-1', submittedAtMs: 1_000 };
const evidence: AdoptionEvidence = {
  cloudJobId: 'job-1',
  instanceId: 'inst-1',
  jobType: null,
  createdBy: null,
  firstTaskAtMs: 1_000,
  scheduledAtMs: 900,
  createdByUs: true,
};

function reportOf(event: 'polled' | 'inspected' | 'accepted', before: FollowedJob | null, after: FollowedJob | null) {
  const reports: string[] = [];
  const observer: ActivityObserver = {
    polled: (action) => void reports.push(`polled ${action}`),
    adopted: (action) => void reports.push(`adopted ${action}`),
    cloudJobEnded: (action, { runningAtMs, endedByMs }) =>
      void reports.push(`ended ${action} ${runningAtMs} ${endedByMs}`),
    attemptEnded: () => void reports.push('attempt'),
    settled: () => void reports.push('settled'),
    notified: () => void reports.push('notified'),
  };
  observeEvent(observer, 'restart', event, before, after);
  return reports;
}

it('is one poll, and no end while it runs', () => {
  expect(reportOf('polled', job, { ...job, runningAtMs: 500 })).toEqual(['polled restart']);
});

it('is its end, once', () => {
  const ended = { ...job, runningAtMs: 500, endedByMs: 700 };
  expect(reportOf('polled', { ...job, runningAtMs: 500 }, ended)).toEqual(['polled restart', 'ended restart 500 700']);
  expect(reportOf('polled', ended, ended)).toEqual(['polled restart']);
});

it('is an adoption, once, and only of a cloud job that was found', () => {
  expect(reportOf('inspected', null, { ...job, evidence })).toEqual(['adopted restart']);
  expect(reportOf('polled', { ...job, evidence }, { ...job, evidence })).toEqual(['polled restart']);
  expect(reportOf('accepted', null, job)).toEqual([]);
  expect(reportOf('inspected', null, null)).toEqual([]);
});
