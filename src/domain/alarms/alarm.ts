/**
 * Alarms, the brakes of a rule, and what a rule decides. Plain data that the gateway makes and the workflow of each rule keeps.
 *
 * A *problem* (`incident`) is what a sender reports, such as "instance prod-1 hangs". Each time it fires, until it is resolved, is one
 * *firing* (`episode`). A sender delivers the same firing many times; a *resolution* is about the problem.
 */
import type { StartArguments } from '../contract.js';

/** One alarm of a delivery, with every value checked and bounded. */
export interface Alarm {
  /** Name of the sender in the alarms file. */
  readonly sender: string;
  /** `alertname` in Alertmanager, `AlarmRuleName` in Cloud Eye. */
  readonly name: string;
  /** As the sender states it. An alarm that states neither is not read as an alarm. */
  readonly status: 'firing' | 'resolved';
  /** Identifies one firing: the same in every repeat, retry and copy. Built from the sender's own ids. */
  readonly episode: string;
  /** Identifies the problem across its firings. A resolution is matched to firings by it. */
  readonly incident: string;
  /** Epoch milliseconds by the sender's clock: when the firing began, or when the problem was resolved. */
  readonly atMs: number;
  /**
   * Epoch milliseconds: when the sender stated this. Only for senders that keep repeating the current state; of any other sender,
   * a message that comes again may be an old one.
   */
  readonly saidAtMs?: number;
  /** What rules match on. The name of the alarm is the label `alertname`. */
  readonly labels: Readonly<Record<string, string>>;
  /** For people: one line, at most 300 characters. */
  readonly summary: string;
}

/** What holds a rule back. Durations in milliseconds. */
export interface Brakes {
  /** How long an alarm must keep firing before the run starts. 0 starts it at once. */
  readonly debounceMs: number;
  /** How long after the end of any run on the target no run starts, so that the effects of a run do not start the next one. */
  readonly coolDownMs: number;
  /** The most runs that the rule starts within a time; `null` for no limit. */
  readonly atMost: { readonly runs: number; readonly withinMs: number } | null;
  /** The most runs of this rule that are under way together; `null` for no limit. */
  readonly atOnce: number | null;
  /** `withdraw` cancels a run that has not begun a target yet. */
  readonly onResolved: 'nothing' | 'withdraw';
}

/** The run that an alarm would start. */
export interface AlarmStart {
  readonly runbook: string;
  /** `application/component/instance` */
  readonly target: string;
  readonly arguments: StartArguments;
}

/** An alarm as the workflow of a rule receives it: already matched, so without labels. */
export interface RuleAlarm extends Omit<Alarm, 'labels'> {
  /** When the gateway read it, in epoch milliseconds. `atMs` counts only if it is earlier. */
  readonly receivedAtMs: number;
  /** SHA-256 of the JSON of `[owner, rule, sender, episode]` as 64 hex digits. The first 16 are part of the id of the run. */
  readonly episodeHash: string;
  /** The run, or why the labels of the alarm make none. */
  readonly start: AlarmStart | { readonly problem: string };
  /** For a resolved alarm that another rule matches: ignored without a trace unless this rule knows a firing of the problem. */
  readonly onlyIfKnown?: boolean;
}

/** Every kind of decision with its meaning, as `docs/alarms.md` shows it. */
export const DECISIONS = {
  started: 'a run was started',
  waiting: 'a run starts at the end of the debounce, unless the alarm is resolved before',
  repeated: 'this firing already has its run, or waits for it',
  busy: 'another run acts on the target',
  coolingDown: 'the last run on the target ended too recently',
  tooMany: 'the rule has started as many runs as `atMost` allows',
  tooManyAtOnce: 'as many runs of the rule are under way as `atOnce` allows',
  noTarget: 'the labels of the alarm make no target that the rule allows',
  unmatched: 'no rule matches the alarm',
  noted: 'not an alarm, but something people should know, such as an alarm sent as prose',
  withdrawn: 'resolved: the run is cancelled if it has not begun a target',
  calledOff: 'resolved before its run started, or overdue long enough that it may have been resolved since',
  resolved: 'resolved, and there was nothing to call off',
} as const;

/** Name of a kind of decision. */
export type DecisionKind = keyof typeof DECISIONS;

/** What was decided about one alarm. Durable by the time the sender gets its answer. */
export interface AlarmDecision {
  readonly kind: DecisionKind;
  /** One sentence for people, with times and the id of the run that is the reason. */
  readonly why: string;
  /** Workflow id of the run that the alarm started or will start, or that holds it back. */
  readonly runId: string | null;
  /** When the debounce or the cool-down ends, in epoch milliseconds; `null` for other kinds. */
  readonly untilMs: number | null;
}

/** A line in the log of a rule: what came in, what was decided, and the run. */
export interface DecidedAlarm {
  readonly decidedAtMs: number;
  readonly rule: string;
  readonly alarm: Pick<Alarm, 'sender' | 'name' | 'status' | 'episode' | 'atMs' | 'summary'>;
  readonly target: string | null;
  readonly decision: AlarmDecision;
}

/** Something in an authenticated delivery that is not an alarm, such as one sent as prose, and why it starts nothing. */
export interface AlarmNote {
  readonly sender: string;
  /** One line for people. */
  readonly text: string;
  /** When the gateway read it, in epoch milliseconds. */
  readonly receivedAtMs: number;
}

/** A line in the log of a rule for a note. */
interface NoteLine {
  readonly decidedAtMs: number;
  readonly rule: string;
  readonly alarm: null;
  readonly target: null;
  readonly note: Pick<AlarmNote, 'sender' | 'receivedAtMs'>;
  /** Its kind is `noted`; `why` is the text. */
  readonly decision: AlarmDecision;
}

/** A line in the log of a rule. */
export type AlarmLogLine = DecidedAlarm | NoteLine;

/** Argument of the update `decide`. It brings the brakes, so that an edited file counts from the next alarm on. */
export interface DecideRequest {
  /** Name of the rule in the file of its owner, or `UNMATCHED`. */
  readonly rule: string;
  readonly brakes: Brakes;
  /** May be empty if there are notes. */
  readonly alarms: readonly RuleAlarm[];
  /** Sent to `UNMATCHED` only. Default: none. */
  readonly notes?: readonly AlarmNote[];
}

/** Start argument of the workflow of a rule. */
export interface AlarmRuleArguments {
  readonly owner: string;
  readonly rule: string;
}

/** Workflow type. */
export const ALARM_RULE_WORKFLOW = 'alarmRule';
/** Update: returns one `AlarmDecision` per alarm in the same order, or `null` for an `onlyIfKnown` alarm whose problem the rule does not know. */
export const DECIDE_UPDATE = 'decide';
/** Query: returns the problems (`incident`) with a firing that waits, was started or is being decided. A query leaves no trace in the history. */
export const KNOWN_INCIDENTS_QUERY = 'knownIncidents';
/** Query: returns the last `AlarmLogLine`s, newest first. */
export const ALARM_LOG_QUERY = 'alarmLog';
/** Signal to a run: cancel it unless it has begun a target. */
export const WITHDRAW_SIGNAL = 'withdraw';
/** Name of the rule that logs alarms no rule of the file matches. A rule of a file cannot have it, because names have no capitals. */
export const UNMATCHED = 'UNMATCHED';
/** The most alarms, and the most notes, that one update carries. */
export const MOST_ALARMS_AT_ONCE = 200;

/** Every workflow id of a rule begins with it. */
export const ALARM_RULE_PREFIX = 'runbook-alarm-rule/';

/** The workflow id of a rule. Every gateway derives the same one, so all share its state. */
export function alarmRuleId(owner: string, rule: string): string {
  return `${ALARM_RULE_PREFIX}${owner}/${rule}`;
}
