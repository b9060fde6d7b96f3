/** What can happen to a run that people are notified of, and which webhook is notified of it by which event. Pure. */
import type { LateStep } from '../contract.js';
import type { WaitingForGate } from '../gates/gates.js';
import type { RunReport } from '../report/report.js';
import type { ApprovalProgress, BlockedProgress, PauseProgress } from '../report/progress.js';
import { describeApprovers } from '../steering/approvals.js';
import { COMMAND_WORDS, type ApprovalCommandName, type TargetCommandName } from '../steering/command-names.js';
import { shortHash } from '../plan/plan.js';
import { shellWord } from '../text/shell-word.js';
import { describeDuration } from '../time/duration.js';
import { describeTime } from '../time/utc-time.js';
import type { RunEvent } from './events.js';
import { createNotification, EVENT_OF_OUTCOME, type Notification } from './notification.js';
import type { PlannedWebhook } from './planned-webhooks.js';

/** Something that happens to a run. `target` is its place in the plan, 0 for the first; the same after a reset. */
export type Moment =
  | { readonly kind: 'waitsForGate'; readonly target: number; readonly waiting: WaitingForGate }
  /** `count`: how often the target was blocked so far. `reminder`: 0 for the first message. */
  | {
      readonly kind: 'blocked';
      readonly target: number;
      readonly blocked: BlockedProgress;
      readonly count: number;
      readonly reminder: number;
    }
  /** `target`: `null` if the whole run waits. `count`: how often it, or the target, has asked so far. `reminder`: 0 for the first message. */
  | {
      readonly kind: 'approval';
      readonly target: number | null;
      readonly approval: ApprovalProgress;
      readonly count: number;
      readonly reminder: number;
    }
  /** `order`: the number of the pause in this run. */
  | { readonly kind: 'paused'; readonly pause: Omit<PauseProgress, 'state'>; readonly order: number }
  | { readonly kind: 'late'; readonly target: number; readonly late: LateStep }
  | { readonly kind: 'ended'; readonly report: Pick<RunReport, 'outcome' | 'summary'> };
type MomentOf<Kind extends Moment['kind']> = Extract<Moment, { kind: Kind }>;

/** The run that something happens to. */
export interface RunFacts {
  readonly runId: string;
  readonly runbook: string;
  /** Run id of the execution before any reset: distinguishes runs that were given the same workflow id. */
  readonly originalRunId: string;
  /** Paths, in the order of the plan. */
  readonly targets: readonly string[];
  /** What an approval is bound to. */
  readonly planHash: string;
  readonly requestedBy: string | null;
  /** An approval counts only with a token. */
  readonly isSigned: boolean;
}

/** One notification, and who gets it. */
export interface Message {
  readonly notification: Notification;
  readonly webhooks: readonly string[];
}

/** The messages of one kind of moment. */
interface MessageRule<Kind extends Moment['kind']> {
  /** The events that it is, the most specific first. A webhook is notified of the first one that it listens to. */
  readonly events: (moment: MomentOf<Kind>) => readonly RunEvent[];
  /** What distinguishes it from other moments of the run. At most 110 characters, so that the key is never cut. */
  readonly about: (moment: MomentOf<Kind>) => string;
  readonly summary: (moment: MomentOf<Kind>, run: RunFacts) => string;
  readonly needs: (moment: MomentOf<Kind>, run: RunFacts) => Notification['needs'];
}

const MESSAGE_RULES: { readonly [Kind in Moment['kind']]: MessageRule<Kind> } = {
  waitsForGate: {
    events: () => ['waiting'],
    about: ({ target }) => `gate/${target + 1}`,
    summary: ({ waiting }) => `Waits, at most until ${describeTime(waiting.givesUpAtMs)}: ${waiting.why}`,
    needs: (_, run) => [FOLLOW(run), need('call it off', `runbook cancel ${shellWord(run.runId)}`)],
  },
  blocked: {
    events: ({ blocked }) => (blocked.result === 'indeterminate' ? ['indeterminate', 'waiting'] : ['waiting']),
    about: ({ target, blocked, count, reminder }) =>
      `${target + 1}/${blocked.step}/${count}${reminder === 0 ? '' : `/reminder-${reminder}`}`,
    summary: ({ blocked, reminder }) =>
      `${reminder === 0 ? 'The' : 'Still waiting: the'} step ${blocked.step} waits for you until ${describeTime(blocked.untilMs)}. ${blocked.why}`,
    needs: ({ target }, run) => [
      need('read the instance, then retry', commandAbout('retryStep', target, run)),
      need('continue without the step', commandAbout('skipStep', target, run)),
      need('count it as done, as you have seen yourself', commandAbout('markSucceeded', target, run)),
      ABORT(run),
    ],
  },
  approval: {
    events: () => ['waiting'],
    about: ({ target, approval, count, reminder }) =>
      `approval/${target === null ? 'run' : `${target + 1}/${approval.step ?? ''}`}/${count}${reminder === 0 ? '' : `/reminder-${reminder}`}`,
    summary: approvalSummary,
    needs: (_, run) => [
      need('see what is waited for', `runbook watch ${shellWord(run.runId)}`),
      need('approve', decide('approve', run)),
      need('reject', decide('reject', run)),
    ],
  },
  paused: {
    events: () => ['paused'],
    about: ({ order }) => `paused/${order}`,
    summary: ({ pause }) => `Paused by ${pause.actor}: ${pause.reason}`,
    needs: (_, run) => [need('let it continue', `runbook resume ${shellWord(run.runId)} --reason '…'`), ABORT(run)],
  },
  late: {
    events: () => ['late'],
    about: ({ target, late }) => `late/${target + 1}/${late.step}`,
    summary: ({ late }) =>
      `The step ${late.step} is not done after ${describeDuration(late.afterMs)}, which is unusually long.`,
    needs: (_, run) => [FOLLOW(run)],
  },
  ended: {
    events: ({ report }) => [EVENT_OF_OUTCOME[report.outcome]],
    about: () => 'end',
    summary: ({ report }) => report.summary,
    needs: (_, run) => [need('read what happened', `runbook report ${shellWord(run.runId)}`)],
  },
};

const FOLLOW = ({ runId }: RunFacts) => need('follow it', `runbook watch ${shellWord(runId)}`);
const ABORT = ({ runId }: RunFacts) => need('stop the run', `runbook abort ${shellWord(runId)} --reason '…'`);

function need(what: string, command: string): Notification['needs'][number] {
  return { what, command };
}

/** What is approved comes last, because a long text is cut at its end. */
function approvalSummary({ approval, reminder }: MomentOf<'approval'>, { planHash, requestedBy }: RunFacts): string {
  const { step, title, untilMs } = approval;
  const what = step === null ? 'approval of the whole run' : `approval at the step ${step}`;
  return [
    `${reminder === 0 ? 'Waits' : 'Still waits'} until ${describeTime(untilMs)} for ${what}`,
    describeApprovers(approval, requestedBy),
    `plan ${shortHash(planHash)}`,
    title,
  ].join(' · ');
}

/** With the hash of the plan, so that what is approved is what the message is about. */
function decide(word: ApprovalCommandName, { runId, planHash, isSigned }: RunFacts): string {
  const token = isSigned ? ' --token-file token' : '';
  return `runbook ${word} ${shellWord(runId)} --plan-hash ${shortHash(planHash)}${token} --reason '…'`;
}

/** Characters. A command is cut at 400 bytes, and one that is cut could be typed and mean something else. */
const LONGEST_PATH = 100;

/** Without the target, the command is about the one that is blocked. */
function commandAbout(command: TargetCommandName, target: number, { runId, targets }: RunFacts): string {
  const path = targets[target] ?? '';
  const named = path === '' || path.length > LONGEST_PATH ? '' : ` ${shellWord(path)}`;
  return `runbook ${COMMAND_WORDS[command]} ${shellWord(runId)}${named} --reason '…'`;
}

/** @returns a message for each event that somebody is notified of; each webhook is in at most one. @param atMs epoch milliseconds */
export function messagesOf<Kind extends Moment['kind']>(
  moment: MomentOf<Kind>,
  run: RunFacts,
  webhooks: readonly PlannedWebhook[],
  atMs: number,
): Message[] {
  const { events, about, summary, needs } = MESSAGE_RULES[moment.kind] as MessageRule<Kind>;
  const order = events(moment);
  return order.flatMap((event, index) => {
    const names = webhooks
      .filter(({ on }) => on.includes(event) && !order.slice(0, index).some((earlier) => on.includes(earlier)))
      .map(({ webhook }) => webhook);
    if (names.length === 0) return [];
    const notification = createNotification({
      event,
      runId: run.runId,
      runbook: run.runbook,
      targets: targetsOf(moment, run),
      ...outcomeOf(moment),
      summary: summary(moment, run),
      needs: needs(moment, run),
      atMs,
      about: `${run.originalRunId}/${about(moment)}`,
    });
    return [{ notification, webhooks: names }];
  });
}

function outcomeOf(moment: Moment): Pick<Notification, 'outcome'> {
  return moment.kind === 'ended' ? { outcome: moment.report.outcome } : {};
}

function targetsOf(moment: Moment, { targets }: RunFacts): readonly string[] {
  if (!('target' in moment) || moment.target === null) return targets;
  const path = targets[moment.target];
  return path === undefined ? [] : [path];
}
