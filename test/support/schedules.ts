/** Schedule files and the `runbook schedule` command in a test, with unique owners and cleanup at the end. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pMap from 'p-map';
import { stringify } from 'yaml';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Applied } from '../../src/schedules/apply.js';
import type { Difference } from '../../src/schedules/compare.js';
import { CALLS_AT_A_TIME } from '../../src/schedules/describe.js';
import { runbook, type Ended } from './command-line.js';
import type { TestTemporal } from './temporal.js';

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type ShownDifference = Pick<Difference, 'id' | 'name' | 'status' | 'changes' | 'byHand' | 'paused' | 'reason'>;

export interface ScheduleDesk {
  readonly env: Record<string, string>;
  newOwner(): string;
  /** @returns the path of the file */
  file(owner: string, schedules: Entries | string): Promise<string>;
  /** Runs in this process; `runbookProcess` with `env` runs the built command. */
  run(...words: string[]): Promise<Ended>;
  diff(file: string): Promise<ShownDifference[]>;
  apply(file: string, ...words: string[]): Promise<Applied[]>;
}

/** An entry that never fires during a test. */
export const CALM = {
  runbook: 'restart',
  targets: ['shop/checkout/prod-1'],
  cron: '0 3 1 1 *',
  timezone: 'Europe/Berlin',
  window: '1h',
};

/** Call once at the top of a test file, after `useTemporal`. */
export function useSchedules(temporal: TestTemporal): ScheduleDesk {
  const owners: string[] = [];
  let folder = '';
  const env: Record<string, string> = {};
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbooks-schedules-'));
    Object.assign(env, { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue });
  });
  afterAll(async () => {
    const ours: string[] = [];
    for await (const { scheduleId } of temporal.client.schedule.list())
      if (owners.some((owner) => scheduleId.startsWith(`${owner}/`))) ours.push(scheduleId);
    await pMap(ours, (id) => temporal.client.schedule.getHandle(id).delete(), { concurrency: CALLS_AT_A_TIME });
    await rm(folder, { recursive: true, force: true });
  });
  const run = (...words: string[]) => runbook(['schedule', ...words], env);
  const json = async <Answer>(...words: string[]): Promise<Answer> => {
    const ended = await run(...words, '--json');
    expect(ended, ended.stdout + ended.stderr).toMatchObject({ exitCode: 0 });
    return JSON.parse(ended.stdout) as Answer;
  };
  return {
    env,
    run,
    newOwner: () => {
      const owner = `test-${randomUUID().slice(0, 8)}`;
      owners.push(owner);
      return owner;
    },
    file: async (owner, schedules) => {
      const path = join(folder, `${randomUUID()}.yaml`);
      await writeFile(
        path,
        typeof schedules === 'string' ? schedules : stringify({ owner, schedules }, { aliasDuplicateObjects: false }),
      );
      return path;
    },
    diff: async (file) => (await json<{ schedules: ShownDifference[] }>('diff', file)).schedules,
    apply: async (file, ...words) => (await json<{ applied: Applied[] }>('apply', file, ...words)).applied,
  };
}
