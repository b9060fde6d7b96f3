/** What the compiler must accept and refuse; never run. */
import {
  RunbookClient,
  ServerUnreachable,
  type CatalogueInputs,
  type FailureName,
  type Plan,
  type StartedRun,
} from 'servicestage-runbooks';

interface OwnInputs extends CatalogueInputs {
  sweep: { readonly depth?: number };
  idle: object;
  'warm-cache': { readonly region: string; readonly rounds?: number };
}

export async function accepted(runbooks: RunbookClient, someName: string, perhaps: string | undefined): Promise<void> {
  const targets = ['shop/checkout/prod-1'];
  const started: StartedRun = await runbooks.start('recover', { targets });
  await runbooks.start('recover', { targets, inputs: { version: perhaps }, id: perhaps, reason: perhaps });
  await runbooks.start('scale', { targets, inputs: { replica: 2 }, window: { duration: '2h', cutoff: '30m' } });
  await runbooks.start('restart', { targets, freeze: ['prod-freeze'], waitAtMost: '4h', onExisting: 'fail' });
  await runbooks.start('restart', { targets, inputs: {} });
  // Runbooks that only the worker knows take any inputs.
  await runbooks.start('our-own', { targets, inputs: { anything: [1, 2] } });
  await runbooks.start(someName, { targets, inputs: { anything: true } });
  const plan: Plan = await runbooks.plan(
    'scale',
    { targets, inputs: { replica: 2 } },
    { signal: AbortSignal.timeout(60_000) },
  );
  const own = await RunbookClient.connect<OwnInputs>({ apiKey: plan.hash });
  await own.start('warm-cache', { targets, inputs: { region: 'eu', rounds: 2 } });
  await own.start('scale', { targets, inputs: { replica: 1 } });
  await own.start('sweep', { targets });
  await own.start('idle', { targets });
  const cancel: 'requested' | 'alreadyEnded' = await own.cancel(started.workflowId);
  const report = await own.result(started.workflowId, { signal: AbortSignal.timeout(1_000) });
  const failure: FailureName | undefined = report.failure?.name;
  console.log(cancel, failure, new ServerUnreachable('').workflowId);
}

export async function refused(runbooks: RunbookClient, own: RunbookClient<OwnInputs>): Promise<void> {
  const targets = ['shop/checkout/prod-1'];
  // @ts-expect-error an input of the wrong type
  await runbooks.start('scale', { targets, inputs: { replica: '2' } });
  // @ts-expect-error an input that is missing and has no default
  await runbooks.start('scale', { targets });
  // @ts-expect-error a mistyped input
  await runbooks.start('recover', { targets, inputs: { verison: '1.4.0' } });
  // @ts-expect-error an input of a runbook that takes none
  await runbooks.start('restart', { targets, inputs: { version: '1.4.0' } });
  // @ts-expect-error no targets
  await runbooks.start('restart', {});
  // @ts-expect-error a plan has no id
  await runbooks.plan('restart', { targets, id: 'incident-4711' });
  // @ts-expect-error a mistyped word
  await runbooks.start('restart', { targets, onExisting: 'attatch' });
  // @ts-expect-error an own runbook's input that must be given
  await own.start('warm-cache', { targets });
  // @ts-expect-error an input of an own runbook
  await own.start('warm-cache', { targets, inputs: { region: 7 } });
}
