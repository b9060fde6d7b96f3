/** For workers of tests that count nothing: without the sink the SDK logs an error whenever a step or a run ends. */
import { runSinks } from '../../src/worker/run-sinks.js';

const nothing = (): void => {};

export const unobserved = runSinks({
  runEnded: nothing,
  stepEnded: nothing,
  undoEnded: nothing,
  approvalEnded: nothing,
  gateWaited: nothing,
});
