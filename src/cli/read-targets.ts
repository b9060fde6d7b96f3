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

type Reads = Pick<ServiceStage, 'projectId' | 'listApplications' | 'listComponents' | 'listInstances' | 'readInstance'>;

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
  const targets = await pMap(chosen, (target) => readTarget(serviceStage, target, options), together);
  return {
    targets,
    leftOut: instances.length - chosen.length,
    componentsLeftOut: Math.max(0, components.length - MOST_COMPONENTS),
  };
}

/** One instance that cannot be read must not hide the others. */
async function readTarget(serviceStage: Reads, target: Target, options: ReadOptions): Promise<ReadTarget> {
  try {
    return { target, seen: await serviceStage.readInstance(target, options), problem: null };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { target, seen: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

function byName<Entity extends NamedEntity>(entities: readonly Entity[]): Entity[] {
  return [...entities].sort((left, right) => (left.name < right.name ? -1 : 1));
}
