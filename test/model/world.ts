/** What every part of the model works with: one clock, one dice, one scenario, one ground truth. */
import type { Dice } from '../chaos/dice.js';
import type { beginActing, beginSettling, next } from '../../src/domain/once/next.js';
import type { Cloud } from './cloud.js';
import type { Polls } from './polls.js';
import type { Mishaps } from './mishaps.js';
import type { GroundTruth } from './ground-truth.js';
import type { Scenario } from './scenario.js';
import type { Server } from './server.js';
import type { VirtualTime } from './virtual-time.js';

/** The machine under test: the product's own, or one that was broken on purpose. */
export interface Machine {
  readonly beginActing: typeof beginActing;
  readonly beginSettling: typeof beginSettling;
  readonly next: typeof next;
}

/** Shared by all parts of one interleaving. */
export interface World {
  readonly scenario: Scenario;
  readonly machine: Machine;
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly mishaps: Mishaps;
  readonly polls: Polls;
  readonly cloud: Cloud;
  readonly server: Server;
  readonly truth: GroundTruth;
  /** Adds one line to the transcript; `what` is only called if there is one. */
  readonly log: (who: string, what: () => string) => void;
}
