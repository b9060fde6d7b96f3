// The run of a bare worker: one activity for each step, nothing else.
import { proxyActivities } from '@temporalio/workflow';

const { act } = proxyActivities({
  scheduleToCloseTimeout: '2h',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '10s' },
});

export async function bare(instance, steps) {
  for (const step of steps) await act(instance, step);
}
