/** What a worker asks of Temporal and ServiceStage for the sake of its probes. */
import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.js';
import type { Cause } from '../domain/no-answer.js';
import type { Verdict } from '../health/checks.js';
import type { CredentialsAnswer } from '../health/credentials.js';
import { noAnswerOf as noAnswerOfServiceStage } from '../servicestage/no-answer.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { noAnswerOf, readNamespace } from '../temporal/read-namespace.js';

const TEMPORAL_TIMEOUT_MS = 3_000;
/** Its own wait for the request budget, and one read. */
const CREDENTIALS_PATIENCE_MS = 10_000;

const WITHOUT_TEMPORAL: Readonly<Record<Cause, string>> = {
  unreachable: 'Temporal cannot be reached',
  denied: 'Temporal refuses the credentials',
  missing: 'Temporal cannot find the namespace',
  other: 'Temporal does not answer',
};

/** Does Temporal answer about our namespace? */
export async function askTemporal(client: Client): Promise<Verdict> {
  try {
    await client.withDeadline(Date.now() + TEMPORAL_TIMEOUT_MS, () =>
      readNamespace(client.connection, client.options.namespace),
    );
    return { ok: true, reason: `Temporal answers for the namespace ${client.options.namespace}` };
  } catch (error) {
    const { cause, reason } = noAnswerOf(error);
    return { ok: false, reason: `${WITHOUT_TEMPORAL[cause]}: ${reason}` };
  }
}

/** Does ServiceStage accept the credentials? */
export async function askCredentials(
  serviceStage: ServiceStage,
  { limits }: Pick<Config, 'limits'>,
): Promise<CredentialsAnswer> {
  try {
    const signal = AbortSignal.timeout(CREDENTIALS_PATIENCE_MS + limits.readTimeoutMs);
    await serviceStage.listApplications({ timeoutMs: limits.readTimeoutMs, signal });
    return 'accepted';
  } catch (error) {
    const { cause, reason } = noAnswerOfServiceStage(error);
    return cause === 'denied' ? { refused: reason } : { unanswered: reason };
  }
}
