/** From a delivery to the answer: read by its sender, matched, decided. Answers 2xx only when every decision is durable; a repeat of anything is harmless. */
import type { Logger } from 'pino';
import { orAborted } from '../time/pause.js';
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
import type { Counts } from './counts.js';
import type { DecideAlarms } from './decide-alarms.js';
import { deliveryKey, LateDeliveries } from './late-deliveries.js';
import type { AlarmRule } from './match-alarm.js';
import { previewAlarm } from './preview-alarm.js';
import { RuleQueue, Undecided } from './rule-queue.js';
import type { Delivery, Reading, Refusal, Sender } from './sender.js';
import type { SparseLog } from '../logging/throttled-log.js';
import { toldNote } from './told-note.js';
import { toldToRules } from './told-to-rule.js';
import { withoutUrls } from './without-urls.js';

export interface Answer {
  readonly status: number;
  /** An object goes out as JSON. */
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TakingOptions {
  readonly owner: string;
  readonly rules: readonly AlarmRule[];
  /** `null`: a dry run. */
  readonly decide: DecideAlarms | null;
  readonly counts: Counts;
  readonly log: Logger;
  readonly sparseLog: SparseLog;
}

/** SMN gives up after 5 s. */
const ANSWER_WITHIN_MS = 4_000;
/** Of a rule that starts nothing. */
const NO_BRAKES: Brakes = { debounceMs: 0, coolDownMs: 0, atMost: null, atOnce: null, onResolved: 'nothing' };
const RETRY_AFTER_S = '5';
/** The same for a name that is no sender's and for a wrong secret of one that is. */
const NOT_ADMITTED =
  'There is no sender of that name, or what proves it is missing or wrong: the header Authorization with "Bearer <token>"; or webhook-id, webhook-timestamp and webhook-signature; or the header of an SMN subscription';

export class DeliveryTaker {
  readonly #queues: ReadonlyMap<string, RuleQueue>;
  readonly #notes: RuleQueue<AlarmNote, null>;
  readonly #late = new LateDeliveries<ShownDecision[]>();

  constructor(private readonly options: TakingOptions) {
    const { rules, decide } = options;
    const all = [...rules.map(({ name, brakes }) => ({ name, brakes })), { name: UNMATCHED, brakes: NO_BRAKES }];
    this.#queues = new Map(
      decide === null
        ? []
        : all.map(({ name, brakes }) => [
            name,
            new RuleQueue(
              (alarms) => decide({ rule: name, brakes, alarms }),
              ({ onlyIfKnown }) => onlyIfKnown === true,
            ),
          ]),
    );
    this.#notes = new RuleQueue(async (notes) => {
      await decide?.({ rule: UNMATCHED, brakes: NO_BRAKES, alarms: [], notes });
      return notes.map(() => null);
    });
  }

  /** Alarms that wait, by rule. */
  queueLengths(): Record<string, number> {
    return Object.fromEntries([...this.#queues].map(([rule, queue]) => [rule, queue.length]));
  }

  /** Never rejects. */
  async take(sender: Sender, delivery: Delivery): Promise<Answer> {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Undecided(`not decided within ${ANSWER_WITHIN_MS} ms`)),
      ANSWER_WITHIN_MS,
    );
    try {
      return await this.#answer(sender, await orAborted(sender.read(delivery), late.signal), delivery, late.signal);
    } catch (error) {
      return this.#unavailable(sender, error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Counts and logs it, and answers what was wrong; whether there is a sender of that name is not said. */
  refuse(sender: string, { status, reason, what }: Refusal): Answer {
    const { counts, sparseLog } = this.options;
    counts.add('refused', { sender, reason });
    counts.add('deliveries', { sender, result: 'refused' });
    sparseLog.warn(`${sender} ${reason}`, { sender, reason, what: inLog(what) }, 'delivery refused');
    const headers = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    return { status, body: { error: reason, message: status === 401 ? NOT_ADMITTED : inLog(what) }, headers };
  }

  async #answer(sender: Sender, reading: Reading, delivery: Delivery, signal: AbortSignal): Promise<Answer> {
    if (reading.kind === 'refused') return this.refuse(sender.name, reading);
    if (reading.kind === 'unavailable') return this.#unavailable(sender, reading.what);
    const { counts, log, decide } = this.options;
    const { receivedAtMs } = delivery;
    if (reading.kind === 'confirmation') {
      if (decide !== null) await orAborted(reading.confirm(), signal);
      const confirmed = decide === null ? 'not in a dry run' : 'confirmed';
      log.warn({ sender: sender.name, topic: reading.topicUrn, confirmed }, 'subscription confirmation');
      counts.add('deliveries', { sender: sender.name, result: 'confirmation' });
      return { status: 200, body: { confirmation: confirmed } };
    }
    for (const note of reading.notes) log.warn({ sender: sender.name, note: inLog(note) }, 'note on a delivery');
    for (const { status } of reading.alarms) counts.add('alarms', { sender: sender.name, status });
    if (decide === null) return this.#preview(sender, reading.alarms);
    const notes = reading.notes.map((text) => toldNote(sender.name, text, receivedAtMs));
    const keyOf = () => deliveryKey(sender.name, reading, receivedAtMs);
    const decisions = await this.#late.decide(keyOf, signal, async (whileKept) => {
      const decided = this.#decide(reading.alarms, receivedAtMs, whileKept);
      return (await Promise.all([decided, this.#keep(notes, whileKept)]))[0];
    });
    counts.add('deliveries', { sender: sender.name, result: 'decided' });
    return { status: 200, body: { decisions } };
  }

  /** Every rule at once; in one rule in the order of the delivery. */
  async #decide(alarms: readonly Alarm[], receivedAtMs: number, signal: AbortSignal): Promise<ShownDecision[]> {
    const { rules, owner } = this.options;
    const byRule = new Map<string, { index: number; told: RuleAlarm }[]>();
    for (const [index, alarm] of alarms.entries())
      for (const { rule, told } of toldToRules(alarm, { owner, rules, receivedAtMs })) {
        const items = byRule.get(rule) ?? [];
        byRule.set(rule, items);
        items.push({ index, told });
      }
    const shown = alarms.map((): ShownDecision[] => []);
    const decided = [...byRule].map(async ([rule, items]) => {
      const toDecide = items.map(({ told }) => told);
      const decisions = (await this.#queues.get(rule)?.decide(toDecide, signal)) ?? [];
      for (const [position, { index, told }] of items.entries()) {
        const decision = decisions[position] ?? null;
        if (decision !== null) shown[index]?.push(this.#tell(rule, told, decision));
      }
    });
    await Promise.all(decided);
    return shown.flatMap((each) => foremost(each) ?? []);
  }

  /** So that the log of alarms shows why nothing came of them. */
  async #keep(notes: readonly AlarmNote[], signal: AbortSignal): Promise<void> {
    if (notes.length === 0) return;
    await this.#notes.decide(notes, signal);
    for (const _note of notes) this.options.counts.add('decisions', { rule: UNMATCHED, decision: 'noted' });
  }

  #tell(rule: string, alarm: RuleAlarm, { kind, why, runId }: AlarmDecision): ShownDecision {
    const { counts, log } = this.options;
    const { name, status, sender, episode } = alarm;
    counts.add('decisions', { rule, decision: kind });
    const shown = { alarm: name, status, rule: rule === UNMATCHED ? null : rule, decision: kind, why, run: runId };
    log.info({ sender, episode, ...shown }, 'alarm decided');
    return shown;
  }

  #preview(sender: Sender, alarms: readonly Alarm[]): Answer {
    const { counts, log } = this.options;
    counts.add('deliveries', { sender: sender.name, result: 'dryRun' });
    const decisions = alarms.map((alarm) => {
      const { alarm: name, status, rule, start, why, brakes } = previewAlarm(alarm, this.options.rules);
      // Inputs are made of labels, which can be links.
      log.info({ sender: sender.name, alarm: inLog(name), status, rule, why: inLog(why) }, 'dry run');
      return { alarm: name, status, rule, wouldStart: start, why, brakes };
    });
    return { status: 200, body: { dryRun: true, decisions } };
  }

  #unavailable(sender: Sender, what: string): Answer {
    const { counts, sparseLog } = this.options;
    counts.add('deliveries', { sender: sender.name, result: 'unavailable' });
    sparseLog.warn(`${sender.name} unavailable`, { sender: sender.name, what: inLog(what) }, 'delivery not decided');
    return { status: 503, body: { error: 'notDecided' }, headers: { 'retry-after': RETRY_AFTER_S } };
  }
}

interface ShownDecision {
  readonly alarm: string;
  readonly status: Alarm['status'];
  readonly rule: string | null;
  readonly decision: DecisionKind;
  readonly why: string;
  readonly run: string | null;
}

/** A resolved alarm may concern several rules: what one did about it goes before what another knows, and that before what its labels say. */
function foremost(decisions: readonly ShownDecision[]): ShownDecision | undefined {
  const acted = decisions.find(({ decision }) => decision === 'withdrawn' || decision === 'calledOff');
  const knows = decisions.find(({ run }) => run !== null) ?? decisions.find(({ decision }) => decision !== 'unmatched');
  return acted ?? knows ?? decisions[0];
}

/** Also an error that nobody foresaw, which may hold what it was about. */
function inLog(text: string): string {
  return printable(withoutUrls(text.slice(0, 1_000)));
}
