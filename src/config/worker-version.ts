/** The version of a worker in a Worker Deployment: both of its variables or neither. */
import type { VariableReader } from './environment.js';
import { WORKER_VERSION_VARIABLES } from './temporal-variables.js';

/** A version of the workers, as Temporal knows it. */
export interface WorkerVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** @returns `null` for a worker that is not versioned. Problems go to the reader */
export function readWorkerVersion(reader: VariableReader): WorkerVersion | null {
  const values = reader.read(WORKER_VERSION_VARIABLES);
  const given = (name: keyof typeof WORKER_VERSION_VARIABLES) => reader.text(name) !== undefined;
  const [own, ofController] = ['TEMPORAL_WORKER_DEPLOYMENT_NAME', 'TEMPORAL_DEPLOYMENT_NAME'] as const;
  if (given(own) && given(ofController) && reader.text(own) !== reader.text(ofController))
    reader.problem(`${own} and ${ofController}`, 'they name two Worker Deployments', 'Keep one of the two');
  const isNamed = given(own) || given(ofController);
  if (isNamed !== given('TEMPORAL_WORKER_BUILD_ID'))
    reader.problem(
      isNamed ? 'TEMPORAL_WORKER_BUILD_ID' : own,
      'it is missing',
      'A version has both a deployment name and a build id; without both the worker is not versioned',
    );
  const deploymentName = values[own] ?? values[ofController];
  const buildId = values.TEMPORAL_WORKER_BUILD_ID;
  return deploymentName === undefined || buildId === undefined ? null : { deploymentName, buildId };
}
