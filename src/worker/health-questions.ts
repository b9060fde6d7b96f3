/** What a worker asks of Temporal and ServiceStage for the sake of its probes. */
import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.js';
import type { Verdict } from '../health/checks.js';
import type { CredentialsAnswer } from '../health/credentials.js';
import { ServiceStageError, type ServiceStageErrorCode } from '../servicestage/errors.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { toClientError } from '../temporal/calls.js';

const TEMPORAL_TIMEOUT_MS = 3_000;
/** Its own wait for the request budget, and one read. */
const CREDENTIALS_PATIENCE_MS = 10_000;

/** Does Temporal answer about our namespace? The same question that a worker asks at its start, so it needs no further rights. */
export async function askTemporal(client: Client): Promise<Verdict> {
  const { namespace } = client.options;
  try {
    await client.withDeadline(Date.now() + TEMPORAL_TIMEOUT_MS, () =>
      client.connection.workflowService.describeNamespace({ namespace }),
    );
    return { ok: true, reason: `Temporal answers for the namespace ${namespace}` };
  } catch (error) {
    const reason = toClientError(error, null);
    return { ok: false, reason: reason instanceof Error ? reason.message : String(reason) };
  }
}

const REFUSALS: readonly ServiceStageErrorCode[] = ['NotAllowed', 'TokenExpired'];

/** Does ServiceStage accept the credentials? Lists applications, which planning needs as well. */
export async function askCredentials(
  serviceStage: ServiceStage,
  { limits }: Pick<Config, 'limits'>,
): Promise<CredentialsAnswer> {
  try {
    const signal = AbortSignal.timeout(CREDENTIALS_PATIENCE_MS + limits.readTimeoutMs);
    await serviceStage.listApplications({ timeoutMs: limits.readTimeoutMs, signal });
    return 'accepted';
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isRefused = error instanceof ServiceStageError && REFUSALS.includes(error.code);
    return isRefused ? { refused: reason } : { unanswered: reason };
  }
}
