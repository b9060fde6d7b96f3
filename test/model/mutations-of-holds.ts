/** Mutations of the rule that a state must hold. The model finds them. */
import { FOUND, type Mutation } from '../chaos/mutation.js';

export const HOLD_MUTATIONS: readonly Mutation[] = [
  {
    name: 'no-state-holds',
    breaks: 'known',
    why: 'Every step ends with the first reading that shows its state, so a target succeeds with a state that was not seen to hold (decision 31).',
    edits: [
      {
        file: 'src/domain/plan/plan.ts',
        from: `  return holds === false ? { ...verify, stableMs: 0 } : verify;`,
        to: `  return { ...verify, stableMs: holds === false ? 0 : Math.min(0, verify.stableMs) };`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'a-skipped-step-does-not-hold',
    breaks: 'known',
    why: 'A step that is skipped after one that only reached its state does not wait, so no step has seen that state hold (decision 31).',
    edits: [
      {
        file: 'src/domain/once/observing.ts',
        from: `  if (before.notHeld === true && heldForMs < verify.stableMs)`,
        to: `  if (before.notHeld === true && heldForMs < 0)`,
      },
    ],
    model: FOUND,
  },
];
