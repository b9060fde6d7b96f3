/** A rule under a clock, for tests of what it decides: no workflow, no server. */
import type { Brakes, RuleAlarm } from '../../src/domain/alarms/alarm.js';
import { decide, decideDue, dueFirings, recordRunEnds, type Decided } from '../../src/domain/alarms/alarm-rule.js';
import { concerns, EMPTY_STATE, forget, type RuleState } from '../../src/domain/alarms/alarm-rule-state.js';
import type { RunSeen } from '../../src/domain/contract.js';
import { anAlarm, NO_BRAKES, OWNER } from './alarms.js';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const DAY = 86_400_000;
export const T0 = Date.UTC(2026, 10, 25);

/** What the workflow does around the pure state, without Temporal. */
export class Rule {
  state: RuleState = EMPTY_STATE;
  nowMs = T0;
  seen: RunSeen[] = [];
  readonly started: string[] = [];
  readonly withdrawn: string[] = [];

  constructor(
    readonly brakes: Partial<Brakes> = {},
    readonly rule = 'rule',
  ) {}

  alarm(change: Parameters<typeof anAlarm>[0] = {}): RuleAlarm {
    return anAlarm({ receivedAtMs: this.nowMs, ...change });
  }

  /** @returns `null` if it does not concern the rule */
  decideIfConcerned(alarm: RuleAlarm) {
    return concerns(this.state, alarm) ? this.decide(alarm) : null;
  }

  decide(alarm: RuleAlarm) {
    return this.#apply((state) => decide(state, alarm, this.#circumstances));
  }

  due() {
    return dueFirings(this.state, this.nowMs).map((firing) =>
      this.#apply((state) => decideDue(state, firing, this.#circumstances)),
    );
  }

  end(runId: string) {
    this.seen = [...this.seen.filter((run) => run.runId !== runId), { runId, targets: [], endedAtMs: this.nowMs }];
  }

  get #circumstances() {
    const { rule, nowMs, seen } = this;
    return { owner: OWNER, rule, brakes: { ...NO_BRAKES, ...this.brakes }, nowMs, seen };
  }

  #apply(step: (state: RuleState) => Decided) {
    const { state, decision, effect } = step(forget(recordRunEnds(this.state, this.seen), this.nowMs));
    this.state = state;
    if (effect?.kind === 'start') this.started.push(effect.runId);
    if (effect?.kind === 'withdraw') this.withdrawn.push(...effect.runIds);
    return { ...decision, effect };
  }
}

/** Starts a run, which ends at once. @returns its id */
export const ran = (rule: Rule, change: Parameters<typeof anAlarm>[0] = {}) => {
  const { runId } = rule.decide(rule.alarm(change));
  rule.end(runId ?? '');
  return runId;
};

/** Lets time pass between two deliveries. */
export const later = (rule: Rule, ms: number) => {
  rule.nowMs += ms;
  return rule;
};
