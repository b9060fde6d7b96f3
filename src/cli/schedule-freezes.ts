/** Which calendars hold a schedule's runs back, and for how long after its nominal time: of the schedule and of the runbook's own guards. */
import type { ScheduleDescription } from '@temporalio/client';
import type { StartArguments } from '../domain/contract.js';
import { durationMs } from '../domain/duration.js';

export async function freezesOfSchedule({
  action,
}: ScheduleDescription): Promise<{ freezeNames: string[]; windowMs: number }> {
  const [{ findRunbook }, { loadClientConfig }, { freezesOf }] = await Promise.all([
    import('../catalogue.js'),
    import('../config.js'),
    import('../schedules/schedule-checks.js'),
  ]);
  const { freeze = [], window } = (action.args?.[0] ?? {}) as Partial<StartArguments>;
  const found = await findRunbook(loadClientConfig(process.env).runbookDirectories, action.workflowType);
  const ofRunbook = found.kind === 'found' ? freezesOf(found.runbook) : [];
  return { freezeNames: [...new Set([...freeze, ...ofRunbook])], windowMs: durationMs(window?.duration ?? '0s') ?? 0 };
}
