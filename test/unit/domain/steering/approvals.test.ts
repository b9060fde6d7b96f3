/** Approvals: random people who decide, repeat themselves and come too late never get one approved without as many different people as it needs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApprovalRules } from '../../../../src/domain/plan/plan.js';
import type { ApprovalVote } from '../../../../src/domain/report/report.js';
import {
  afterCancel,
  afterTime,
  afterVote,
  approvalFailure,
  approvalOf,
  approvalProgress,
  approvalReport,
  askApproval,
  checkApprovalCommand,
  checkApprover,
  describeApproval,
  describeApprovalReport,
  describeApprovalRules,
  expiresAtMs,
  type Approval,
  type ApprovalContext,
} from '../../../../src/domain/steering/approvals.js';
import { APPROVAL_COMMANDS } from '../../../../src/domain/steering/command-names.js';

const HASH = 'h'.repeat(64);
const rules = (change: Partial<ApprovalRules> = {}): ApprovalRules => ({
  roles: [],
  need: 2,
  notRequester: true,
  expiresMs: 1_000,
  ...change,
});
const plain = (name: string) => name.normalize('NFKC').trim().toLowerCase();

const aRoleSet = fc.option(fc.subarray(['lead', 'dba', 'staff']), { nil: null });
const anAction = fc.oneof(
  fc.record({
    kind: fc.constant('vote' as const),
    command: fc.constantFrom(...APPROVAL_COMMANDS),
    actor: fc.constantFrom('ann', 'Ann ', 'bob', 'ＢＯＢ', 'cyd', 'dan'),
    roles: aRoleSet,
    afterMs: fc.integer({ min: 0, max: 400 }),
  }),
  fc.record({ kind: fc.constant('time' as const), afterMs: fc.integer({ min: 0, max: 400 }) }),
  fc.record({ kind: fc.constant('cancel' as const), afterMs: fc.integer({ min: 0, max: 400 }) }),
);
const someRules = fc.record({
  roles: fc.subarray(['lead', 'dba']),
  need: fc.integer({ min: 1, max: 3 }),
  notRequester: fc.boolean(),
  expiresMs: fc.constantFrom(500, 1_000),
});

describe('an approval', () => {
  it('is approved by as many different people as it needs, in time, none of whom may not', () => {
    fc.assert(
      fc.property(
        someRules,
        fc.constantFrom('ann', null),
        fc.array(anAction, { maxLength: 12 }),
        (given, requester, actions) => {
          let approval = askApproval(given, requester, 0);
          let nowMs = 0;
          for (const action of actions) {
            nowMs += action.afterMs;
            const before = approval;
            if (action.kind === 'time') approval = afterTime(approval, nowMs);
            else if (action.kind === 'cancel') approval = afterCancel(afterTime(approval, nowMs), nowMs);
            else if (checkApprover(approval, action.command, action) === null) {
              const { command, actor, roles } = action;
              approval = afterVote(approval, {
                command,
                actor,
                reason: 'r',
                atMs: nowMs,
                ...(roles === null ? {} : { roles }),
              });
            }
            // What has ended stays as it ended.
            if (before.stage !== 'waiting') expect(approval).toEqual(before);
          }
          const approvers = approval.votes.filter(({ command }) => command === 'approve');
          expect(new Set(approvers.map(({ actor }) => plain(actor))).size).toBe(approvers.length);
          if (given.notRequester) expect(approvers.map(({ actor }) => plain(actor))).not.toContain('ann');
          if (given.notRequester && requester === null) expect(approvers).toEqual([]);
          for (const { roles } of approval.votes)
            if (roles !== undefined && given.roles.length > 0)
              expect(given.roles.some((role) => roles.includes(role))).toBe(true);
          expect(approval.votes.every(({ atMs }) => atMs < expiresAtMs(approval))).toBe(true);
          expect(approvers.length).toBeLessThanOrEqual(given.need);
          if (approval.stage === 'approved') expect(approvers).toHaveLength(given.need);
          if (approval.stage === 'rejected') expect(approval.votes.at(-1)?.command).toBe('reject');
          if (approval.stage === 'waiting') expect(approvers.length).toBeLessThan(given.need);
          else expect(approvalReport(approval).endedAtMs).toBeLessThanOrEqual(Math.max(nowMs, expiresAtMs(approval)));
        },
      ),
    );
  });

  it('is the same for the run, which knows it from its target', () => {
    const vote: ApprovalVote = { command: 'approve', actor: 'bob', reason: 'r', atMs: 10 };
    const asked = afterVote(askApproval(rules(), 'ann', 5), vote);
    expect(approvalOf(approvalProgress(asked, 'done', 't'), 'ann')).toEqual(asked);
  });

  it('has no report while it waits', () => {
    expect(() => approvalReport(askApproval(rules(), 'ann', 0))).toThrow(TypeError);
  });
});

describe('a decision', () => {
  const open = (approval: Approval, step: string | null = null): ApprovalContext => ({
    open: { approval, step, target: step === null ? null : 'a/b/c' },
    planHash: HASH,
    issuer: null,
  });
  const asked = askApproval(rules(), 'ann', 0);
  const given = { actor: 'bob', reason: 'r', planHash: HASH };

  it.each<[string, ApprovalContext, object, RegExp | null]>([
    ['about nothing', { open: null, planHash: HASH, issuer: null }, {}, /nothing waits/],
    ['about another plan', open(asked), { planHash: 'x' }, /another hash/],
    ['about a step while the run waits', open(asked), { step: 'done' }, /whole run waits/],
    [
      'about another step',
      open(asked, 'done'),
      { step: 'other' },
      /step done of a\/b\/c waits for an approval, not step other/,
    ],
    ['about another target', open(asked, 'done'), { target: 'x/y/z' }, /not x\/y\/z/],
    ['about the step that waits', open(asked, 'done'), { step: 'done', target: 'a/b/c' }, null],
    ['without a token where one is needed', { ...open(asked), issuer: 'i' }, {}, /"token", a JSON Web Token of i/],
    ['with a token where one is needed', { ...open(asked), issuer: 'i' }, { token: 't' }, null],
    ['that comes too late', open({ ...asked, askedAtMs: -1_000 }), {}, /time for it is over/],
    ['after a cancel', open(afterCancel(asked, 0)), {}, /being stopped/],
  ])('%s is judged', (_case, context, change, why) => {
    const refusal = checkApprovalCommand(context, { ...given, ...change }, 0);
    if (why === null) expect(refusal).toBeNull();
    else expect(refusal?.why).toMatch(why);
  });
});

describe('the words', () => {
  it('say who has to approve, who has, and how it ended', () => {
    const led = rules({ roles: ['sre-lead', 'dba'], expiresMs: 3_600_000 });
    expect(describeApprovalRules({ ...led, need: 1, roles: [], notRequester: false })).toBe(
      'one approval by anybody, within 1h',
    );
    expect(describeApprovalRules(led)).toBe('2 approvals by sre-lead or dba, not by the requester, within 1h');
    const vote: ApprovalVote = { command: 'approve', actor: 'bob', reason: 'r', atMs: 10 };
    const waiting = afterVote(askApproval(led, 'ann', 0), vote);
    expect(describeApproval(approvalProgress(waiting, 'done', 'The work is done'))).toBe(
      'waits for approval by sre-lead or dba at done, 1 of 2, until 1970-01-01T01:00:00Z: The work is done',
    );
    const expired = approvalReport(afterTime(waiting, 3_600_000));
    expect(describeApprovalReport(expired)).toBe('approval: expired at 1970-01-01T01:00:00Z, by bob, 2 needed');
    expect(approvalFailure(expired)?.message).toBe(
      '1 of 2 approvals by sre-lead or dba were there at 1970-01-01T01:00:00Z',
    );
    expect(approvalFailure(approvalReport(afterCancel(waiting, 20)))).toBeNull();
  });
});
