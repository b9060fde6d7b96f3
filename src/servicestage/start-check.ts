/** Asks ServiceStage and IAM once when a worker starts, to find problems before a run does. */
import { clockProblem } from '../domain/time/clock-problem.js';
import type { ServiceStage } from './service-stage.js';

type Asked = Pick<ServiceStage, 'ownUserId' | 'listApplications' | 'clockAheadMs'>;

const REMEDY =
  'If the answer to an action is lost, its cloud job may then not be recognized as ours, and the step retries until its deadline or ends Indeterminate. Set SERVICESTAGE_USER_ID to the id of the IAM user that the worker signs in as';

/**
 * Returns each warning once, with its remedy; none if all is well. The worker starts in any case. Makes at most two
 * requests.
 * @param timeoutMs limit of each request
 */
export async function startWarnings(serviceStage: Asked, timeoutMs: number): Promise<readonly string[]> {
  const who = await whoWeAre(serviceStage, timeoutMs);
  // Any answer contains the clock. If IAM was not asked, ask ServiceStage.
  const refused = serviceStage.clockAheadMs() === null ? await refusal(serviceStage, timeoutMs) : null;
  const clock = clockProblem(serviceStage.clockAheadMs());
  return [
    ...(who === null ? [] : [`${who}. ${REMEDY}`]),
    ...(refused === null ? [] : [`ServiceStage does not list applications: ${refused}`]),
    ...(clock === null
      ? []
      : [
          `${clock}. Correct the clock (NTP): it dates evidence, and from 15 minutes on, signatures of an access key are refused`,
        ]),
  ];
}

async function whoWeAre(serviceStage: Asked, timeoutMs: number): Promise<string | null> {
  try {
    const userId = await serviceStage.ownUserId({ timeoutMs });
    return userId === null ? 'IAM refuses to report our user id' : null;
  } catch (error) {
    return `IAM did not report our user id: ${reasonOf(error)}`;
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
