/** `runbook targets`: the pattern, what is read of ServiceStage and what is left out, and the lines. */
import { describe, expect, it } from 'vitest';
import { createColors } from '../../../src/cli/colors.js';
import { readTargets } from '../../../src/cli/read-targets.js';
import { renderTargets, type ShownTarget } from '../../../src/cli/render-targets.js';
import { targetPattern } from '../../../src/cli/target-pattern.js';
import { anObservation } from '../../support/build.js';

const plain = createColors(false);

function patternOf(text: string) {
  const pattern = targetPattern(text);
  if (pattern === null) throw new Error('it is not a pattern');
  return pattern;
}

describe('a pattern', () => {
  const meant = (pattern: string, name: string) => patternOf(pattern)[2]({ name, id: 'id-1' });

  it.each([
    ['*/*/prod-1', 'prod-1', true],
    ['*/*/prod-1', 'prod-10', false],
    ['*/*/prod-*', 'prod-', true],
    ['*/*/*-1', 'prod-1', true],
    ['*/*/p*d*1', 'prod-1', true],
    ['*/*/p*d*d*1', 'prod-1', false],
    ['*/*/ab*ba', 'aba', false],
    ['*/*/a*b*b', 'ab', false],
    ['*/*/**', 'x', true],
    ['*/*/prod.1', 'prod-1', false],
    ['*/*/id-1', 'anything', true],
    ['*', 'anything', true],
    ['shop', 'anything', true],
  ])('%s on the instance %s: %s', (pattern, name, isMeant) => {
    expect(meant(pattern, name)).toBe(isMeant);
  });

  // Each star that is tried at every place again would double the time: this would never end.
  it('ends with many stars, too', () => {
    expect(meant(`*/*/${'a*'.repeat(2_000)}b`, 'a'.repeat(10_000))).toBe(false);
  });

  it.each(['a/b/c/d', '', '/', 'a//c', 'a/'])('%j is none', (text) => {
    expect(targetPattern(text)).toBeNull();
  });
});

/** Each list has `size` items, and every application and component the same names. */
function cloudOf(size: number, failing: string | null = null) {
  const calls = { applications: 0, components: 0, instances: 0, reads: 0, jobs: 0, together: 0, mostTogether: 0 };
  const items = (prefix: string) =>
    Array.from({ length: size }, (_, index) => ({ id: `${prefix}-id-${index}`, name: `${prefix}-${size - index}` }));
  return {
    calls,
    projectId: 'p',
    listApplications: async () => (calls.applications++, items('app')),
    listComponents: async () => (calls.components++, items('comp')),
    listInstances: async () => (calls.instances++, items('prod').map((item) => ({ ...item, platformType: 'cce' }))),
    readInstance: async ({ instanceId }: { instanceId: string }) => {
      calls.reads++;
      calls.mostTogether = Math.max(calls.mostTogether, ++calls.together);
      await new Promise((resolve) => setTimeout(resolve, 1));
      calls.together--;
      if (instanceId === failing) throw new Error('the reason');
      return anObservation();
    },
    readCloudJob: async (cloudJobId: string) => {
      calls.jobs++;
      if (failing === 'every job') throw new Error('job not found');
      const task = (name: string, createdAtMs: number | null) => ({
        ...{ taskId: name, status: 'SUCCEEDED', messages: '', name, createdAtMs },
      });
      const tasks = [task('not timed', null), task('second', 2_000), task('first', 1_000)];
      return { ...{ cloudJobId, status: 'SUCCEEDED', jobType: null, instanceId: null, createdBy: null }, tasks };
    },
  };
}

describe('reading targets', () => {
  it('asks only for what the pattern can mean', async () => {
    const cloud = cloudOf(3);
    const { targets, leftOut } = await readTargets(cloud, {
      ...{ pattern: patternOf('app-2/comp-*/prod-1'), limit: 50, timeoutMs: 1 },
    });
    expect(targets.map(({ target }) => target.path)).toEqual([
      'app-2/comp-1/prod-1',
      'app-2/comp-2/prod-1',
      'app-2/comp-3/prod-1',
    ]);
    expect(leftOut).toBe(0);
    expect(cloud.calls).toMatchObject({ applications: 1, components: 1, instances: 3, reads: 3 });
  });

  it('stops at its limits and counts what it left out', async () => {
    const cloud = cloudOf(20);
    const { targets, leftOut, componentsLeftOut } = await readTargets(cloud, {
      ...{ pattern: patternOf('*'), limit: 30, timeoutMs: 1 },
    });
    expect(targets).toHaveLength(30);
    expect(leftOut).toBe(200 * 20 - 30);
    expect(componentsLeftOut).toBe(200);
    expect(cloud.calls).toMatchObject({ components: 20, instances: 200, reads: 30 });
    expect(cloud.calls.mostTogether).toBeLessThanOrEqual(10);
  });

  it('shows when the newest cloud job began, where there are few instances', async () => {
    const asked = { limit: 50, timeoutMs: 1 };
    const few = cloudOf(3);
    const { targets } = await readTargets(few, { ...asked, pattern: patternOf('app-1/comp-1') });
    expect(targets.map(({ newestJob }) => newestJob)).toEqual(
      Array.from({ length: 3 }, () => ({ beganAtMs: 1_000, firstTask: 'first' })),
    );
    const many = cloudOf(11);
    await readTargets(many, { ...asked, pattern: patternOf('app-1/comp-1') });
    expect(many.calls).toMatchObject({ reads: 11, jobs: 0 });
    const gone = await readTargets(cloudOf(1, 'every job'), { ...asked, pattern: patternOf('*') });
    expect(gone.targets).toMatchObject([{ problem: null, newestJob: null }]);
  });

  it('shows the others if one cannot be read', async () => {
    const { targets } = await readTargets(cloudOf(2, 'prod-id-0'), {
      ...{ pattern: patternOf('app-1/comp-1'), limit: 50, timeoutMs: 1 },
    });
    expect(targets.map(({ seen, problem }) => [seen?.status ?? null, problem])).toEqual([
      ['RUNNING', null],
      [null, 'the reason'],
    ]);
  });
});

describe('the lines', () => {
  const shown = (change: Partial<ShownTarget> = {}): ShownTarget => ({
    ...{
      path: 'shop/checkout/prod-1',
      instanceId: 'i',
      seen: anObservation(),
      problem: null,
      newestJob: null,
      heldBy: null,
    },
    ...change,
  });

  it('show state, newest cloud job and holder', () => {
    const targets = [
      shown(),
      shown({
        heldBy: { workflowId: 'incident-1', sinceMs: 0 },
        newestJob: { beganAtMs: 1_000, firstTask: 'SEPARATOR_RESTART_1' },
      }),
      shown({ seen: null, problem: 'the reason', heldBy: 'unknown' }),
      shown({ seen: anObservation({ lastJobId: null }) }),
    ];
    expect(renderTargets({ targets, leftOut: 3, componentsLeftOut: 0 }, plain).split('\n')).toEqual([
      'shop/checkout/prod-1  RUNNING 2/2, version 1.4.1',
      '  newest cloud job JOB-0 SUCCEEDED; no run acts on it',
      'shop/checkout/prod-1  RUNNING 2/2, version 1.4.1',
      '  newest cloud job JOB-0 SUCCEEDED, began 1970-01-01T00:00:01Z with SEPARATOR_RESTART_1; held by run incident-1 since 1970-01-01T00:00:00Z',
      'shop/checkout/prod-1  cannot be read: the reason',
      '  not known whether a run acts on it',
      'shop/checkout/prod-1  RUNNING 2/2, version 1.4.1',
      '  no cloud job yet; no run acts on it',
      '3 more match and were not read. Narrow the pattern, or raise --limit',
    ]);
  });

  it('say that nothing matches', () => {
    expect(renderTargets({ targets: [], leftOut: 0, componentsLeftOut: 0 }, plain)).toBe('No instance matches');
  });
});
