/** Workflows of another team, in another namespace, as docs/nexus.md shows them. */
import { CancellationScope, condition, createNexusServiceClient, defineSignal, setHandler } from '@temporalio/workflow';
import type { NexusServiceClient } from '@temporalio/workflow';
import {
  reportInFailure,
  runbooksService,
  type RunReport,
  type RunStatus,
  type StartRunInput,
} from '../../src/nexus/service.js';

/** What a caller sees of an operation. */
export interface Seen {
  readonly report: RunReport | null;
  /** Why the operation failed: each error of the chain, outermost first. */
  readonly errors: readonly { readonly name: string; readonly type: unknown; readonly message: string }[];
}

export const cancelOperation = defineSignal('cancelOperation');

const clientOf = (endpoint: string): NexusServiceClient<typeof runbooksService> =>
  createNexusServiceClient({ endpoint, service: runbooksService });

/** Calls `startRun`, and cancels the operation when the signal arrives. */
export async function callStartRun(endpoint: string, input: StartRunInput): Promise<Seen> {
  let cancelled = false;
  setHandler(cancelOperation, () => void (cancelled = true));
  const scope = new CancellationScope();
  void condition(() => cancelled).then(() => scope.cancel());
  try {
    const options = { scheduleToCloseTimeout: '5 minutes' } as const;
    const report = await scope.run(() => clientOf(endpoint).executeOperation('startRun', input, options));
    return { report, errors: [] };
  } catch (error) {
    return { report: reportInFailure(error), errors: chainOf(error) };
  }
}

/** Calls `runStatus`. */
export async function callRunStatus(endpoint: string, key: string): Promise<RunStatus | Seen> {
  try {
    return await clientOf(endpoint).executeOperation('runStatus', { key }, { scheduleToCloseTimeout: '1 minute' });
  } catch (error) {
    return { report: null, errors: chainOf(error) };
  }
}

function chainOf(error: unknown): Seen['errors'] {
  if (!(error instanceof Error)) return [];
  const type: unknown = 'type' in error ? error.type : undefined;
  return [{ name: error.name, type, message: error.message }, ...chainOf(error.cause)];
}
