/** Histories of released versions replay with today's code; a damaged one is rejected; no secret stands in any. */
import { readdir, readFile } from 'node:fs/promises';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { textOfHistory } from '../support/history-text.js';
import { beforeAll, describe, expect, inject, it } from 'vitest';

const folder = new URL('./histories/', import.meta.url);
const names = (await readdir(folder)).sort();
const workflowBundle = { codePath: inject('workflowBundlePath') };

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
});

interface RecordedHistory {
  events: {
    eventType: string;
    workflowExecutionStartedEventAttributes?: { workflowId: string };
    activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  }[];
}

async function read(name: string): Promise<RecordedHistory> {
  return JSON.parse(await readFile(new URL(name, folder), 'utf8')) as RecordedHistory;
}

async function replay(history: RecordedHistory): Promise<void> {
  // A target's workflow checks that its id is the lease of its target.
  const workflowId = history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';
  await Worker.runReplayHistory({ workflowBundle }, historyFromJSON(history), workflowId);
}

describe('a recorded history', () => {
  it('is there for every outcome', () => {
    for (const outcome of [
      'succeeded',
      'compensated',
      'failed',
      'compensationFailed',
      'cancelled',
      'indeterminate',
      'refused',
    ]) {
      expect(names.some((name) => name.includes(`-${outcome}.`))).toBe(true);
    }
  });

  it.each(names)('%s replays', async (name) => {
    await replay(await read(name));
  });

  it('that is damaged is rejected', async () => {
    const history = await read('recover-succeeded.target.v1.json');
    const step = history.events.find(
      ({ activityTaskScheduledEventAttributes: activity }) => activity?.activityType.name === 'performAction',
    );
    if (step?.activityTaskScheduledEventAttributes === undefined) throw new Error('The history has no step');
    step.activityTaskScheduledEventAttributes.activityType.name = 'settleTarget';
    await expect(replay(history)).rejects.toThrow(/[Nn]ondeterminism|DeterminismViolation/);
  });

  it('holds no secret', async () => {
    for (const name of names) {
      const text = textOfHistory(await read(name));
      for (const secret of ['simulated-secret', 'simulated-password', 'Signature=', 'X-Auth-Token', 'MIIsimulated']) {
        expect(text.includes(secret)).toBe(false);
      }
    }
  });
});
