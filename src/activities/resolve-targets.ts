/**
 * Resolves `application/component/instance`, each part by name or id, to an instance in ServiceStage, or to a
 * problem.
 */
import type { Problem } from '../domain/failures.js';
import { suggest } from '../domain/text/suggest.js';
import type { Target } from '../domain/target/target.js';
import { ServiceStageError } from '../servicestage/errors.js';
import type { ListedInstance, NamedEntity } from '../servicestage/service-stage.js';
import type { RecentLists, Wanted } from './recent-lists.js';

const SHOWN = 10;

/**
 * Resolves the targets of one plan. It believes lists that were read a moment ago, also for another plan, until one of
 * them turns out to be out of date.
 */
export class TargetResolver {
  readonly #beganAtMs: number;

  constructor(
    private readonly projectId: string,
    private readonly lists: RecentLists,
    private readonly signal: AbortSignal,
  ) {
    this.#beganAtMs = lists.nowMs();
  }

  /** @returns a problem only if lists that were read for this plan show it. @throws ServiceStageError */
  async resolve(text: string): Promise<Target | Problem> {
    try {
      const target = await this.#resolve(text, { signal: this.signal });
      if (!('found' in target)) return target;
    } catch (error) {
      // The parent of a list was deleted since it was listed itself.
      if (!(error instanceof ServiceStageError && error.code === 'NotFound')) throw error;
    }
    return this.resolveFromNewLists(text);
  }

  /** Believes only lists that were read since this plan was begun. @throws ServiceStageError */
  resolveFromNewLists(text: string): Promise<Target | Problem> {
    return this.#resolve(text, { signal: this.signal, sinceMs: this.#beganAtMs });
  }

  async #resolve(text: string, wanted: Wanted): Promise<Target | Problem> {
    const parts = text.split('/');
    const [applicationText = '', componentText = '', instanceText = ''] = parts;
    if (parts.length !== 3 || parts.some((part) => part.trim() === '')) {
      return problem(
        text,
        'it must have the form application/component/instance',
        'Write three names or ids, such as shop/checkout/prod-1',
      );
    }
    const application = pick('application', applicationText, await this.lists.applications(wanted));
    if ('found' in application) return problem(text, application.found, application.remedy);
    const component = pick('component', componentText, await this.lists.components(application.id, wanted));
    if ('found' in component) return problem(text, component.found, component.remedy);
    const instances = await this.lists.instances(application.id, component.id, wanted);
    const instance = pick('instance', instanceText, instances);
    if ('found' in instance) return problem(text, instance.found, instance.remedy);
    return {
      path: `${application.name}/${component.name}/${instance.name}`,
      projectId: this.projectId,
      applicationId: application.id,
      componentId: component.id,
      instanceId: instance.id,
      platformType: instance.platformType,
    };
  }
}

interface Miss {
  readonly found: string;
  readonly remedy: string;
}

function pick<Item extends NamedEntity | ListedInstance>(
  kind: string,
  text: string,
  items: readonly Item[],
): Item | Miss {
  const byId = items.find(({ id }) => id === text);
  if (byId !== undefined) return byId;
  const byName = items.filter(({ name }) => name === text);
  const [first, second] = byName;
  if (second !== undefined)
    return {
      found: `${byName.length} ${kind}s are called "${text}"`,
      remedy: `Use an id: ${byName.map(({ id }) => id).join(', ')}`,
    };
  if (first !== undefined) return first;
  const names = items.map(({ name }) => name);
  const ordered = [...new Set([...suggest(text, names), ...names.sort()])].slice(0, SHOWN);
  const rest = names.length > ordered.length ? `, and ${names.length - ordered.length} more` : '';
  return {
    found: `there is no ${kind} "${text}"`,
    remedy: names.length === 0 ? `There are no ${kind}s there` : `There are: ${ordered.join(', ')}${rest}`,
  };
}

function problem(target: string, found: string, remedy: string): Problem {
  return { code: 'unknown-target', place: `target ${target.slice(0, 200)}`, found: found.slice(0, 500), remedy };
}
