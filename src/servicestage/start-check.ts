/** What a worker asks ServiceStage and IAM once, when it starts: what would otherwise be found out in the middle of a run. */
import { clockProblem } from '../domain/time/clock-problem.js';
import type { ServiceStage } from './service-stage.js';

type Asked = Pick<ServiceStage, 'ownUserId' | 'listApplications' | 'clockAheadMs'>;

const REMEDY =
  'An action whose answer is lost may then be found and not be known as ours: its step is tried until its deadline, or ends Indeterminate. Set SERVICESTAGE_USER_ID to the id of the IAM user that the worker signs in as';

/**
 * Each warning once, in words with the remedy; none when all is well. A worker starts whatever they say. Takes two requests at most.
 * @param timeoutMs of each request
 */
export async function startWarnings(serviceStage: Asked, timeoutMs: number): Promise<readonly string[]> {
  const who = await whoWeAre(serviceStage, timeoutMs);
  // Any answer shows its clock; where IAM was not asked, ServiceStage is.
  const refused = serviceStage.clockAheadMs() === null ? await refusal(serviceStage, timeoutMs) : null;
  const clock = clockProblem(serviceStage.clockAheadMs());
  return [
    ...(who === null ? [] : [`${who}. ${REMEDY}`]),
    ...(refused === null ? [] : [`ServiceStage does not list applications: ${refused}`]),
    ...(clock === null
      ? []
      : [
          `${clock}. Set the clock right (NTP): it dates evidence, and signatures of an access key are refused from 15 minutes on`,
        ]),
  ];
}

async function whoWeAre(serviceStage: Asked, timeoutMs: number): Promise<string | null> {
  try {
    const userId = await serviceStage.ownUserId({ timeoutMs });
    return userId === null ? 'IAM does not say who we are' : null;
  } catch (error) {
    return `IAM did not say who we are: ${reasonOf(error)}`;
  }
}

async function refusal(serviceStage: Asked, timeoutMs: number): Promise<string | null> {
  try {
    await serviceStage.listApplications({ timeoutMs });
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
