import { describe, expect, it } from 'vitest';
import { tasksSeen } from '../../../../src/domain/target/cloud-job-tasks.js';
import { jsonBytes } from '../../../../src/domain/text/json-bytes.js';

const task = (name: string, status: string) => ({
  taskId: name,
  name,
  status,
  messages: 'm'.repeat(10_000),
  createdAtMs: 0,
});
const tasks = (...statuses: string[]) => ({ tasks: statuses.map((status, index) => task(`T${index + 1}`, status)) });
const shown = (...statuses: string[]) => tasksSeen(tasks(...statuses), 0)?.shown.map(({ name }) => name);

describe('the tasks of a cloud job', () => {
  it('are unknown right after the POST, when there are none', () => {
    expect(tasksSeen({ tasks: [] }, 5)).toBeNull();
  });

  it('are counted, with what each status means', () => {
    expect(tasksSeen(tasks('SUCCEEDED', 'SKIPPED', 'RUNNING', 'SCHEDULED', 'NEW'), 5)).toEqual({
      ...{ atMs: 5, total: 5, done: 2, before: 0 },
      shown: [
        { name: 'T1', state: 'succeeded' },
        { name: 'T2', state: 'skipped' },
        { name: 'T3', state: 'running' },
        { name: 'T4', state: 'pending' },
        { name: 'T5', state: 'unclear' },
      ],
    });
    expect(tasksSeen(tasks('constructor', 'ROLLBACKING', 'CANCELLED'), 0)?.shown.map(({ state }) => state)).toEqual([
      'unclear',
      'running',
      'failed',
    ]);
  });

  it('are shown from the last one that is done, or that succeeded before the one that failed', () => {
    const done = (count: number) => Array.from({ length: count }, () => 'SUCCEEDED');
    expect(shown(...done(6), ...Array.from({ length: 6 }, () => 'RUNNING'))).toEqual(['T6', 'T7', 'T8', 'T9', 'T10']);
    expect(shown(...done(6), 'RUNNING')).toEqual(['T3', 'T4', 'T5', 'T6', 'T7']);
    expect(shown('RUNNING', ...done(5), 'FAILED', ...done(5))).toEqual(['T6', 'T7', 'T8', 'T9', 'T10']);
    expect(shown(...done(9))).toEqual(['T5', 'T6', 'T7', 'T8', 'T9']);
    expect(tasksSeen(tasks(...done(9)), 0)).toMatchObject({ before: 4, total: 9, done: 9 });
  });

  it('add less than a kilobyte to a heartbeat, whatever ServiceStage calls them', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => task(`\u0000${'界'.repeat(500)}${index}`, 'RUNNING'));
    expect(jsonBytes(tasksSeen({ tasks: many }, Number.MAX_SAFE_INTEGER))).toBeLessThan(700);
  });
});
