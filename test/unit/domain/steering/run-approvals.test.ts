/** What a run answers to decisions about its open approval, when signed ones overlap. */
import { describe, expect, it } from 'vitest';
import { askApproval } from '../../../../src/domain/steering/approvals.js';
import { NO_COMMANDS, type CommandArguments, type Refusal } from '../../../../src/domain/steering/commands.js';
import {
  afterDecision,
  afterProof,
  afterTargetReport,
  checkDecision,
  type AnsweredDecision,
  type ApprovalDesk,
} from '../../../../src/domain/steering/run-approvals.js';
import { approvalProgress } from '../../../../src/domain/steering/approvals.js';

const ISSUER = 'https://id.example.com';
const ASKED_MS = 1_000;
const NOW_MS = 2_000;

const rules = { roles: [], need: 2, notRequester: true, expiresMs: 60_000 };
const approval = askApproval(rules, 'ann', ASKED_MS);
const desk: ApprovalDesk = {
  open: { approval, step: 'may-start', target: 'shop/web/web-1' },
  planHash: 'plan',
  issuer: ISSUER,
  log: NO_COMMANDS,
  isStopping: false,
};

const TIMES = { receivedAtMs: NOW_MS, nowMs: NOW_MS + 50, about: desk.open };

function given(actor: string, key: string): CommandArguments {
  return { actor, reason: 'seen', key, planHash: 'plan', token: 'a.b.c' };
}

function proved(actor: string) {
  return { kind: 'proved', actor, roles: [] } as const;
}

function answered(after: AnsweredDecision | Refusal | null): AnsweredDecision {
  if (after === null || 'why' in after) throw new TypeError(after?.why ?? 'it has to be proved');
  return after;
}

describe('a signed decision that comes again while the first one is verified', () => {
  it('is answered as the first one, and counts once', () => {
    expect(afterDecision(desk, 'approve', given('bob', 'k1'), NOW_MS)).toBeNull();
    const first = answered(afterProof(desk, 'approve', given('bob', 'k1'), proved('bob'), TIMES));
    expect(first.answer.repeated).toBe(false);
    const then = { ...desk, open: first.open, log: first.log };
    const again = answered(afterProof(then, 'approve', given('bob', 'k1'), proved('bob'), TIMES));
    expect(again.answer).toEqual({ ...first.answer, repeated: true });
    expect(again.open?.approval.votes).toHaveLength(1);
    expect(again.order).toBeNull();
  });

  it('is answered as the first one also if that has ended the approval', () => {
    const first = answered(afterProof(desk, 'reject', given('bob', 'k1'), proved('bob'), TIMES));
    const over = { ...desk, open: null, log: first.log };
    expect(answered(afterProof(over, 'reject', given('bob', 'k1'), proved('bob'), TIMES)).answer.repeated).toBe(true);
    const still = { ...desk, open: first.open, log: first.log };
    const again = answered(afterProof(still, 'reject', given('bob', 'k1'), proved('bob'), TIMES));
    expect(again.log.accepted).toHaveLength(1);
  });
});

it('the key of a decision about one target is not that of a decision about another one, though the step is the same', () => {
  const unsigned = { ...desk, issuer: null };
  const { token: _none, ...onFirst } = { ...given('bob', 'k1'), target: 'shop/web/web-1' };
  const first = answered(afterDecision(unsigned, 'reject', onFirst, NOW_MS));
  const next = { ...unsigned, open: { approval, step: 'may-start', target: 'shop/web/web-2' }, log: first.log };
  expect(checkDecision(next, 'reject', { ...onFirst, target: 'shop/web/web-2' }, NOW_MS)).toMatchObject({
    why: 'the key "k1" was used for reject of bob. Give it another key',
  });
  expect(checkDecision(next, 'reject', onFirst, NOW_MS)).toBeNull();
  expect(answered(afterDecision(next, 'reject', onFirst, NOW_MS)).answer.repeated).toBe(true);
});

it('a signed decision is refused if the approval ended while its token was verified', () => {
  const late = { ...TIMES, nowMs: ASKED_MS + rules.expiresMs };
  expect(afterProof(desk, 'approve', given('bob', 'k1'), proved('bob'), late)).toMatchObject({
    why: 'the time for it is over',
  });
});

it('a signed decision counts for no other approval than the one that was open when it was received', () => {
  const another = { ...desk, open: { approval, step: 'work-done', target: 'shop/web/web-1' } };
  const later = { ...desk, open: { ...desk.open!, approval: { ...approval, askedAtMs: ASKED_MS + 1 } } };
  for (const now of [another, later, { ...desk, open: { approval, step: null, target: null } }])
    expect(afterProof(now, 'approve', given('bob', 'k1'), proved('bob'), TIMES)).toMatchObject({
      why: 'the approval that it was for is over',
    });
});

it('what the run has counted stays counted when the target reports the same approval again', () => {
  const { open } = answered(afterProof(desk, 'approve', given('bob', 'k1'), proved('bob'), TIMES));
  const shown = approvalProgress(approval, 'may-start', 'may it continue');
  expect(afterTargetReport(open, 'shop/web/web-1', shown, 'ann')).toBe(open);
  expect(afterTargetReport(open, 'shop/web/web-1', { ...shown, askedAtMs: 9 }, 'ann')?.approval.votes).toEqual([]);
  expect(afterTargetReport(open, 'shop/web/web-1', undefined, 'ann')).toBeNull();
  expect(afterTargetReport(open, 'shop/web/web-2', undefined, 'ann')).toBe(open);
});
