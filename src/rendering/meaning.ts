/** A report in one sentence, and the words for its parts. Every format of a report uses them. Pure. */
import { describeCheck } from '../domain/checks/check.js';
import { differencesBetween, type Difference } from '../domain/report/compensation.js';
import type { CommandRecord, Outcome, RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import type { TrailEntry } from '../domain/once/trail.js';
import { describeAgainstUsual } from '../domain/plan/usual-words.js';
import { COMMAND_WORDS } from '../domain/steering/command-names.js';
import { describeAction } from '../domain/target/actions.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeTime } from '../domain/time/utc-time.js';
import { decisiveOf } from './step-notes.js';

/** Each outcome in one line. */
const MEANINGS: Readonly<Record<Outcome, string>> = {
  succeeded: 'everything was done and verified',
  compensated: 'a step failed, and the undos were done',
  failed: 'a step failed; see what remains',
  compensationFailed: 'a step failed, and so did an undo: check the instance',
  indeterminate: 'it is not known what happened: check the instance before anything else',
  cancelled: 'cancelled on request',
  refused: 'refused; nothing was changed',
  expired: 'the time to start ran out; targets that had not started were left alone',
};

/** The outcome in one sentence. "As before" is written only if the readings show it. */
export function meaningOf(report: RunReport): string {
  const { outcome, targets } = report;
  if (outcome === 'succeeded') return meaningOfSucceeded(report);
  if (outcome === 'failed') return meaningOfFailed(report);
  if (outcome !== 'compensated') return MEANINGS[outcome];
  const undone = targets.filter(({ compensations }) => compensations.length > 0);
  if (undone.some((target) => differencesOf(target).length > 0))
    return 'a step failed, and the declared undos did not restore the state: see what differs';
  const isSeen = undone.every(({ captured, lastSeen }) => captured !== null && lastSeen !== null);
  return isSeen ? 'a step failed, and its changes were undone' : MEANINGS[outcome];
}

/** What a person decided was not verified. */
function meaningOfSucceeded({ targets }: RunReport): string {
  const decided = targets.flatMap(({ steps }) => steps.flatMap((step) => decisiveOf(step) ?? []));
  if (decided.length === 0) return MEANINGS.succeeded;
  const marked = decided.filter(({ command }) => command === 'markSucceeded');
  const skipped = decided.filter(({ command }) => command === 'skipStep');
  return [
    'done',
    ...(marked.length === 0
      ? []
      : [`${steps(marked, 'counts', 'count')} as done by the decision of ${actors(marked)}, not verified`]),
    ...(skipped.length === 0 ? [] : [`${steps(skipped, 'was', 'were')} skipped by the decision of ${actors(skipped)}`]),
  ].join('; ');
}

function steps({ length }: readonly CommandRecord[], one: string, several: string): string {
  return length === 1 ? `1 step ${one}` : `${length} steps ${several}`;
}

function actors(decisions: readonly CommandRecord[]): string {
  return [...new Set(decisions.map(({ actor }) => actor))].join(' and ');
}

/** Only a complete report can show that nothing remains; a shortened one claims nothing. */
function meaningOfFailed({ targets, cut }: RunReport): string {
  const isWhole = cut === undefined && targets.length > 0 && targets.every((target) => target.cut === undefined);
  if (!isWhole || targets.some(({ remaining }) => remaining.length > 0)) return MEANINGS.failed;
  const isOfStep = targets.some(({ steps }) => steps.some(({ result }) => result === 'failed'));
  const what = isOfStep ? 'a step failed' : 'it was not completed';
  const all = targets.flatMap(({ steps, compensations }) => [...steps, ...compensations]);
  if (all.every(({ sent }) => sent === 'no')) return `${what}; nothing was sent`;
  const stopped = targets.filter(({ outcome }) => outcome !== 'succeeded');
  const how = stopped.every(isAsBefore) ? 'the state is as before' : 'see the state now';
  return `${what}; ${how}${stateOf(stopped)}`;
}

/** `: STOPPED`, because `as before` alone would make an instance that was down before sound healthy. Each state is named once. */
function stateOf(targets: readonly TargetReport[]): string {
  const states = [...new Set(targets.flatMap(({ lastSeen }) => (lastSeen === null ? [] : [lastSeen.status])))];
  return states.length === 0 ? '' : `: ${states.join(', ')}`;
}

function isAsBefore({ captured, lastSeen }: TargetReport): boolean {
  return captured !== null && lastSeen !== null && differencesBetween(captured, lastSeen).length === 0;
}

/** Differences between the state before the first step and the last state seen, if undos were sent. */
export function differencesOf({ captured, lastSeen, compensations }: TargetReport): readonly Difference[] {
  if (captured === null || lastSeen === null || compensations.length === 0) return [];
  return differencesBetween(captured, lastSeen);
}

/** What a step does, such as `scale replica=4`; for a wait its id, and for a check its id and URL. */
export function stepTitle({ action, id, check }: Pick<StepReport, 'action' | 'id' | 'check'>): string {
  if (check !== undefined) return `${id}: ${describeCheck(check)}`;
  return action === null ? id : describeAction(action);
}

/** How long a step took, and how long it usually does: `20s, usually 12s`. */
export function tookText({ startedAtMs, endedAtMs, usual }: StepReport): string {
  const tookMs = endedAtMs - startedAtMs;
  return `${describeDuration(tookMs)}${usual === undefined ? '' : `, ${describeAgainstUsual(usual, tookMs)}`}`;
}

/** A warning if the last action reached its state and no step waited to see it hold; else `null`. */
export function notHeldWarning({ steps, compensations }: TargetReport): string | null {
  const last = [...steps, ...compensations].findLast(({ action }) => action !== null);
  return last?.notHeld === true ? 'the state was reached, and no step waited to see it hold' : null;
}

/** Which checks were not done, and why; `null` if none was left out. */
export function leftOutChecks({ checksLeftOut = [] }: Pick<TargetReport, 'checksLeftOut'>): string | null {
  return checksLeftOut.length === 0 ? null : `${checksLeftOut.join(', ')}: no URL was given`;
}

/** A period in UTC, so that it can be compared with the console and with logs. @param fromMs epoch milliseconds */
export function period(fromMs: number, toMs: number): string {
  return `${describeTime(fromMs)} to ${describeTime(toMs)}`;
}

/** What every attempt decided, in lines: also the attempts before each retry, and who retried. */
export function trailLines({ trail, decisions = [] }: Pick<StepReport, 'trail' | 'decisions'>): string[] {
  const before = decisions.flatMap(({ command, actor, atMs, was }) =>
    was?.trail === undefined
      ? []
      : [...was.trail.map(trailLine), `${describeTime(atMs)}: ${COMMAND_WORDS[command]} of ${actor}`],
  );
  return [...before, ...trail.map(trailLine)];
}

/** One decision of an attempt, and how often it was made. */
function trailLine({ attempt, atMs, decision, note, count, lastAtMs = atMs }: TrailEntry): string {
  const often = count === undefined ? '' : ` ×${count}, last ${describeTime(lastAtMs)}`;
  return `attempt ${attempt}, ${describeTime(atMs)}: ${decision}${often}${note === undefined ? '' : ` (${note})`}`;
}

const MARKS: Readonly<Record<string, string>> = {
  succeeded: '✓',
  skipped: '–',
  failed: '✗',
  indeterminate: '?',
  cancelled: '■',
  running: '●',
  pending: '○',
};

/** The symbol of a step's state; `·` for an unknown one. */
export function mark(state: string): string {
  return MARKS[state] ?? '·';
}
