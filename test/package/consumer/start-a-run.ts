/**
 * What another team would write with the installed package: starts a run, shows its progress, and prints the report and
 * the loaded native code.
 */
import { FAILURES, RunbookClient, type RunReport, type RunSnapshot } from 'servicestage-runbooks';

const { TEMPORAL_ADDRESS = 'localhost:7233', RUNBOOK_TASK_QUEUE, TARGET = 'shop/checkout/prod-1' } = process.env;

await using runbooks = await RunbookClient.connect({ address: TEMPORAL_ADDRESS, taskQueue: RUNBOOK_TASK_QUEUE });
const { workflowId, started } = await runbooks.start('recover', {
  targets: [TARGET],
  inputs: { version: 'previous' },
  requestedBy: 'the consumer',
});
const snapshots: RunSnapshot[] = [];
for await (const snapshot of runbooks.watch(workflowId, { intervalMs: 50 })) snapshots.push(snapshot);
const report: RunReport = await runbooks.result(workflowId);

const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
const nativeAddons = sharedObjects.filter((file) => file.endsWith('.node'));
console.log(
  JSON.stringify({
    started,
    outcome: report.outcome,
    steps: report.targets[0]?.steps.map(({ id, result }) => `${id} ${result}`),
    lastPhase: snapshots.at(-1)?.run.phase,
    severalSnapshots: snapshots.length > 1,
    listsSharedObjects: sharedObjects.length > 0,
    nativeAddons,
    advice: FAILURES.TargetBusy.advice,
  }),
);
