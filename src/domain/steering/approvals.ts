/** An approval that a run or a step asks for: its rules, its votes, and how it ended. Pure; run and target decide by the same functions. */
import { failureRecord, type FailureRecord } from '../failures.js';
import type { ApprovalRules } from '../plan/plan.js';
import type { ApprovalReport, ApprovalVote } from '../report/report.js';
import type { ApprovalProgress } from '../report/progress.js';
import { describeDuration } from '../time/duration.js';
import { describeTime } from '../time/utc-time.js';
import { APPROVAL_COMMANDS, type ApprovalCommandName } from './command-names.js';
import type { CommandArguments, Refusal } from './commands.js';

/** An approval, from the moment when it is asked for. */
export interface Approval {
  readonly stage: 'waiting' | ApprovalReport['result'];
  readonly rules: ApprovalRules;
  /** Who requested the run; `null` if it is not known. */
  readonly requestedBy: string | null;
  /** Epoch milliseconds. */
  readonly askedAtMs: number;
  /** Epoch milliseconds; `null` while it waits. */
  readonly endedAtMs: number | null;
  /** Oldest first. */
  readonly votes: readonly ApprovalVote[];
}

/** @param askedAtMs epoch milliseconds */
export function askApproval(rules: ApprovalRules, requestedBy: string | null, askedAtMs: number): Approval {
  return { stage: 'waiting', rules, requestedBy, askedAtMs, endedAtMs: null, votes: [] };
}

/** When the approval expires if too few people have approved. Epoch milliseconds. */
export function expiresAtMs({ rules, askedAtMs }: Approval): number {
  return askedAtMs + rules.expiresMs;
}

const ENDED: Readonly<Record<ApprovalReport['result'], string>> = {
  approved: 'it is approved already',
  rejected: 'it was rejected',
  expired: 'the time for it is over',
  cancelled: 'the run is being stopped',
};

/** What the run knows when a person decides. */
export interface ApprovalContext {
  /** The approval that is open; `null` if nothing waits for one. */
  readonly open: { readonly approval: Approval; readonly step: string | null; readonly target: string | null } | null;
  /** `null` while the run is planned. */
  readonly planHash: string | null;
  /** Set if only a signed approval counts. */
  readonly issuer: string | null;
}

/** @returns `null` if the decision counts, apart from who makes it: `checkApprover` decides about that */
export function checkApprovalCommand(context: ApprovalContext, given: CommandArguments, nowMs: number): Refusal | null {
  const { open, planHash, issuer } = context;
  const none = (why: string): Refusal => ({ why, possible: [] });
  if (open === null) return none('nothing waits for an approval');
  const { approval, step, target } = open;
  const current = afterTime(approval, nowMs);
  if (current.stage !== 'waiting') return none(ENDED[current.stage]);
  const refused = (why: string): Refusal => ({ why, possible: APPROVAL_COMMANDS });
  if (given.planHash !== planHash)
    return refused(`the plan has another hash, ${planHash ?? 'none yet'}: read the plan of this run, then decide`);
  const waits =
    step === null ? 'the whole run waits for an approval' : `step ${step} of ${target} waits for an approval`;
  if (given.step !== undefined && given.step !== step) return refused(`${waits}, not step ${given.step}`);
  if (given.target !== undefined && given.target !== target) return refused(`${waits}, not ${given.target}`);
  if (issuer !== null && given.token === undefined)
    return refused(`only a signed approval counts: add "token", a JSON Web Token of ${issuer}`);
  return null;
}

/** Who decides. */
export interface Approver {
  readonly actor: string;
  /** What a token proves; `null` if nothing is proved. */
  readonly roles: readonly string[] | null;
}

/** @returns `null` if this person may decide */
export function checkApprover(
  { rules, requestedBy, votes }: Approval,
  command: ApprovalCommandName,
  { actor, roles }: Approver,
): Refusal | null {
  const lacksRole = roles !== null && rules.roles.length > 0 && !rules.roles.some((role) => roles.includes(role));
  if (lacksRole)
    return {
      why: `${actor} has none of the roles ${rules.roles.join(', ')} (has: ${roles.join(', ') || 'none'})`,
      possible: [],
    };
  if (command === 'reject') return null;
  // The requester may call the run off, as with an abort.
  if (rules.notRequester && (requestedBy === null || isSamePerson(actor, requestedBy)))
    return {
      why:
        requestedBy === null
          ? 'it is not known who requested the run'
          : `${actor} requested the run, so somebody else must approve it`,
      possible: ['reject'],
    };
  return votes.some((vote) => isSamePerson(vote.actor, actor))
    ? { why: `${actor} has approved it already, and ${rules.need} different people must`, possible: ['reject'] }
    : null;
}

/** The roles that were asked for, of those that a token proves: the report keeps no others. */
export function wantedOf(roles: readonly string[], rules: ApprovalRules): readonly string[] {
  return roles.filter((role) => rules.roles.includes(role));
}

/** Names are compared as people read them: without regard to case, width of characters and space around them. */
function isSamePerson(left: string, right: string): boolean {
  const plain = (name: string) => name.normalize('NFKC').trim().toLowerCase();
  return plain(left) === plain(right);
}

/** Counts a decision that both checks let through. One that comes after the end changes nothing. */
export function afterVote(approval: Approval, vote: ApprovalVote): Approval {
  const current = afterTime(approval, vote.atMs);
  if (current.stage !== 'waiting') return current;
  const votes = [...current.votes, vote];
  const approved = votes.length >= current.rules.need;
  const stage = vote.command === 'reject' ? 'rejected' : approved ? 'approved' : 'waiting';
  return { ...current, votes, stage, endedAtMs: stage === 'waiting' ? null : vote.atMs };
}

/** @returns the approval as it is at a time, epoch milliseconds */
export function afterTime(approval: Approval, nowMs: number): Approval {
  const endsAtMs = expiresAtMs(approval);
  return approval.stage === 'waiting' && nowMs >= endsAtMs
    ? { ...approval, stage: 'expired', endedAtMs: endsAtMs }
    : approval;
}

/** The run was cancelled or aborted while it waited. @param nowMs epoch milliseconds */
export function afterCancel(approval: Approval, nowMs: number): Approval {
  return approval.stage === 'waiting' ? { ...approval, stage: 'cancelled', endedAtMs: nowMs } : approval;
}

/** What people see while it waits. */
export function approvalProgress(approval: Approval, step: string | null, title: string): ApprovalProgress {
  const { rules, votes, askedAtMs } = approval;
  const { need, roles, notRequester } = rules;
  return { step, title, need, roles, notRequester, votes, askedAtMs, untilMs: expiresAtMs(approval) };
}

/** The same approval, as the run knows it from its target. */
export function approvalOf(shown: ApprovalProgress, requestedBy: string | null): Approval {
  const { need, roles, notRequester, votes, askedAtMs, untilMs } = shown;
  const rules = { need, roles, notRequester, expiresMs: untilMs - askedAtMs };
  return { ...askApproval(rules, requestedBy, askedAtMs), votes };
}

/** The approval as the report keeps it. @throws TypeError while it waits */
export function approvalReport({ stage, rules, askedAtMs, endedAtMs, votes }: Approval): ApprovalReport {
  if (stage === 'waiting' || endedAtMs === null) throw new TypeError('The approval still waits');
  const { need, roles, notRequester } = rules;
  return { result: stage, need, roles, notRequester, askedAtMs, endedAtMs, votes };
}

/** Why the run, or the step, does not continue; `null` if it was approved, or cancelled. */
export function approvalFailure({ result, votes, need, roles, endedAtMs }: ApprovalReport): FailureRecord | null {
  if (result === 'rejected') {
    const last = votes.at(-1);
    return failureRecord('ApprovalRejected', `Rejected by ${last?.actor ?? 'no one'}: ${last?.reason ?? ''}`);
  }
  if (result !== 'expired') return null;
  return failureRecord(
    'ApprovalExpired',
    `${votes.length} of ${need} approvals${byRoles(roles)} were there at ${describeTime(endedAtMs)}`,
  );
}

/** ` by sre-lead or dba`; empty where anybody may approve. */
function byRoles(roles: readonly string[]): string {
  return roles.length === 0 ? '' : ` by ${roles.join(' or ')}`;
}

/** For people: `approval: approved at 2026-12-01T03:00:00Z, by bob and cyd, 2 needed`. */
export function describeApprovalReport({ result, endedAtMs, votes, need }: ApprovalReport): string {
  const names = votes.map(({ actor }) => actor).join(' and ');
  return `approval: ${result} at ${describeTime(endedAtMs)}${names === '' ? '' : `, by ${names}`}, ${need} needed`;
}

/** For people: `2 approvals by sre-lead or dba, not by the requester, within 4h`; `one approval by anybody, within 8h`. */
export function describeApprovalRules({ need, roles, notRequester, expiresMs }: ApprovalRules): string {
  const who = byRoles(roles) || ' by anybody';
  const other = notRequester ? ', not by the requester' : '';
  return `${need === 1 ? 'one approval' : `${need} approvals`}${who}${other}, within ${describeDuration(expiresMs)}`;
}

/** For people: `1 of 2 have approved, by sre-lead or dba, not by ann, who requested the run`. */
export function describeApprovers(
  { need, roles, notRequester, votes }: ApprovalProgress,
  requestedBy: string | null,
): string {
  const count = votes.length === 0 ? `${need} needed` : `${votes.length} of ${need} have approved`;
  const who = roles.length === 0 ? '' : `,${byRoles(roles)}`;
  const requester = requestedBy === null ? 'the requester' : `${requestedBy}, who requested it`;
  return `${count}${who}${notRequester ? `, not by ${requester}` : ''}`;
}

/** For people: `waits for approval by sre-lead, 1 of 2, until 2026-12-01 04:00:00Z: restart of shop`. */
export function describeApproval({ roles, votes, need, untilMs, title, step }: ApprovalProgress): string {
  const where = step === null ? '' : ` at ${step}`;
  return `waits for approval${byRoles(roles)}${where}, ${votes.length} of ${need}, until ${describeTime(untilMs)}: ${title}`;
}
