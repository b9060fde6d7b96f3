/** A run is withdrawn only while it has started no target. */
import { describe, expect, it } from 'vitest';
import { afterEvent, NOT_WITHDRAWN, withdrawnBy, type WithdrawalEvent } from '../../../../src/domain/run/withdrawal.js';

const asked = (by: unknown): WithdrawalEvent => ({ kind: 'asked', by });
const STARTED: WithdrawalEvent = { kind: 'targetStarted' };
const ABANDONED: WithdrawalEvent = { kind: 'targetAbandoned' };

describe('a run', () => {
  it.each<[string, readonly WithdrawalEvent[], string | null]>([
    ['that was not called off', [], null],
    ['called off before its first target', [asked('a rule')], 'a rule'],
    ['called off while its first target acts', [STARTED, asked('a rule')], null],
    ['called off between two targets', [STARTED, asked('a rule'), STARTED], null],
    ['called off too late, whose target was then abandoned', [STARTED, asked('a rule'), ABANDONED], 'a rule'],
    ['called off after its target was abandoned', [STARTED, ABANDONED, asked('a rule')], 'a rule'],
    ['called off too late for one target, whose next was abandoned', [STARTED, STARTED, asked('a'), ABANDONED], null],
    ['called off twice', [asked('a rule'), asked('another')], 'another'],
    ['called off by a signal without a name', [asked({ by: 'me' })], 'somebody'],
    ['called off by a name that is too long', [asked('x'.repeat(500))], 'x'.repeat(200)],
  ])('%s', (_what, events, expected) => {
    expect(withdrawnBy(events.reduce(afterEvent, NOT_WITHDRAWN))).toBe(expected);
  });
});
