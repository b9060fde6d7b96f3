/** An approval as its target decides it: which orders are about it, and what becomes of one that does not count. */
import { describe, expect, it } from 'vitest';
import type { ApprovalOrder } from '../../../../src/domain/contract.js';
import { askApproval, approvalProgress, expiresAtMs } from '../../../../src/domain/steering/approvals.js';
import { afterOrder, askAgain, orderFor, waitedForMs } from '../../../../src/domain/steering/target-approvals.js';

const ASKED_MS = 1_000;
const RULES = { need: 2, roles: [], notRequester: true, expiresMs: 60_000 };
const asked = askApproval(RULES, 'ann', ASKED_MS);
const voteOf = (actor: string) => ({ command: 'approve', actor, reason: 'seen', atMs: ASKED_MS + 10 }) as const;
const orderOf = (actor: string, askedAtMs = ASKED_MS, step = 'work'): ApprovalOrder => ({
  ...{ step, askedAtMs, vote: voteOf(actor) },
});

describe('an order', () => {
  it('is about the step since it began to ask, however often it has asked again', () => {
    const [before, other, again] = [
      orderOf('bob', ASKED_MS - 1),
      orderOf('bob', ASKED_MS, 'other'),
      orderOf('cyd', 9_000),
    ];
    expect(orderFor([before, other], 'work', ASKED_MS)).toBeUndefined();
    expect(orderFor([before, other, again], 'work', ASKED_MS)).toBe(again);
  });

  it.each([
    ['whose token proves nothing', null],
    ['of the requester', voteOf('ann')],
  ])('%s leaves the approval as it is', (_case, vote) => {
    expect(afterOrder(asked, vote)).toBe(asked);
  });
});

describe('an approval that is asked for again', () => {
  const one = afterOrder(asked, voteOf('bob'));

  it('keeps the votes that count and its end, and is another question for the run', () => {
    const again = askAgain(one, 31_000);
    expect(approvalProgress(again, 'work', 'a title')).toMatchObject({
      votes: [{ actor: 'bob' }],
      askedAtMs: 31_000,
      untilMs: expiresAtMs(asked),
    });
    expect(afterOrder(again, voteOf('cyd'))).toMatchObject({ stage: 'approved' });
  });

  it('is another question at the same moment, too', () => {
    expect(askAgain(one, ASKED_MS).askedAtMs).toBe(ASKED_MS + 1);
  });

  it('is not asked for again once it has expired', () => {
    expect(askAgain(one, expiresAtMs(one))).toBe(one);
  });

  it('has waited since it was asked for first', () => {
    expect(waitedForMs(askAgain(one, 31_000), ASKED_MS, 41_000)).toBe(40_000);
  });
});
