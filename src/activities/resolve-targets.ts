/**
 * Resolves `application/component/instance`, each part by name or id, to an instance in ServiceStage, or to a
 * problem.
 */
import type { Problem } from '../domain/failures.js';
import { suggest } from '../domain/text/suggest.js';
import type { Target } from '../domain/target/target.js';
import type { ListedInstance, NamedEntity, ReadOptions, ServiceStage } from '../servicestage/service-stage.js';

const SHOWN = 10;

/** Resolves the targets of one plan. Each list is read once, however many targets share it. */
export class TargetResolver {
  readonly #lists = new Map<string, Promise<readonly NamedEntity[]>>();

  constructor(
    private readonly serviceStage: ServiceStage,
    private readonly options: () => ReadOptions,
  ) {}

  async resolve(text: string): Promise<Target | Problem> {
    const parts = text.split('/');
    const [applicationText = '', componentText = '', instanceText = ''] = parts;
    if (parts.length !== 3 || parts.some((part) => part.trim() === '')) {
      return problem(
        text,
        'it must have the form application/component/instance',
        'Write three names or ids, such as shop/checkout/prod-1',
      );
    }
    const application = pick(
      'application',
      applicationText,
      await this.#list('', () => this.serviceStage.listApplications(this.options())),
    );
    if ('found' in application) return problem(text, application.found, application.remedy);
    const components = () => this.serviceStage.listComponents(application.id, this.options());
    const component = pick('component', componentText, await this.#list(application.id, components));
    if ('found' in component) return problem(text, component.found, component.remedy);
    const instances = () => this.serviceStage.listInstances(application.id, component.id, this.options());
    const instance = pick('instance', instanceText, await this.#list(component.id, instances));
    if ('found' in instance) return problem(text, instance.found, instance.remedy);
    return {
      path: `${application.name}/${component.name}/${instance.name}`,
      projectId: this.serviceStage.projectId,
      applicationId: application.id,
      componentId: component.id,
      instanceId: instance.id,
      platformType: instance.platformType,
    };
  }

  #list<Item extends NamedEntity>(key: string, read: () => Promise<readonly Item[]>): Promise<readonly Item[]> {
    const known = this.#lists.get(key) as Promise<readonly Item[]> | undefined;
    const list = known ?? read();
    this.#lists.set(key, list);
    return list;
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
