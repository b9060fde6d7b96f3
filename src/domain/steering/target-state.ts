/** Reads the signals between a run and its targets: anybody can send a signal, of any shape. Pure. */
import type { ApprovalOrder, LateStep, TargetState } from '../contract.js';
import type { ApprovalProgress, BlockedProgress } from '../report/progress.js';
import type { ApprovalVote } from '../report/report.js';
import { isCommandOf } from './command-names.js';

/** What the workflow of a target reports to its run. @returns `null` if it is not such a report; parts of another shape are left out */
export function readTargetState(given: unknown): TargetState | null {
  if (!isObject(given)) return null;
  const { path, state, order, heldMs, blocked, approval, late } = given;
  if (typeof path !== 'string' || !isTime(heldMs) || !isTime(order)) return null;
  if (state !== 'running' && state !== 'paused' && state !== 'blocked' && state !== 'waitingForApproval') return null;
  const isBlocked = isBlockedProgress(blocked);
  const asks = isApprovalProgress(approval);
  if ((state === 'blocked' && !isBlocked) || (state === 'waitingForApproval' && !asks)) return null;
  return {
    path,
    state,
    order,
    heldMs,
    ...(isBlocked ? { blocked } : {}),
    ...(asks ? { approval } : {}),
    ...(isLateStep(late) ? { late } : {}),
  };
}

function isBlockedProgress(given: unknown): given is BlockedProgress {
  return isObject(given) && isText(given['step']) && isText(given['why']) && isTime(given['untilMs']);
}

/** The approval of a step: the one of the whole run is asked for by the run itself. */
function isApprovalProgress(given: unknown): given is ApprovalProgress {
  if (!isObject(given)) return false;
  const { step, title, need, roles, notRequester, votes, askedAtMs, untilMs } = given;
  const isRule = typeof need === 'number' && isListOf(roles, isText) && typeof notRequester === 'boolean';
  return isText(step) && isText(title) && isRule && isListOf(votes, isVote) && isTime(askedAtMs) && isTime(untilMs);
}

/** A vote on an approval that a run passes on to its target. */
export function isApprovalOrder(given: unknown): given is ApprovalOrder {
  return isObject(given) && isText(given['step']) && isTime(given['askedAtMs']) && isVote(given['vote']);
}

function isVote(given: unknown): given is ApprovalVote {
  if (!isObject(given) || !isText(given['actor']) || !isText(given['reason']) || !isTime(given['atMs'])) return false;
  return isCommandOf('approval', given['command']);
}

function isListOf(given: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(given) && given.every(isItem);
}

function isLateStep(given: unknown): given is LateStep {
  return isObject(given) && isText(given['step']) && isTime(given['afterMs']);
}

/** The largest time that a date can have. */
const LATEST_MS = 8.64e15;

function isTime(given: unknown): given is number {
  return typeof given === 'number' && given >= 0 && given <= LATEST_MS;
}

function isText(given: unknown): given is string {
  return typeof given === 'string';
}

function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null;
}
