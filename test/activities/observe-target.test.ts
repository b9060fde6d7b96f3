/** `observeTarget`: the time of a first reading, by which a workflow decides whether something sent before may still appear. */
import { expect, it } from 'vitest';
import { MockActivityEnvironment } from '@temporalio/testing';
import { observeTarget } from '../../src/activities/observe-target.js';
import type { FirstReading } from '../../src/domain/contract.js';
import type { ServiceStage } from '../../src/servicestage/service-stage.js';
import { pause } from '../../src/time/pause.js';
import { anObservation, aTarget, quickLimits } from '../support/build.js';

it('a first reading is as old as its question, however slow the answer is', async () => {
  let askedAtMs = 0;
  const slow: Pick<ServiceStage, 'projectId' | 'readInstance'> = {
    projectId: aTarget().projectId,
    readInstance: async () => {
      askedAtMs = Date.now();
      await pause(20);
      return anObservation({ observedAtMs: Date.now() });
    },
  };
  const read = new MockActivityEnvironment().run(() =>
    observeTarget(slow as ServiceStage, aTarget(), quickLimits(), 'run-1'),
  );
  expect(((await read) as FirstReading).observedAtMs).toBeLessThanOrEqual(askedAtMs);
});
