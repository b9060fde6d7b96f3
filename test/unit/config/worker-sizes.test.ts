import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerSizes } from '../../../src/config/worker-sizes.js';

const MB = 2 ** 20;

function sizesWith(totalMb: number, heapLimitMb: number) {
  return workerSizes({ totalBytes: totalMb * MB, heapLimitBytes: heapLimitMb * MB }, {});
}

describe('the sizes of a worker', () => {
  it.each([
    // A burst of 500 runs is 1,000 workflows.
    [512, 280, 521, 578],
    [1_024, 560, 1_779, 1_977],
    [24_000, 4_144, 5_000, 2_500],
    // The heap is smaller than the memory would allow.
    [24_000, 200, 945, 2_500],
  ])('fit into %d MB with a heap of %d MB', (totalMb, heapLimitMb, cachedWorkflows, activitySlots) => {
    expect(sizesWith(totalMb, heapLimitMb)).toEqual({ cachedWorkflows, activitySlots, workflowTaskSlots: 200 });
  });

  it.each([
    [128, 64],
    [256, 140],
  ])('never fall below what works, as in %d MB with a heap of %d MB', (totalMb, heapLimitMb) => {
    expect(sizesWith(totalMb, heapLimitMb)).toEqual({
      cachedWorkflows: 200,
      activitySlots: 500,
      workflowTaskSlots: 200,
    });
  });

  it('are those that were chosen, whatever the memory is', () => {
    const memory = { totalBytes: 128 * MB, heapLimitBytes: 64 * MB };
    expect(workerSizes(memory, { cachedWorkflows: 20_000, waitingSteps: 9_000 })).toMatchObject({
      cachedWorkflows: 20_000,
      activitySlots: 9_000,
    });
    // The SDK takes no more workflow tasks than workflows.
    expect(workerSizes(memory, { cachedWorkflows: 50 })).toEqual({
      cachedWorkflows: 50,
      activitySlots: 500,
      workflowTaskSlots: 50,
    });
  });

  it('fit into the memory together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 600, max: 64_000 }), (totalMb) => {
        const { cachedWorkflows, activitySlots } = sizesWith(totalMb, totalMb);
        expect(300 * 1_024 + cachedWorkflows * 250 + activitySlots * 150).toBeLessThanOrEqual(totalMb * 1_024);
      }),
    );
  });

  it('never shrink when there is more memory', () => {
    const mb = fc.integer({ min: 0, max: 64_000 });
    fc.assert(
      fc.property(mb, mb, mb, mb, (totalMb, heapLimitMb, moreMb, moreHeapMb) => {
        const less = sizesWith(totalMb, heapLimitMb);
        const more = sizesWith(totalMb + moreMb, heapLimitMb + moreHeapMb);
        expect(more.cachedWorkflows).toBeGreaterThanOrEqual(less.cachedWorkflows);
        expect(more.activitySlots).toBeGreaterThanOrEqual(less.activitySlots);
        expect(more.workflowTaskSlots).toBeLessThanOrEqual(more.cachedWorkflows);
      }),
    );
  });
});
