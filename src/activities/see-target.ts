/** Resolves a target while planning and reads it, which also shows whether the lists that named it are out of date. */
import { Context } from '@temporalio/activity';
import type { Problem } from '../domain/failures.js';
import type { Limits } from '../domain/once/limits.js';
import { statusMeaning, type Observation, type Target } from '../domain/target/target.js';
import { ServiceStageError } from '../servicestage/errors.js';
import type { ReadOptions } from '../servicestage/service-stage.js';
import type { ActivityDependencies } from './dependencies.js';
import type { TargetResolver } from './resolve-targets.js';

/** A target and its reading while planning. */
export interface SeenTarget {
  readonly target: Target;
  readonly seen: Observation;
}

/** What targets are read with. */
type Readers = Pick<ActivityDependencies, 'serviceStage' | 'limits'>;

/**
 * A reading shows whether the lists that named the target are out of date: then they are read again, and so is the
 * instance.
 * @throws ServiceStageError
 */
export async function resolveAndRead(
  dependencies: Readers,
  resolver: TargetResolver,
  text: string,
): Promise<SeenTarget | Problem> {
  const target = await resolver.resolve(text);
  if ('found' in target) return target;
  const recent = await readOrMissing(dependencies, target);
  if ('seen' in recent && recent.isAsListed) return { target, seen: recent.seen };
  const again = await resolver.resolveFromNewLists(text);
  if ('found' in again) return again;
  if (again.instanceId !== target.instanceId) return { target: again, seen: await readTarget(dependencies, again) };
  if ('missing' in recent) throw recent.missing;
  return { target: again, seen: recent.seen };
}

type Read = { readonly seen: Observation; readonly isAsListed: boolean } | { readonly missing: ServiceStageError };

async function readOrMissing({ serviceStage, limits }: Readers, target: Target): Promise<Read> {
  try {
    const { observation: seen, name } = await serviceStage.readNamedInstance(target, readOptions(limits));
    const isNamedSo = name === null || target.path.endsWith(`/${name}`);
    return { seen, isAsListed: isNamedSo && statusMeaning(seen.status) !== 'deleted' };
  } catch (error) {
    if (error instanceof ServiceStageError && error.code === 'NotFound') return { missing: error };
    throw error;
  }
}

async function readTarget({ serviceStage, limits }: Readers, target: Target): Promise<Observation> {
  return serviceStage.readInstance(target, readOptions(limits));
}

/** The options of a read of the API while planning: its limit in time, and the activity's cancellation. */
export function readOptions({ readTimeoutMs }: Limits): ReadOptions {
  return { timeoutMs: readTimeoutMs, signal: Context.current().cancellationSignal };
}
