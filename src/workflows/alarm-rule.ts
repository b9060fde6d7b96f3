/** The workflow `alarmRule`: the memory of one rule. Decides about alarms in the order they arrive, one request at a time, and starts the runs. */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  ALARM_LOG_QUERY,
  alarmRuleId,
  DECIDE_UPDATE,
  KNOWN_INCIDENTS_QUERY,
  type AlarmDecision,
  type AlarmLogLine,
  type Brakes,
  type DecidedAlarm,
  type DecideRequest,
} from '../domain/alarms/alarm.js';
import type { DecisionContext, IntendedRun } from '../domain/alarms/alarm-brakes.js';
import {
  decide,
  decideDue,
  dueFirings,
  nextDueAtMs,
  recordRunEnds,
  runsToAsk,
  type Decided,
} from '../domain/alarms/alarm-rule.js';
import { requestProblem } from '../domain/alarms/alarm-rule-checks.js';
import {
  addNote,
  addToLog,
  concerns,
  EMPTY_STATE,
  forget,
  forNextExecution,
  knownIncidents,
  loggedAlarm,
  uncountStart,
  type ContinuedRule,
  type RuleState,
} from '../domain/alarms/alarm-rule-state.js';
import { alarmRuleRequester } from '../domain/run/requester.js';
import { carryOut } from './alarm-effects.js';
import { setCurrentRequest } from './cause.js';
import { commandRejected, invalidStart, rootCause } from './failure.js';
import { findRuns } from './proxies.js';
import { conditionUntil } from './timers.js';

const decideUpdate = defineUpdate<(AlarmDecision | null)[], [DecideRequest]>(DECIDE_UPDATE);
const alarmLogQuery = defineQuery<readonly AlarmLogLine[]>(ALARM_LOG_QUERY);
const knownIncidentsQuery = defineQuery<readonly string[]>(KNOWN_INCIDENTS_QUERY);

/** The server takes 2,000 updates in one execution, and long histories replay slowly. Chosen. */
const MOST_UPDATES = 500;
/** How long to wait when the runs could not be looked up at the end of a debounce. Chosen. */
const RETRY_DUE_AFTER_MS = 10_000;

/** An update that waits for its turn. */
interface PendingRequest {
  readonly request: DecideRequest;
  readonly resolve: (decisions: (AlarmDecision | null)[]) => void;
  readonly reject: (failure: ApplicationFailure) => void;
}

/** Workflow of one rule. It never ends by itself and ignores a cancel, which would lose the firings that wait; terminate it to end it. */
export function alarmRule(started: ContinuedRule): Promise<never> {
  return CancellationScope.nonCancellable(() => decideForever(started));
}

/** Rejects an update that it cannot decide with `CommandRejected`; such an update changes nothing. */
async function decideForever(started: ContinuedRule): Promise<never> {
  const rule = new Rule(started);
  const queue: PendingRequest[] = [];
  let updates = 0;
  const isFull = () => updates >= MOST_UPDATES || workflowInfo().continueAsNewSuggested;
  const validator = (request: unknown) => {
    const problem = requestProblem(request, started.rule);
    if (problem !== null) throw commandRejected(problem, false);
    if (isFull()) throw commandRejected('The rule is moving to a new execution. Send the request again now', true);
  };
  setHandler(alarmLogQuery, () => rule.state.log);
  setHandler(knownIncidentsQuery, () => {
    const beingDecided = queue.flatMap(({ request }) => request.alarms).filter(({ status }) => status === 'firing');
    return [...new Set([...knownIncidents(rule.state), ...beingDecided.map(({ incident }) => incident)])];
  });
  setHandler(
    decideUpdate,
    (request) => {
      updates++;
      return new Promise((resolve, reject) => queue.push({ request, resolve, reject }));
    },
    { validator },
  );
  while (!isFull() || queue.length > 0) {
    let nowMs = Date.now();
    if (queue.length === 0) nowMs = await waitForWork(() => queue.length > 0 || isFull(), rule.nextDueAtMs());
    // Before the queue, so that a steady flow of alarms does not delay them.
    await rule.decideDue(nowMs);
    const [next] = queue;
    setCurrentRequest(next?.request ?? null);
    if (next !== undefined) await rule.decide(next);
    setCurrentRequest(null);
    queue.shift();
  }
  await condition(allHandlersFinished);
  return await continueAsNew<typeof alarmRule>({ ...started, state: forNextExecution(rule.state, Date.now()) });
}

/** @returns the time afterwards, at least `dueAtMs` if that ended the wait */
async function waitForWork(hasWork: () => boolean, dueAtMs: number | null): Promise<number> {
  if (dueAtMs !== null) return await conditionUntil(hasWork, dueAtMs);
  await condition(hasWork);
  return Date.now();
}

/** The state of a rule and what the workflow does with it. */
class Rule {
  #state: RuleState;
  #retryDueAtMs = 0;
  /** When the last wait ended. The workflow clock may be behind it (see `conditionUntil`). */
  #wokeAtMs = 0;
  readonly #owner: string;
  readonly #rule: string;

  constructor(started: ContinuedRule) {
    const { workflowId } = workflowInfo();
    const { owner, rule, state = EMPTY_STATE } = started ?? {};
    if (typeof owner !== 'string' || typeof rule !== 'string' || workflowId !== alarmRuleId(owner, rule))
      throw invalidStart(`Start a rule with { owner, rule }, under the workflow id made of them, not as ${workflowId}`);
    this.#owner = owner;
    this.#rule = rule;
    this.#state = state;
  }

  get state(): RuleState {
    return this.#state;
  }

  /** Epoch milliseconds; `null` when no firing waits. */
  nextDueAtMs(): number | null {
    const dueAtMs = nextDueAtMs(this.#state);
    return dueAtMs === null ? null : Math.max(dueAtMs, this.#retryDueAtMs);
  }

  async decide({ request, resolve, reject }: PendingRequest): Promise<void> {
    const { alarms, brakes, notes = [] } = request;
    const intended = alarms.flatMap(({ status, start, incident }) =>
      status === 'firing' && 'target' in start ? [{ target: start.target, incident }] : [],
    );
    try {
      const context = await this.#observeRuns(intended, brakes);
      this.#state = { ...this.#state, brakes };
      for (const note of notes) this.#state = addNote(this.#state, this.#rule, note, context.nowMs);
      const decided = alarms.map((alarm) => {
        if (!concerns(this.#state, alarm)) return null;
        const target = 'target' in alarm.start ? alarm.start.target : null;
        return { ...this.#apply(decide(this.#state, alarm, context)), alarm: loggedAlarm(alarm), target };
      });
      resolve(await this.#carryOut(decided));
    } catch (error) {
      if (isCancellation(error)) throw error;
      reject(commandRejected(`Nothing was decided: ${rootCause(error).message}`, true));
    }
  }

  /** Decides about firings whose debounce has ended, by the brakes that the newest alarm brought. */
  async decideDue(nowMs: number): Promise<void> {
    this.#wokeAtMs = nowMs;
    const { brakes } = this.#state;
    const due = dueFirings(this.#state, nowMs);
    if (brakes === null || due.length === 0 || nowMs < this.#retryDueAtMs) return;
    try {
      const context = await this.#observeRuns(due, brakes);
      const decided = due.map((firing) => {
        const { alarm } = firing.stage;
        return { ...this.#apply(decideDue(this.#state, firing, context)), alarm, target: firing.target };
      });
      await this.#carryOut(decided);
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.#retryDueAtMs = this.#nowMs() + RETRY_DUE_AFTER_MS;
    }
  }

  async #observeRuns(intended: readonly IntendedRun[], brakes: Brakes): Promise<DecisionContext> {
    const asked = runsToAsk(this.#state, intended, brakes, this.#nowMs());
    const seen = asked.runIds.length + asked.targets.length === 0 ? [] : await findRuns(asked);
    const nowMs = this.#nowMs();
    this.#state = forget(recordRunEnds(this.#state, seen), nowMs);
    return { owner: this.#owner, rule: this.#rule, brakes, nowMs, seen };
  }

  #apply({ state, decision, effect }: Decided): Omit<Decided, 'state'> {
    this.#state = state;
    return { decision, effect };
  }

  async #carryOut(decided: readonly (ToCarryOut | null)[]): Promise<(AlarmDecision | null)[]> {
    const by = alarmRuleRequester(`${this.#owner}/${this.#rule}`);
    const decisions = await Promise.all(
      decided.map(async (each) => each && (await carryOut(each.decision, each.effect, by))),
    );
    for (const [index, each] of decided.entries()) {
      const decision = decisions[index] ?? null;
      if (each === null || decision === null) continue;
      const { alarm, target, effect } = each;
      if (effect?.kind === 'start' && decision.kind !== 'started')
        this.#state = uncountStart(this.#state, effect.runId);
      const line = { decidedAtMs: this.#nowMs(), rule: this.#rule, alarm, target, decision };
      this.#state = addToLog(this.#state, line);
    }
    return decisions;
  }

  #nowMs(): number {
    return Math.max(Date.now(), this.#wokeAtMs);
  }
}

/** A decision with what the log keeps of its alarm. */
interface ToCarryOut extends Omit<Decided, 'state'> {
  readonly alarm: DecidedAlarm['alarm'];
  readonly target: string | null;
}
