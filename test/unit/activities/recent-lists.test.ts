/** Lists that were read a moment ago, in virtual time: shared, believed for 30 s, read again where somebody needs a newer one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEPT_MS, RecentLists } from '../../../src/activities/recent-lists.js';
import { TargetResolver } from '../../../src/activities/resolve-targets.js';
import { ServiceStageError } from '../../../src/servicestage/errors.js';
import type { ReadOptions } from '../../../src/servicestage/service-stage.js';

const never = new AbortController().signal;

/** A project whose names a test changes. Each listing waits until `answer` is called. */
function world() {
  const names = { application: 'shop', component: 'checkout', instances: [{ id: 'i1', name: 'prod-1' }] };
  const under: (() => void)[] = [];
  let nowMs = 0;
  let calls = 0;
  let aborted = 0;
  const listed = <Row>(rows: () => Row[], { signal }: ReadOptions) => {
    calls++;
    return new Promise<Row[]>((resolve, reject) => {
      signal?.addEventListener('abort', () => {
        aborted++;
        reject(signal.reason as Error);
      });
      under.push(() => {
        try {
          resolve(rows());
        } catch (error) {
          reject(error);
        }
      });
    });
  };
  const serviceStage = {
    listApplications: (options: ReadOptions) => listed(() => [{ id: 'a', name: names.application }], options),
    listComponents: (_application: string, options: ReadOptions) =>
      listed(() => [{ id: 'c', name: names.component }], options),
    listInstances: (_application: string, _component: string, options: ReadOptions) =>
      listed(() => names.instances.map((each) => ({ ...each, platformType: 'cce' })), options),
  };
  const lists = new RecentLists(serviceStage, 5_000, () => nowMs);
  /** Answers what is asked, until nothing is. */
  const answer = async () => {
    for (let quiet = 0; quiet < 20; quiet++) {
      if (under.length > 0) quiet = 0;
      for (const go of under.splice(0)) go();
      await Promise.resolve();
    }
  };
  return {
    names,
    lists,
    serviceStage,
    answer,
    pass: (ms: number) => (nowMs += ms),
    resolver: (signal: AbortSignal = new AbortController().signal) => new TargetResolver('p', lists, signal),
    resolve: async (text: string) => {
      const resolved = new TargetResolver('p', lists, new AbortController().signal).resolve(text);
      await answer();
      return resolved;
    },
    get calls() {
      return calls;
    },
    get aborted() {
      return aborted;
    },
  };
}

describe('the lists of a worker', () => {
  it('are read once for a hundred plans that are made at the same time', async () => {
    const each = world();
    const resolved = Array.from({ length: 100 }, () => each.resolver().resolve('shop/checkout/prod-1'));
    await each.answer();
    expect(new Set((await Promise.all(resolved)).map((target) => 'instanceId' in target && target.instanceId))).toEqual(
      new Set(['i1']),
    );
    expect(each.calls).toBe(3);
  });

  it('are read once more for a hundred plans that name an instance which is not there', async () => {
    const each = world();
    await each.resolve('shop/checkout/prod-1');
    const resolved = Array.from({ length: 100 }, () => {
      each.pass(1);
      return each.resolver().resolve('shop/checkout/prod-9');
    });
    await each.answer();
    for (const problem of await Promise.all(resolved))
      expect(problem).toMatchObject({ found: `there is no instance "prod-9"` });
    expect(each.calls).toBe(6);
  });

  it('are believed for 30 s', async () => {
    const each = world();
    await each.resolve('shop/checkout/prod-1');
    each.pass(KEPT_MS - 1);
    await each.resolve('shop/checkout/prod-1');
    expect(each.calls).toBe(3);
    each.pass(1);
    await each.resolve('shop/checkout/prod-1');
    expect(each.calls).toBe(6);
  });

  it('are read again before a name counts as unknown', async () => {
    const each = world();
    await each.resolve('shop/checkout/prod-1');
    each.names.instances.push({ id: 'i2', name: 'prod-2' });
    each.pass(1);
    expect(await each.resolve('shop/checkout/prod-2')).toMatchObject({ instanceId: 'i2' });
    each.names.application = 'store';
    each.pass(1);
    expect(await each.resolve('store/checkout/prod-2')).toMatchObject({ path: 'store/checkout/prod-2' });
    each.pass(1);
    expect(await each.resolve('shop/checkout/prod-2')).toMatchObject({ code: 'unknown-target' });
  });

  it('are read again if what they name was deleted', async () => {
    const each = world();
    await each.resolve('shop/checkout/prod-1');
    each.pass(KEPT_MS / 2);
    const deleted = new ServiceStageError({
      code: 'NotFound',
      sent: 'no',
      method: 'GET',
      path: '/',
      reason: 'deleted',
    });
    let isDeleted = true;
    const { listInstances } = each.serviceStage;
    each.serviceStage.listInstances = (...given) => {
      if (!isDeleted) return listInstances(...given);
      isDeleted = false;
      return Promise.reject(deleted);
    };
    const resolver = each.resolver();
    each.pass(KEPT_MS);
    const resolved = resolver.resolve('shop/checkout/prod-1');
    await each.answer();
    expect(await resolved).toMatchObject({ instanceId: 'i1' });
  });

  it('give a plan only what was read since it began, once it found out that a list is old', async () => {
    const each = world();
    await each.resolve('shop/checkout/prod-1');
    each.pass(1);
    each.names.instances = [{ id: 'i7', name: 'prod-1' }];
    const resolver = each.resolver();
    expect(await resolver.resolve('shop/checkout/prod-1')).toMatchObject({ instanceId: 'i1' });
    const again = resolver.resolveFromNewLists('shop/checkout/prod-1');
    await each.answer();
    expect(await again).toMatchObject({ instanceId: 'i7' });
    await resolver.resolveFromNewLists('shop/checkout/prod-1');
    expect(each.calls).toBe(6);
  });

  it('are not kept if reading them failed', async () => {
    const each = world();
    const { listApplications } = each.serviceStage;
    each.serviceStage.listApplications = () => Promise.reject(new Error('503'));
    await expect(each.resolve('shop/checkout/prod-1')).rejects.toThrow('503');
    each.serviceStage.listApplications = listApplications;
    expect(await each.resolve('shop/checkout/prod-1')).toMatchObject({ instanceId: 'i1' });
  });

  it('are read to the end while anybody waits, and no longer', async () => {
    const each = world();
    const [first, second] = [new AbortController(), new AbortController()];
    const plans = [first, second].map(({ signal }) => each.resolver(signal).resolve('shop/checkout/prod-1'));
    const ends = Promise.allSettled(plans);
    first.abort(new Error('cancelled'));
    await Promise.resolve();
    expect(each.aborted).toBe(0);
    second.abort(new Error('cancelled'));
    await ends;
    expect(each.aborted).toBe(1);
    for (const end of await ends) expect(end).toMatchObject({ reason: { message: 'cancelled' } });
    expect(await each.resolve('shop/checkout/prod-1')).toMatchObject({ instanceId: 'i1' });
  });

  it('have a bound: the oldest go first', async () => {
    const rows = Array.from({ length: 9_000 }, (_row, index) => ({ id: `i${index}`, name: 'n', platformType: 'cce' }));
    let calls = 0;
    const listInstances = async () => {
      calls++;
      return rows;
    };
    const lists = new RecentLists(
      { listApplications: listInstances, listComponents: listInstances, listInstances },
      1,
      () => 0,
    );
    for (const id of ['a', 'b', 'c']) await lists.instances('app', id, { signal: never });
    await lists.instances('app', 'c', { signal: never });
    expect(calls).toBe(3);
    await lists.instances('app', 'a', { signal: never });
    expect(calls).toBe(4);
  });
});

describe('a name that is resolved through them', () => {
  it('is never one that was not there for longer than 30 s, whatever changes when', async () => {
    const change = fc.record({ afterMs: fc.nat({ max: 40_000 }), name: fc.constantFrom('prod-1', 'prod-2', 'prod-3') });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 8 }), fc.nat({ max: 40_000 }), async (changes, lastMs) => {
        const each = world();
        const called = [{ name: 'prod-1', untilMs: Infinity }];
        let nowMs = 0;
        for (const { afterMs, name } of changes) {
          await each.resolve('shop/checkout/i1');
          nowMs += afterMs + 1;
          each.pass(afterMs + 1);
          (called.at(-1) as { untilMs: number }).untilMs = nowMs;
          called.push({ name, untilMs: Infinity });
          each.names.instances = [{ id: 'i1', name }];
        }
        nowMs += lastMs;
        each.pass(lastMs);
        for (const text of ['prod-1', 'prod-2', 'prod-3']) {
          const found = await each.resolve(`shop/checkout/${text}`);
          const isName = called.at(-1)?.name === text;
          if (isName) expect(found).toMatchObject({ instanceId: 'i1' });
          else if (!('found' in found))
            expect(called.some(({ name, untilMs }) => name === text && nowMs - untilMs < KEPT_MS)).toBe(true);
        }
      }),
    );
  });
});
