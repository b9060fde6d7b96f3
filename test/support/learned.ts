/** What a worker learns, when it starts, from the reports of earlier runs. */
import type { Client } from '@temporalio/client';
import { learnFromReports } from '../../src/activities/learned-durations.js';
import { Durations } from '../../src/domain/durations/durations.js';
import { until } from './until.js';

/** Keeps what it receives, in order. */
class RecordedDurations extends Durations {
  readonly received: Parameters<Durations['ended']>[] = [];

  override ended(...given: Parameters<Durations['ended']>): void {
    this.received.push(given);
  }
}

/** What a worker of a task queue learns from `runs` runs, as soon as the server lists them. */
export async function learned(client: Client, taskQueue: string, runs: number): Promise<RecordedDurations['received']> {
  let durations = new RecordedDurations();
  await until(async () => {
    durations = new RecordedDurations();
    return (await learnFromReports(client, taskQueue, durations)).runs === runs;
  });
  return durations.received;
}
