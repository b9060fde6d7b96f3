/** Reads from ServiceStage the instances that match a pattern, with a limit for each kind of call. */
import pMap from 'p-map';
import type { Observation, Target } from '../domain/target/target.js';
import type { NamedEntity, ReadOptions, ServiceStage } from '../servicestage/service-stage.js';
import type { TargetPattern } from './target-pattern.js';

/** An instance and its newest reading. */
interface ReadTarget {
  readonly target: Target;
  /** `null` if it could not be read. */
  readonly seen: Observation | null;
  /** Why it could not be read; `null` if it was. */
  readonly problem: string | null;
  /** `null` if there is none, if it could not be read, or if more than `MOST_JOBS_READ` instances are. */
  readonly newestJob: NewestJob | null;
}

/** When the newest cloud job of an instance began and what it does: ServiceStage has both only in the job's tasks. */
export interface NewestJob {
  /** Epoch milliseconds. */
  readonly beganAtMs: number;
  /** The name of its first task, such as `SEPARATOR_RESTART_1`. */
  readonly firstTask: string;
}

/** What was read, and how much was not. */
export interface ReadTargets {
  readonly targets: readonly ReadTarget[];
  /** Instances that match and were not read, because there are more than the limit. */
  readonly leftOut: number;
  /** Components that match and whose instances were not listed. */
  readonly componentsLeftOut: number;
}

/** What to read. */
export interface TargetsAsked {
  readonly pattern: TargetPattern;
  /** How many instances are read at most; the request budget allows five a second by default. */
  readonly limit: number;
  /** Longest time for one GET, milliseconds. */
  readonly timeoutMs: number;
  /** Ends the reading; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called before the instances are read, which takes the longest. */
  readonly onListed?: (instances: number) => void;
}

type Reads = Pick<
  ServiceStage,
  'projectId' | 'listApplications' | 'listComponents' | 'listInstances' | 'readInstance' | 'readCloudJob'
>;

/** Chosen: one call more for each, for somebody who looks at a few instances closely. */
const MOST_JOBS_READ = 10;

/** Chosen: at five requests a second, more would take a minute. */
const MOST_COMPONENTS = 200;
/** More calls at once would only wait for the request budget. */
const TOGETHER = 10;

/** In the order of their paths. @throws ServiceStageError if a list cannot be read */
export async function readTargets(serviceStage: Reads, asked: TargetsAsked): Promise<ReadTargets> {
  const { pattern, limit, timeoutMs, signal, onListed } = asked;
  const [isApplication, isComponent, isInstance] = pattern;
  const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
  const together = { concurrency: TOGETHER, stopOnError: true };
  const applications = byName(await serviceStage.listApplications(options)).filter(isApplication);
  const ofApplications = await pMap(
    applications,
    async (application) => {
      const components = byName(await serviceStage.listComponents(application.id, options)).filter(isComponent);
      return components.map((component) => ({ application, component }));
    },
    together,
  );
  const components = ofApplications.flat();
  const listed = await pMap(
    components.slice(0, MOST_COMPONENTS),
    async ({ application, component }) => {
      const instances = await serviceStage.listInstances(application.id, component.id, options);
      return byName(instances)
        .filter(isInstance)
        .map(({ id, name, platformType }): Target => ({
          path: `${application.name}/${component.name}/${name}`,
          projectId: serviceStage.projectId,
          applicationId: application.id,
          componentId: component.id,
          instanceId: id,
          platformType,
        }));
    },
    together,
  );
  const instances = listed.flat();
  const chosen = instances.slice(0, limit);
  onListed?.(chosen.length);
  const withJob = chosen.length <= MOST_JOBS_READ;
  const targets = await pMap(chosen, (target) => readTarget(serviceStage, target, withJob, options), together);
  return {
    targets,
    leftOut: instances.length - chosen.length,
    componentsLeftOut: Math.max(0, components.length - MOST_COMPONENTS),
  };
}

/** One instance that cannot be read must not hide the others. */
async function readTarget(
  serviceStage: Reads,
  target: Target,
  withJob: boolean,
  options: ReadOptions,
): Promise<ReadTarget> {
  try {
    const seen = await serviceStage.readInstance(target, options);
    const newestJob =
      withJob && seen.lastJobId !== null ? await newestJobOf(serviceStage, seen.lastJobId, options) : null;
    return { target, seen, problem: null, newestJob };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { target, seen: null, problem: error instanceof Error ? error.message : String(error), newestJob: null };
  }
}

/** The state of the instance is worth showing without it. */
async function newestJobOf(serviceStage: Reads, cloudJobId: string, options: ReadOptions): Promise<NewestJob | null> {
  try {
    const { tasks } = await serviceStage.readCloudJob(cloudJobId, options);
    const timed = tasks.flatMap(({ name, createdAtMs }) =>
      createdAtMs === null ? [] : [{ firstTask: name, beganAtMs: createdAtMs }],
    );
    return timed.sort((left, right) => left.beganAtMs - right.beganAtMs)[0] ?? null;
  } catch {
    options.signal?.throwIfAborted();
    return null;
  }
}

function byName<Entity extends NamedEntity>(entities: readonly Entity[]): Entity[] {
  return [...entities].sort((left, right) => (left.name < right.name ? -1 : 1));
}
