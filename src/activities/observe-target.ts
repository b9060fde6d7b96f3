/** `observeTarget`: one reading of an instance. */
import { Context } from '@temporalio/activity';
import type { Limits } from '../domain/limits.js';
import type { Observation, Target } from '../domain/target.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { toFailure } from './to-failure.js';

export async function observeTarget(serviceStage: ServiceStage, target: Target, limits: Limits): Promise<Observation> {
  try {
    return await serviceStage.readInstance(target, {
      timeoutMs: limits.readTimeoutMs,
      signal: Context.current().cancellationSignal,
    });
  } catch (error) {
    throw toFailure(error);
  }
}
