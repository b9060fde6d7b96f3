/** Planning with lists of a moment ago: the reading shows that a name belongs to another instance now, and it is looked up again. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import type { PlanningDependencies } from '../../../src/activities/make-plan.js';
import { makePlan } from '../../../src/activities/make-plan.js';
import { RecentLists } from '../../../src/activities/recent-lists.js';
import type { Plan } from '../../../src/domain/plan/plan.js';
import { DEFAULT_VERIFY } from '../../../src/domain/runbook/runbook-checks.js';
import { findRunbook } from '../../../src/runbooks/catalogue.js';
import { ServiceStageError } from '../../../src/servicestage/errors.js';
import { anObservation, defaultLimits } from '../../support/build.js';

interface Instance {
  readonly id: string;
  readonly name: string;
  readonly status?: string;
}

/** One component whose instances a test exchanges between two plans. */
function project(instances: Instance[]) {
  const state = { instances, calls: [] as string[] };
  const counted = <Value>(call: string, value: () => Value) => {
    state.calls.push(call);
    return Promise.resolve().then(value);
  };
  const readNamedInstance = ({ instanceId }: { readonly instanceId: string }) =>
    counted('instance', () => {
      const found = state.instances.find(({ id }) => id === instanceId);
      if (found !== undefined)
        return { name: found.name, observation: anObservation({ status: found.status ?? 'RUNNING' }) };
      throw new ServiceStageError({
        code: 'NotFound',
        sent: 'no',
        method: 'GET',
        path: '/i',
        reason: 'no such instance',
      });
    });
  const serviceStage = {
    projectId: 'p',
    listApplications: () => counted('applications', () => [{ id: 'a', name: 'shop' }]),
    listComponents: () => counted('components', () => [{ id: 'c', name: 'checkout' }]),
    listInstances: () => counted('instances', () => state.instances.map((one) => ({ ...one, platformType: 'cce' }))),
    readNamedInstance,
    readInstance: async (place: { readonly instanceId: string }) => (await readNamedInstance(place)).observation,
  } as unknown as PlanningDependencies['serviceStage'];
  const dependencies = {
    serviceStage,
    lists: new RecentLists(serviceStage, 1_000),
    findRunbook: (name: string) => findRunbook([], name),
    limits: defaultLimits,
    usualDurations: () => null,
    usualDurationsMs: {},
    operatorWaitMs: 0,
    temporal: { hasStateAttribute: async () => false },
    verify: DEFAULT_VERIFY,
  } as unknown as PlanningDependencies;
  /** @returns the id of the instance that a run would act on */
  const plan = async (target = 'shop/checkout/prod-1') => {
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const made = await environment.run<[], Plan, () => Promise<Plan>>(() =>
      makePlan(dependencies, 'restart', { targets: [target] }),
    );
    return made.targets[0]?.target;
  };
  return { state, plan };
}

const LISTS = ['applications', 'components', 'instances'];

describe('a plan made from lists of a moment ago', () => {
  it('costs one reading if they are up to date', async () => {
    const { state, plan } = project([{ id: 'i1', name: 'prod-1' }]);
    await plan();
    expect(state.calls).toEqual([...LISTS, 'instance']);
    await plan();
    expect(state.calls).toEqual([...LISTS, 'instance', 'instance']);
  });

  it.each<[string, Instance[]]>([
    [
      'was renamed, and another one has its name',
      [
        { id: 'i1', name: 'prod-old' },
        { id: 'i2', name: 'prod-1' },
      ],
    ],
    ['was deleted and made again', [{ id: 'i2', name: 'prod-1' }]],
  ])('acts on the instance that has the name now, if the one it knew %s', async (_case, now) => {
    const { state, plan } = project([{ id: 'i1', name: 'prod-1' }]);
    await plan();
    state.instances = now;
    expect(await plan()).toMatchObject({ instanceId: 'i2', path: 'shop/checkout/prod-1' });
    expect(state.calls).toEqual([...LISTS, 'instance', 'instance', ...LISTS, 'instance']);
  });

  it('calls an instance that was named by its id by its new name', async () => {
    const { state, plan } = project([{ id: 'i1', name: 'prod-1' }]);
    await plan('shop/checkout/i1');
    state.instances = [{ id: 'i1', name: 'prod-2' }];
    expect(await plan('shop/checkout/i1')).toMatchObject({ instanceId: 'i1', path: 'shop/checkout/prod-2' });
  });

  it.each<[string, Instance[], RegExp]>([
    ['was renamed', [{ id: 'i1', name: 'prod-2' }], /there is no instance "prod-1".*prod-2/],
    ['was deleted', [], /there is no instance "prod-1"/],
    ['is being deleted', [{ id: 'i1', name: 'prod-1', status: 'DELETED' }], /the instance is DELETED/],
  ])('is refused if the instance %s, by what is there now', async (_case, now, words) => {
    const { state, plan } = project([{ id: 'i1', name: 'prod-1' }]);
    await plan();
    state.instances = now;
    await expect(plan()).rejects.toThrow(words);
  });
});
