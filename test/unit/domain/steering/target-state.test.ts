/** What anybody may send as the signal of a target is read without trust. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isApprovalOrder, readTargetState } from '../../../../src/domain/steering/target-state.js';

const blocked = { step: 'stop', why: 'JobFailed: no', untilMs: 5, result: 'failed' };
const state = { path: 'a/b/c', state: 'blocked', order: 1, heldMs: 2, blocked };

const approval = {
  step: 'work-done',
  title: 'The work is done',
  need: 2,
  roles: ['lead'],
  notRequester: true,
  votes: [{ command: 'approve', actor: 'bob', reason: 'seen', atMs: 3 }],
  askedAtMs: 2,
  untilMs: 9,
};
const asking = { path: 'a/b/c', state: 'waitingForApproval', order: 0, heldMs: 0, approval };

it('reads what a target sends', () => {
  expect(readTargetState(state)).toEqual(state);
  const running = { path: 'a/b/c', state: 'running', order: 0, heldMs: 0, late: { step: 'stop', afterMs: 9 } };
  expect(readTargetState(running)).toEqual(running);
  expect(readTargetState(asking)).toEqual(asking);
});

it.each([
  ['no path', { ...state, path: 1 }],
  ['another state', { ...state, state: 'lost' }],
  ['a blocked target without its step', { ...state, blocked: { why: 'x', untilMs: 1 } }],
  ['a time that no date has', { ...state, blocked: { ...blocked, untilMs: 1e300 } }],
  ['a negative time', { ...state, heldMs: -1 }],
  ['a wait for an approval without the approval', { ...asking, approval: undefined }],
  ['an approval without a step', { ...asking, approval: { ...approval, step: null } }],
  ['an approval with a vote of no one', { ...asking, approval: { ...approval, votes: [{}] } }],
  ['no time', { ...state, heldMs: Number.NaN }],
])('reads nothing from %s', (_name, given) => {
  expect(readTargetState(given)).toBeNull();
});

it('leaves out a part of another shape', () => {
  expect(readTargetState({ ...state, late: { step: 3 } })).toEqual(state);
});

it('never throws', () => {
  fc.assert(fc.property(fc.anything(), (given) => void readTargetState(given)));
});

describe('a vote that a run passes on', () => {
  const [vote] = approval.votes;
  const order = { step: 'seen', askedAtMs: 1, vote };

  it('is taken with its token, or without one', () => {
    expect(isApprovalOrder(order)).toBe(true);
    expect(isApprovalOrder({ ...order, token: 't' })).toBe(true);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'approve'],
    ['one without a step', { ...order, step: undefined }],
    ['one about no time', { ...order, askedAtMs: NaN }],
    ['one without a vote', { ...order, vote: null }],
    ['one of no one', { ...order, vote: { ...vote, actor: 7 } }],
    ['another command', { ...order, vote: { ...vote, command: 'pause' } }],
  ])('is not taken if it is %s', (_what, given) => {
    expect(isApprovalOrder(given)).toBe(false);
  });
});
