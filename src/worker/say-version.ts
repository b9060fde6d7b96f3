/** Whether the version of a worker gets work: one that was never promoted waits in silence. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { WorkerVersion } from '../config/worker-version.js';
import { GRPC, grpcCodeOf } from '../temporal/calls.js';

/** Logs which version is current where it is another one, with the command that promotes this one. Never throws. */
export async function sayVersion(client: Client, version: WorkerVersion, log: Logger): Promise<void> {
  const { deploymentName, buildId } = version;
  const promote = `temporal worker deployment set-current-version --namespace ${client.options.namespace} --deployment-name ${deploymentName} --build-id ${buildId}`;
  try {
    const current = await currentBuildId(client, deploymentName);
    if (current === null)
      log.warn({ version, promote }, 'no version of the Worker Deployment is current, so its workers get no work');
    else if (current !== buildId)
      log.info(
        { version, current, promote },
        'this version is not current: it gets no new work until it is, or is ramping',
      );
  } catch (error) {
    log.debug({ version, error: String(error) }, 'which version is current could not be read');
  }
}

/** @returns `null` if workers without a version get the work. @throws what the call throws */
async function currentBuildId(client: Client, deploymentName: string): Promise<string | null> {
  const { namespace } = client.options;
  try {
    const described = await client.connection.workflowService.describeWorkerDeployment({ namespace, deploymentName });
    return described.workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? null;
  } catch (error) {
    // No worker of it has polled yet.
    if (grpcCodeOf(error) === GRPC.notFound) return null;
    throw error;
  }
}
