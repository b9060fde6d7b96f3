/** An alarm, whoever sent it, the brakes of a rule, and what a rule decides. Plain data: the gateway makes it, a workflow for each rule keeps it. */
import type { StartArguments } from '../contract.js';

/** One alarm of a delivery, checked and bounded. */
export interface Alarm {
  /** Name of the sender in the alarms file. */
  readonly sender: string;
  /** Alertmanager's `alertname`, Cloud Eye's `AlarmRuleName`. */
  readonly name: string;
  /** Only what the sender says in so many words; an alarm that says neither is none. */
  readonly status: 'firing' | 'resolved';
  /** One firing from its beginning to its end: the same in every repeat, retry and copy. Of the sender's own ids. */
  readonly episode: string;
  /** One problem over all its episodes: what a resolved alarm is paired by. */
  readonly incident: string;
  /** Epoch milliseconds, by the sender's clock: since when it fires, or when it was resolved. */
  readonly atMs: number;
  /**
   * Epoch milliseconds: when the sender said so, where it says again and again what holds, and a message that is sent late says what holds then.
   * Default: `atMs`, since of others a message that comes again may be an old one.
   */
  readonly saidAtMs?: number;
  /** What rules match on. The alarm's name is the label `alertname`. */
  readonly labels: Readonly<Record<string, string>>;
  /** For people: one line, at most 300 characters. */
  readonly summary: string;
}

/** What holds a rule back. Milliseconds. */
export interface Brakes {
  /** An alarm must fire for so long before a run starts. 0: at once. */
  readonly debounceMs: number;
  /** Counted from the end of any run on the target: what a run shakes up must not start the next one. */
  readonly coolDownMs: number;
  readonly atMost: { readonly runs: number; readonly withinMs: number } | null;
  /** Runs of this rule that are under way together. */
  readonly atOnce: number | null;
  /** `withdraw`: a run that has begun no target yet is cancelled. */
  readonly onResolved: 'nothing' | 'withdraw';
}

/** What an alarm would start. */
export interface AlarmStart {
  readonly runbook: string;
  /** `application/component/instance` */
  readonly target: string;
  readonly arguments: StartArguments;
}

/** An alarm as its rule's workflow gets it: without labels, since matching is over. */
export interface RuleAlarm extends Omit<Alarm, 'labels'> {
  /** When the gateway read it. A time of the sender's that is not before it is not believed. */
  readonly receivedAtMs: number;
  /** SHA-256, 64 hex digits, of the JSON of `[owner, rule, episode]`: its first 16 stand in the id of the run. */
  readonly episodeHash: string;
  /** Or why its labels make no target. */
  readonly start: AlarmStart | { readonly problem: string };
  /** Of a resolved alarm whose labels lead elsewhere: nothing is done, remembered or logged unless the rule knows a firing of its incident. */
  readonly onlyIfKnown?: boolean;
}

export const DECISIONS = {
  started: 'a run was started',
  waiting: 'a run starts if the alarm still fires then',
  repeated: 'this firing has its run, or waits for it',
  busy: 'another run acts on the target',
  coolingDown: 'the last run on the target ended a short while ago',
  tooMany: 'the rule has started as many runs as it may in this time',
  tooManyAtOnce: 'as many runs of the rule are under way as may be',
  noTarget: 'its labels make no target that the rule allows',
  unmatched: 'no rule takes it',
  noted: 'no alarm, but what people should know, such as one that came as prose',
  withdrawn: 'resolved: its run is cancelled if it has begun nothing',
  calledOff: 'resolved before its run started, or due so long ago that nobody knows whether it still fires',
  resolved: 'resolved: nothing to do',
} as const;

export type DecisionKind = keyof typeof DECISIONS;

/** What was decided about one alarm; durable once it is answered. */
export interface AlarmDecision {
  readonly kind: DecisionKind;
  /** In words, with times and the run it is because of. */
  readonly why: string;
  /** Workflow id of the run that this alarm started or will start, or that stands in its way. */
  readonly runId: string | null;
  /** Of `waiting` and `coolingDown`: until then. */
  readonly untilMs: number | null;
}

/** Line of the log of a rule: what came in, what was decided, and the run. */
export interface DecidedAlarm {
  readonly decidedAtMs: number;
  readonly rule: string;
  readonly alarm: Pick<Alarm, 'sender' | 'name' | 'status' | 'episode' | 'atMs' | 'summary'>;
  readonly target: string | null;
  readonly decision: AlarmDecision;
}

/** What a delivery that proved itself said besides alarms, or instead of one, and why nothing comes of it. */
export interface AlarmNote {
  readonly sender: string;
  /** For people: one line. */
  readonly text: string;
  /** When the gateway read it. */
  readonly receivedAtMs: number;
}

/** Line of the log for a note. */
interface NotedLine {
  readonly decidedAtMs: number;
  readonly rule: string;
  readonly alarm: null;
  readonly target: null;
  readonly note: Pick<AlarmNote, 'sender' | 'receivedAtMs'>;
  /** `noted`, with the text. */
  readonly decision: AlarmDecision;
}

export type AlarmLogLine = DecidedAlarm | NotedLine;

/** Argument of the update `decide`: the rule comes along, so that an edited file counts from the next alarm on. */
export interface DecideRequest {
  /** Its name within its owner's file; `UNMATCHED` takes what no rule does. */
  readonly rule: string;
  readonly brakes: Brakes;
  /** None only where there are notes. */
  readonly alarms: readonly RuleAlarm[];
  /** To `UNMATCHED` alone. Default: none. */
  readonly notes?: readonly AlarmNote[];
}

/** Start argument of the workflow of a rule. */
export interface AlarmRuleArguments {
  readonly owner: string;
  readonly rule: string;
}

export const ALARM_RULE_WORKFLOW = 'alarmRule';
/** Answers one `AlarmDecision` for each alarm, in their order; `null` for one that counts only if it is known, and is not. */
export const DECIDE_UPDATE = 'decide';
/** Answers the incidents of which a firing waits, was started or is being decided: a query, since it leaves no trace in a history. */
export const KNOWN_INCIDENTS_QUERY = 'knownIncidents';
/** Answers the last `AlarmLogLine`s, newest first. */
export const ALARM_LOG_QUERY = 'alarmLog';
/** Signal to a run: cancel, unless a target has been begun. */
export const WITHDRAW_SIGNAL = 'withdraw';
/** Name of the rule that keeps what no rule takes. No rule of a file can have it: names have no capitals. */
export const UNMATCHED = 'UNMATCHED';
/** What one update carries at most, of alarms and of notes. */
export const MOST_ALARMS_AT_ONCE = 200;

export const ALARM_RULE_PREFIX = 'runbook-alarm-rule/';

/** The workflow id of a rule: whoever decides for it anywhere reaches the same state. */
export function alarmRuleId(owner: string, rule: string): string {
  return `${ALARM_RULE_PREFIX}${owner}/${rule}`;
}
