/** Handles deliveries: a sender reads one, its alarms are routed to rules, and the rules decide. Answers 2xx only once every decision is durable; repeating any delivery is harmless. */
import type { Logger } from 'pino';
import {
  UNMATCHED,
  type Alarm,
  type AlarmDecision,
  type AlarmNote,
  type Brakes,
  type DecisionKind,
  type RuleAlarm,
} from '../domain/alarms/alarm.js';
import { printable } from '../domain/text/text.js';
import type { ThrottledLog } from '../logging/throttled-log.js';
import { orAborted } from '../time/pause.js';
import type { AlarmRule } from './match-alarm.js';
import { countDelivery, type GatewayMetrics } from './metrics.js';
import { deliveryKey, PendingDeliveries } from './pending-deliveries.js';
import { previewAlarm } from './preview-alarm.js';
import { noteForLog, routeToRules } from './route-alarm.js';
import { RuleBatcher, Undecided } from './rule-batcher.js';
import type { DecideAlarms } from './rule-client.js';
import { redactUrls } from './senders/alarm-values.js';
import type { AlarmsRead, Delivery, Reading, Refusal, Sender } from './senders/sender.js';

/** The answer to an HTTP request. */
export interface Answer {
  readonly status: number;
  /** An object is sent as JSON. */
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a `DeliveryHandler` needs. */
export interface DeliveryHandlerOptions {
  readonly owner: string;
  readonly rules: readonly AlarmRule[];
  /** `null` in a dry run. */
  readonly decide: DecideAlarms | null;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly throttledLog: ThrottledLog;
}

/** SMN waits 5 s. */
const ANSWER_WITHIN_MS = 4_000;
/** For `UNMATCHED`, which starts nothing. */
const NO_BRAKES: Brakes = { debounceMs: 0, coolDownMs: 0, atMost: null, atOnce: null, onResolved: 'nothing' };
const RETRY_AFTER_S = '5';
/** The same for an unknown sender and for a wrong secret, so that names cannot be guessed. */
const NOT_AUTHENTICATED =
  'There is no such sender, or its authentication is missing or wrong: the header Authorization with "Bearer <token>"; or webhook-id, webhook-timestamp and webhook-signature; or the header of an SMN subscription';

type Batcher = RuleBatcher<RuleAlarm, AlarmDecision | null>;

/** Handles the deliveries of every sender of a gateway. */
export class DeliveryHandler {
  /** By name of the rule; empty in a dry run. */
  readonly #batchers: ReadonlyMap<string, Batcher>;
  readonly #noteBatcher: RuleBatcher<AlarmNote, null>;
  readonly #pending = new PendingDeliveries<ShownDecision[]>();

  constructor(private readonly options: DeliveryHandlerOptions) {
    const { rules, decide } = options;
    const batcher = (rule: string, brakes: Brakes, send: DecideAlarms): [string, Batcher] => [
      rule,
      new RuleBatcher(
        (alarms) => send({ rule, brakes, alarms }),
        ({ onlyIfKnown }) => onlyIfKnown === true,
      ),
    ];
    this.#batchers = new Map(
      decide === null
        ? []
        : [...rules.map(({ name, brakes }) => batcher(name, brakes, decide)), batcher(UNMATCHED, NO_BRAKES, decide)],
    );
    this.#noteBatcher = new RuleBatcher(async (notes) => {
      await decide?.({ rule: UNMATCHED, brakes: NO_BRAKES, alarms: [], notes });
      return notes.map(() => null);
    });
  }

  /** Alarms that wait, by rule. */
  queueLengths(): Record<string, number> {
    return Object.fromEntries([...this.#batchers].map(([rule, batcher]) => [rule, batcher.length]));
  }

  /** Answers a delivery within 4 s. Never rejects. */
  async handle(sender: Sender, delivery: Delivery): Promise<Answer> {
    const tooLate = new AbortController();
    const timer = setTimeout(
      () => tooLate.abort(new Undecided(`not decided within ${ANSWER_WITHIN_MS} ms`)),
      ANSWER_WITHIN_MS,
    );
    try {
      const reading = await orAborted(sender.read(delivery), tooLate.signal);
      return await this.#answer(sender.name, reading, delivery.receivedAtMs, tooLate.signal);
    } catch (error) {
      return this.#unavailable(sender.name, error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Counts and logs a refusal, and answers what was wrong without saying whether the sender exists. */
  refuse(sender: string, { status, reason, what }: Refusal): Answer {
    const { metrics, throttledLog } = this.options;
    metrics.count('runbook_gateway_refused_deliveries_total', { sender, reason });
    countDelivery(metrics, sender, 'refused');
    throttledLog.warn(`${sender} ${reason}`, { sender, reason, what: forLog(what) }, 'delivery refused');
    const headers = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    return { status, body: { error: reason, message: status === 401 ? NOT_AUTHENTICATED : forLog(what) }, headers };
  }

  async #answer(sender: string, reading: Reading, receivedAtMs: number, signal: AbortSignal): Promise<Answer> {
    const { metrics, log, decide } = this.options;
    switch (reading.kind) {
      case 'refused':
        return this.refuse(sender, reading);
      case 'unavailable':
        return this.#unavailable(sender, reading.what);
      case 'confirmation': {
        if (decide !== null) await orAborted(reading.confirm(), signal);
        const confirmed = decide === null ? 'not in a dry run' : 'confirmed';
        log.warn({ sender, topic: reading.topicUrn, confirmed }, 'subscription confirmation');
        countDelivery(metrics, sender, 'confirmation');
        return { status: 200, body: { confirmation: confirmed } };
      }
      case 'alarms': {
        for (const note of reading.notes) log.warn({ sender, note: forLog(note) }, 'note on a delivery');
        for (const { status } of reading.alarms) metrics.count('runbook_gateway_alarms_total', { sender, status });
        if (decide === null) return this.#preview(sender, reading.alarms);
        const decisions = await this.#decide(sender, reading, receivedAtMs, signal);
        countDelivery(metrics, sender, 'decided');
        return { status: 200, body: { decisions } };
      }
    }
  }

  #decide(sender: string, reading: AlarmsRead, receivedAtMs: number, signal: AbortSignal): Promise<ShownDecision[]> {
    const notes = reading.notes.map((text) => noteForLog(sender, text, receivedAtMs));
    const keyOf = () => deliveryKey(sender, reading, receivedAtMs);
    return this.#pending.decide(keyOf, signal, async (whilePending) => {
      const decided = this.#decideAlarms(reading.alarms, receivedAtMs, whilePending);
      return (await Promise.all([decided, this.#logNotes(notes, whilePending)]))[0];
    });
  }

  /** All rules decide at the same time, each about its alarms in the order of the delivery. */
  async #decideAlarms(alarms: readonly Alarm[], receivedAtMs: number, signal: AbortSignal): Promise<ShownDecision[]> {
    const { rules, owner } = this.options;
    const byRule = new Map<string, { index: number; alarm: RuleAlarm }[]>();
    for (const [index, each] of alarms.entries())
      for (const { rule, alarm } of routeToRules(each, { owner, rules, receivedAtMs })) {
        const items = byRule.get(rule) ?? [];
        byRule.set(rule, items);
        items.push({ index, alarm });
      }
    const decisionsOf = alarms.map((): ShownDecision[] => []);
    const decided = [...byRule].map(async ([rule, items]) => {
      const routed = items.map(({ alarm }) => alarm);
      const decisions = (await this.#batchers.get(rule)?.decide(routed, signal)) ?? [];
      for (const [position, { index, alarm }] of items.entries()) {
        const decision = decisions[position] ?? null;
        if (decision !== null) decisionsOf[index]?.push(this.#recordDecision(rule, alarm, decision));
      }
    });
    await Promise.all(decided);
    return decisionsOf.flatMap((decisions) => mostRelevantDecision(decisions) ?? []);
  }

  /** Puts the notes into the log of alarms, which then shows why a delivery started nothing. */
  async #logNotes(notes: readonly AlarmNote[], signal: AbortSignal): Promise<void> {
    if (notes.length === 0) return;
    await this.#noteBatcher.decide(notes, signal);
    for (const _note of notes)
      this.options.metrics.count('runbook_gateway_decisions_total', { rule: UNMATCHED, decision: 'noted' });
  }

  #recordDecision(rule: string, alarm: RuleAlarm, { kind, why, runId }: AlarmDecision): ShownDecision {
    const { metrics, log } = this.options;
    const { name, status, sender, episode } = alarm;
    metrics.count('runbook_gateway_decisions_total', { rule, decision: kind });
    const shown = { alarm: name, status, rule: rule === UNMATCHED ? null : rule, decision: kind, why, run: runId };
    const { run, ...facts } = shown;
    log.info({ sender, episode, ...facts, ...(run === null ? {} : { runId: run }) }, 'alarm decided');
    return shown;
  }

  #preview(sender: string, alarms: readonly Alarm[]): Answer {
    const { metrics, log } = this.options;
    countDelivery(metrics, sender, 'dryRun');
    const decisions = alarms.map((alarm) => {
      const { alarm: name, status, rule, start, why, brakes } = previewAlarm(alarm, this.options.rules);
      // Without the inputs: they are made of labels, which can hold links.
      log.info({ sender, alarm: forLog(name), status, rule, why: forLog(why) }, 'dry run');
      return { alarm: name, status, rule, wouldStart: start, why, brakes };
    });
    return { status: 200, body: { dryRun: true, decisions } };
  }

  #unavailable(sender: string, what: string): Answer {
    const { metrics, throttledLog } = this.options;
    countDelivery(metrics, sender, 'unavailable');
    throttledLog.warn(`${sender} unavailable`, { sender, what: forLog(what) }, 'delivery not decided');
    return { status: 503, body: { error: 'notDecided' }, headers: { 'retry-after': RETRY_AFTER_S } };
  }
}

/** A decision as the sender and the log see it. */
interface ShownDecision {
  readonly alarm: string;
  readonly status: Alarm['status'];
  readonly rule: string | null;
  readonly decision: DecisionKind;
  readonly why: string;
  readonly run: string | null;
}

/** A resolved alarm can match several rules. Answers with the rule that acted; otherwise one that knows the firing; otherwise the one its labels match. */
function mostRelevantDecision(decisions: readonly ShownDecision[]): ShownDecision | undefined {
  const acted = decisions.find(({ decision }) => decision === 'withdrawn' || decision === 'calledOff');
  const knows = decisions.find(({ run }) => run !== null) ?? decisions.find(({ decision }) => decision !== 'unmatched');
  return acted ?? knows ?? decisions[0];
}

/** For text that may quote a delivery, such as the message of an unexpected error. */
function forLog(text: string): string {
  return printable(redactUrls(text.slice(0, 1_000)));
}
